/**
 * RedisLock: mutual exclusion between all clients of a Redis server, or of the
 * majority of several, by a lease that its holder renews.
 *
 * @example Guard a store with the fencing token
 * ```ts
 * import { RedisLock } from "@x/locking/redis";
 *
 * const lock = new RedisLock("redis-example", { hosts: "localhost" });
 * const lease = await lock.tryAcquire().catch(() => null); // no server here
 * if (lease) {
 *   console.log(`write with token ${lease.fencingToken}`);
 *   await lease.release();
 * }
 * ```
 *
 * @module
 */
import type { MaybePromise } from "../runtime/types.ts";
import { callerLocation } from "./core/caller.ts";
import type { Keeper, Survey } from "./core/backend.ts";
import { LazyBackend, once } from "./core/lazy_backend.ts";
import { checkLeaseTerms, type LeaseOptions } from "./core/lease_terms.ts";
import { Lock } from "./core/lock.ts";
import { checkName } from "./core/names.ts";
import { checkOptions, show } from "./core/options.ts";
import {
  checkClient,
  type CreateRedisClient,
  type RedisClient,
} from "./redis/driver.ts";
import { parseHosts } from "./redis/hosts.ts";
import { serverAt, serverOf, type ServerRef } from "./redis/server_ref.ts";
import { type SharedLock, sharedLock } from "./redis/shared_lock.ts";

export type { LeaseOptions } from "./core/lease_terms.ts";
export type {
  CreateRedisClient,
  RedisClient,
  RedisConnection,
  RedisConnectionOptions,
  RedisScriptCall,
  RedisSubscriber,
} from "./redis/driver.ts";

/** Options of a {@linkcode RedisLock}. */
export interface RedisLockOptions extends LeaseOptions {
  /**
   * The server, or several independent ones whose majority keeps the lock:
   * `"myredis.com"`, `"host:port"`, `redis://` and `rediss://` URLs with user,
   * password and database.
   *
   * @default {the variables REDIS_URL, then REDIS_HOST and REDIS_PORT, then
   * localhost}
   */
  hosts?: string | readonly string[];
  /**
   * What the lock's keys begin with. Without one, the lock's key is the bare
   * name, and Python's `locking` and this exclude each other.
   *
   * @default {"locking:"}
   */
  keyPrefix?: string;
  /**
   * A connected client of the package `redis` to use instead of `hosts`: of a
   * server, a cluster, or a group under sentinels.
   */
  client?: RedisClient;
  /**
   * Makes the clients for `hosts` instead of the package's own `createClient`.
   * Locks with the same function share their connections.
   */
  createClient?: CreateRedisClient;
}

/**
 * A lock between all clients of a Redis server, kept as a lease: when its
 * holder dies, the lock is free one time to live later. Waiters are served in
 * the order in which they came. With several `hosts` the lock is the majority
 * of them, so that a minority may fail.
 *
 * A holder that was paused for longer than its time to live has lost the lock:
 * `lease.signal` aborts, `lease.assertHeld()` throws, and its fencing token is
 * smaller than that of the next holder.
 *
 * @example Hold a lock as long as a block
 * ```ts ignore
 * import { RedisLock } from "@x/locking/redis";
 *
 * await using lease = await new RedisLock("uniquename").acquire();
 * lease.assertHeld();
 * ```
 */
export class RedisLock extends Lock {
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
  constructor(name?: string, options: RedisLockOptions = {}) {
    name = name === undefined ? callerLocation(new.target) : name;
    checkName(name);
    checkOptions("RedisLock", options, KNOWN);
    const terms = checkLeaseTerms("RedisLock", options);
    const { keyPrefix = "locking:" } = options;
    if (typeof keyPrefix !== "string") {
      throw new TypeError(
        `RedisLock keyPrefix must be a string, got ${show(keyPrefix)}`,
      );
    }
    const lock = sharedLock(name, keyPrefix, terms);
    super(name, new RedisBackend(lock, findServers(options)));
  }
}

const KNOWN = [
  "hosts",
  "ttlMs",
  "heartbeatIntervalMs",
  "keyPrefix",
  "client",
  "createClient",
];

function findServers(options: RedisLockOptions): ServerRef[] {
  const { hosts, client, createClient } = options;
  if (createClient !== undefined && typeof createClient !== "function") {
    throw new TypeError(
      `RedisLock createClient must be a function, got ${show(createClient)}`,
    );
  }
  if (client === undefined) {
    return parseHosts(hosts).map((host) => serverAt(host, createClient));
  }
  if (hosts !== undefined || createClient !== undefined) {
    throw new TypeError(
      "RedisLock takes either a client, or hosts and createClient",
    );
  }
  checkClient(client);
  return [serverOf(client)];
}

type Code = typeof import("./redis/make_keeper.ts");

const load = once((): Promise<Code> => import("./redis/make_keeper.ts"));

class RedisBackend extends LazyBackend<Code> {
  readonly #lock: SharedLock;
  readonly #servers: readonly ServerRef[];

  constructor(lock: SharedLock, servers: readonly ServerRef[]) {
    const { key, terms: { ttlMs, heartbeatIntervalMs } } = lock;
    super(`${groupOf(servers)}:${key}`, `${ttlMs}/${heartbeatIntervalMs}`);
    this.#lock = lock;
    this.#servers = servers;
  }

  get survey(): Survey<SharedLock> {
    return {
      group: groupOf(this.#servers),
      item: this.#lock,
      look: async (locks, options) => {
        const { findFree } = await import("./redis/find_free.ts");
        return findFree(this.#servers, locks, options);
      },
    };
  }

  protected load(): MaybePromise<Code> {
    return load();
  }

  protected make({ makeKeeper }: Code): Keeper {
    return makeKeeper(this.#lock, this.#servers);
  }
}

function groupOf(servers: readonly ServerRef[]): string {
  return `redis:${servers.map(({ id }) => id).sort((a, b) => a - b)}`;
}
