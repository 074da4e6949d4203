import { runtime } from "../../runtime/mod.ts";
import type { Contention } from "../core/backend.ts";
import type { CallOptions } from "../core/call_options.ts";
import type { Moment } from "../core/lease_clock.ts";
import { pause } from "../core/pause.ts";
import { callOptions } from "./call_options.ts";
import type { Request } from "./driver.ts";
import { DynamoGrant } from "./dynamo_grant.ts";
import { TableFault } from "./faults.ts";
import {
  type Attribute,
  isOf,
  type Item,
  readExpiry,
  readFence,
  readHolder,
  readLease,
  toExpiry,
} from "./item.ts";
import type { Output } from "./link.ts";
import type { LockItem } from "./lock_item.ts";
import { pollMs } from "./poll_plan.ts";
import { acquire, renew, renounce } from "./requests.ts";
import type { DynamoTable } from "./table.ts";
import { Tenure } from "./tenure.ts";

// How long a waiter goes on while its table cannot be reached; and for how long
// what gives back what may have been taken may keep its process.
const OUTAGE_MS = 5000;

// How often to try to take a lock that was free when it was looked at, or whose
// grant came too late to be trusted.
const MOST_TRIES = 5;

// When a lease was granted of which nothing is known but that it is ours: it is
// extended.
const LONG_AGO: Moment = { monotonic: -Infinity, wall: -Infinity };

const { clock, identity } = runtime;

/** One attempt of this process to take a lock of a table. */
export class Attempt {
  readonly #lock: LockItem;
  readonly #table: DynamoTable;
  readonly #tenure = new Tenure();
  // Who was last seen holding the lock.
  #rival: Item | undefined;
  // Whether something may have been written without our knowing.
  #unsure = false;

  /**
   * @param lock The lock.
   * @param table The table that keeps it.
   */
  constructor(lock: LockItem, table: DynamoTable) {
    this.#lock = lock;
    this.#table = table;
  }

  /**
   * Tries once.
   *
   * @param options How to ask.
   * @returns The grant; null when another holds the lock.
   * @throws {TableFault} If what came of it cannot be known.
   */
  async try(options: CallOptions = this.#options): Promise<DynamoGrant | null> {
    let grant: DynamoGrant | null = null;
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      grant = grant ? await this.#extend(options) : await this.#claim(options);
      if (grant === null && this.#rival) return null;
      if (grant && grant.clock.remainingMs() > 0) return grant;
    }
    if (grant === null) return null;
    this.#unsure = true; // It is ours.
    throw new TableFault(
      "refused",
      `${this.#table.label}: it takes longer to answer than ttlMs allows ` +
        `(${this.#lock.terms.ttlMs} ms)`,
    );
  }

  /**
   * Waits for the lock: looks now and then, and tries when it is free, or its
   * lease is dead.
   *
   * @param contention Ends the wait.
   * @returns The grant; null when the wait was ended.
   * @throws {TableFault} If the table cannot be used.
   */
  async wait(contention: Contention): Promise<DynamoGrant | null> {
    const { signal } = contention;
    const began = clock.monotonic();
    let polls = 0;
    while (!signal.aborted) {
      this.#tell(contention);
      await pause(this.#pollMs(polls++), { signal });
      if (signal.aborted) break;
      try {
        const before = this.#rival?.lockid?.N;
        const grant = await this.#poll();
        if (grant) return grant;
        // Somebody else has it now, and may be quick.
        if (this.#rival?.lockid?.N !== before) polls = 0;
      } catch (error) {
        if (!this.#isBearable(error, began)) throw error;
      }
    }
    return null;
  }

  /**
   * Takes back what may have been taken without our knowing.
   *
   * @returns A promise that settles when it is done, and never rejects.
   */
  async leave(): Promise<void> {
    if (!this.#unsure) return;
    const { ttlMs } = this.#lock.terms;
    const options = {
      ...this.#options,
      limitMs: ttlMs,
      persistent: true,
      keepAlive: false,
      restsAfterMs: OUTAGE_MS,
    };
    await this.#table.write(
      () => renounce(this.#lock, this.#tenure.owner),
      options,
    ).catch(() => {});
  }

  get #options(): CallOptions {
    return callOptions(this.#lock.terms.ttlMs);
  }

  async #poll(): Promise<DynamoGrant | null> {
    const { observations } = this.#table;
    const { key, terms: { ttlMs } } = this.#lock;
    const options = { ...this.#options, persistent: true };
    // A look is cheaper than a write. It may be a little old: that costs a
    // poll, and grants nothing, since the write demands what was seen.
    if (this.#rival && !observations.isOverdue(key, ttlMs)) {
      this.#see(await this.#table.read(this.#lock, false, options));
      if (this.#rival && !observations.dead(key, ttlMs)) return null;
    }
    return await this.try(options);
  }

  async #claim(options: CallOptions): Promise<DynamoGrant | null> {
    const { link: { clock: time }, observations } = this.#table;
    const { terms: { ttlMs }, key } = this.#lock;
    // This host's clock may be anything, and what is written is for others: the
    // first request of a process asks for the service's time.
    if (!time.known) {
      this.#see(await this.#table.read(this.#lock, true, options));
      if (this.#rival) return null;
    }
    return await this.#write((expiry) =>
      acquire(this.#lock, {
        owner: this.#tenure.owner,
        expiry,
        ttlMs,
        host: identity.host(),
        pid: identity.pid,
        base: BigInt(time.now()) * 1000n,
        dead: observations.dead(key, ttlMs),
      }), options);
  }

  // What was granted, but too late to be trusted, is still ours.
  async #extend(options: CallOptions): Promise<DynamoGrant | null> {
    const { owner } = this.#tenure;
    return await this.#write(
      (expiry) => renew(this.#lock, { owner, expiry }),
      options,
    );
  }

  async #write(
    make: (expiry: Attribute) => Request,
    options: CallOptions,
  ): Promise<DynamoGrant | null> {
    const { ttlMs } = this.#lock.terms;
    const { clock: time } = this.#table.link;
    const before = this.#unsure;
    let tries = 0;
    this.#unsure = true;
    const reply = await this.#table.write((sentAt) => {
      tries++;
      const expiryMs = this.#tenure.next(time.now() + ttlMs, sentAt);
      return make(toExpiry(expiryMs));
    }, options).catch((error) => {
      if (tries <= 1 && isWithoutEffect(error)) this.#unsure = before;
      throw error;
    });
    const item = reply.refused && reply.item === undefined
      ? await this.#table.read(this.#lock, true, options)
      : reply.item;
    if (!reply.refused || isOf(item, this.#tenure.owner)) {
      return this.#grant(item!);
    }
    // Of several tries, another may yet be applied.
    this.#unsure = before || reply.repeated;
    if (!this.#unsure) this.#tenure.forget();
    this.#see(item);
    return null;
  }

  // Whatever try it was, what stands in the table tells which.
  #grant(item: Item): DynamoGrant {
    const fencingToken = readFence(item);
    if (fencingToken === null) {
      const message = `${this.#table.label}: its item has a "fence" that is ` +
        "no token; something else keeps an item of that name: use another table";
      throw new TableFault("refused", message);
    }
    this.#see(undefined);
    this.#unsure = false;
    return new DynamoGrant({
      lock: this.#lock,
      table: this.#table,
      tenure: this.#tenure,
      fencingToken,
      sentAt: this.#tenure.settle(readExpiry(item)) ?? LONG_AGO,
    });
  }

  #see(item: Item | undefined): void {
    const { owner } = this.#tenure;
    const lease = isOf(item, owner) ? null : readLease(item);
    this.#rival = lease === null ? undefined : item;
    this.#table.observations.note(this.#lock.key, lease);
  }

  #tell(contention: Contention): void {
    contention.lastHolder = this.#rival ? readHolder(this.#rival) : null;
  }

  #pollMs(polls: number): number {
    const { key, terms: { ttlMs } } = this.#lock;
    return pollMs(polls, this.#table.observations.deadInMs(key, ttlMs));
  }

  // A busy service is waited for; one that cannot be reached, for a while.
  #isBearable(error: unknown, began: number): boolean {
    if (!(error instanceof TableFault)) return false;
    const { kind } = error;
    if (kind === "busy") return true;
    if (kind !== "silent" && kind !== "unreachable") return false;
    const heardAt = Math.max(began, this.#table.link.heardAt);
    return clock.monotonic() - heardAt < OUTAGE_MS;
  }
}

// Other failures may have come after the write.
function isWithoutEffect(error: unknown): boolean {
  if (!(error instanceof TableFault)) return false;
  // A driver that the caller brought may have tried before.
  const { $metadata } = error.cause as Output ?? {};
  return ($metadata?.attempts ?? 1) <= 1 &&
    ["refused", "missing", "unreachable"].includes(error.kind);
}
