/**
 * DynamoLock: mutual exclusion between all clients of a DynamoDB table, by a
 * lease that its holder renews.
 *
 * @example Guard a store with the fencing token
 * ```ts
 * import { DynamoLock } from "@x/locking/dynamo";
 *
 * const endpoint = "http://127.0.0.1:1"; // no table here
 * const lock = new DynamoLock("dynamo-example", { endpoint, region: "local" });
 * const lease = await lock.tryAcquire().catch(() => null);
 * if (lease) {
 *   console.log(`write with token ${lease.fencingToken}`);
 *   await lease.release();
 * }
 * ```
 *
 * @module
 */
import type { MaybePromise } from "../runtime/types.ts";
import type { Keeper, Survey } from "./core/backend.ts";
import { callerLocation } from "./core/caller.ts";
import { LazyBackend, once } from "./core/lazy_backend.ts";
import { checkLeaseTerms, type LeaseOptions } from "./core/lease_terms.ts";
import { Lock } from "./core/lock.ts";
import { checkName, keptName } from "./core/names.ts";
import { checkOptions, show } from "./core/options.ts";
import type { DynamoClient } from "./dynamo/driver.ts";
import { type LockItem, LONGEST_KEY } from "./dynamo/lock_item.ts";
import { tableAt, tableOf, type TableRef } from "./dynamo/table_ref.ts";

export type { LeaseOptions } from "./core/lease_terms.ts";
export type { DynamoClient } from "./dynamo/driver.ts";

/** Options of a {@linkcode DynamoLock}. */
export interface DynamoLockOptions extends LeaseOptions {
  /**
   * The table's name or ARN. It has the string hash key `lockname`.
   *
   * @default {"locks"}
   */
  table?: string;
  /**
   * Whether to create the table when it is missing: paid by request, with its
   * TTL on the attribute `expiry`.
   *
   * @default {false}
   */
  createTable?: boolean;
  /**
   * The region, such as `"eu-central-1"`.
   *
   * @default {what the driver's own chain finds, such as AWS_REGION}
   */
  region?: string;
  /**
   * The service's address, such as `"http://localhost:8000"`.
   *
   * @default {the region's}
   */
  endpoint?: string;
  /**
   * A client of the package `@aws-sdk/client-dynamodb` to use instead of
   * `region` and `endpoint`.
   */
  client?: DynamoClient;
}

/**
 * A lock between all clients of a DynamoDB table, kept as a lease: an item that
 * its holder renews. No two hosts' clocks are compared: a waiter takes a lease
 * for dead when it stood unchanged for its time to live on the waiter's own
 * clock.
 *
 * A holder that was paused for longer than its time to live has lost the lock:
 * `lease.signal` aborts, `lease.assertHeld()` throws, and its fencing token is
 * smaller than that of the next holder.
 *
 * @example Hold a lock as long as a block
 * ```ts ignore
 * import { DynamoLock } from "@x/locking/dynamo";
 *
 * await using lease = await new DynamoLock("uniquename").acquire();
 * lease.assertHeld();
 * ```
 */
export class DynamoLock extends Lock {
  /**
   * Names the lock; nothing is connected yet.
   *
   * @param name The lock's name; by default the caller's `file:line`.
   * @param options Where and on what terms the lock is kept.
   * @throws {TypeError} If the name is empty or not a string, or an option is
   * unknown or cannot be understood.
   * @throws {RangeError} If `ttlMs` is under 100, or `heartbeatIntervalMs` not
   * below half of it.
   */
  constructor(name?: string, options: DynamoLockOptions = {}) {
    name = name === undefined ? callerLocation(new.target) : name;
    checkName(name);
    checkOptions("DynamoLock", options, KNOWN);
    const terms = checkLeaseTerms("DynamoLock", options);
    const { createTable = false } = options;
    if (typeof createTable !== "boolean") {
      throw new TypeError(
        `DynamoLock createTable must be true or false, got ${
          show(createTable)
        }`,
      );
    }
    const table = findTable(options);
    const lock = {
      name,
      table: table.name,
      key: keptName(name, LONGEST_KEY),
      terms,
      createTable,
    };
    super(name, new DynamoBackend(lock, table));
  }
}

const KNOWN = [
  "table",
  "ttlMs",
  "heartbeatIntervalMs",
  "createTable",
  "region",
  "endpoint",
  "client",
];

function findTable(options: DynamoLockOptions): TableRef {
  const { table = "locks", region, endpoint, client } = options;
  check({ table }, isTable, "a table's name");
  check({ region }, isRegion, "a region's name");
  check({ endpoint }, isEndpoint, "an http or https URL");
  if (client === undefined) {
    return tableAt(table, {
      ...region !== undefined && { region },
      ...endpoint !== undefined && { endpoint },
    });
  }
  if (region !== undefined || endpoint !== undefined) {
    throw new TypeError(
      "DynamoLock takes either a client, or region and endpoint",
    );
  }
  if (typeof (client as DynamoClient | null)?.send !== "function") {
    throw new TypeError(
      "DynamoLock client must be a client of the package " +
        "@aws-sdk/client-dynamodb: it has no send()",
    );
  }
  return tableOf(table, client);
}

type Code = typeof import("./dynamo/make_keeper.ts");

const load = once((): Promise<Code> => import("./dynamo/make_keeper.ts"));

class DynamoBackend extends LazyBackend<Code> {
  readonly #lock: LockItem;
  readonly #table: TableRef;

  constructor(lock: LockItem, table: TableRef) {
    const { terms: { ttlMs, heartbeatIntervalMs }, key, createTable } = lock;
    const terms = `${ttlMs}/${heartbeatIntervalMs}/${createTable}`;
    super(`dynamo:${table.id}:${key}`, terms);
    this.#lock = lock;
    this.#table = table;
  }

  get survey(): Survey<LockItem> {
    return {
      group: `dynamo:${this.#table.id}`,
      item: this.#lock,
      look: async (locks, options) => {
        const { findFree } = await import("./dynamo/find_free.ts");
        return findFree(this.#table, locks, options);
      },
    };
  }

  protected load(): MaybePromise<Code> {
    return load();
  }

  protected make({ makeKeeper }: Code): Keeper {
    return makeKeeper(this.#lock, this.#table);
  }
}

function isTable(text: string): boolean {
  return /^(?:[A-Za-z0-9_.-]{3,255}|arn:\S+)$/.test(text);
}

function isRegion(text: string): boolean {
  return /^\S+$/.test(text);
}

function isEndpoint(text: string): boolean {
  return /^https?:\/\/\S+$/.test(text) && URL.canParse(text);
}

function check(
  given: Record<string, unknown>,
  isValid: (text: string) => boolean,
  expected: string,
): void {
  for (const [option, value] of Object.entries(given)) {
    if (value === undefined) continue;
    if (typeof value === "string" && isValid(value)) continue;
    throw new TypeError(
      `DynamoLock ${option} must be ${expected}, got ${show(value)}`,
    );
  }
}
