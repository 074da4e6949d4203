import { runtime } from "../../runtime/mod.ts";
import type { MaybePromise } from "../../runtime/types.ts";
import type { Grant } from "../core/backend.ts";
import { driftMs, LeaseClock, type Moment } from "../core/lease_clock.ts";
import { STOCKED, TokenStock } from "../core/token_stock.ts";
import type { RedisServer, Renewable } from "./server.ts";
import type { SharedLock } from "./shared_lock.ts";

// After so long, in milliseconds, the servers are asked anew whether somebody
// waits there before the lock is passed on within this process.
const PASSING_MS = 5;

/** What a {@linkcode QuorumGrant} is made of. */
export interface QuorumGrantOptions {
  /** The lock. */
  readonly lock: SharedLock;
  /** Who holds it. */
  readonly owner: string;
  /** The fencing token. */
  readonly fencingToken: bigint;
  /** All servers that keep the lock. */
  readonly servers: readonly RedisServer[];
  /** When each server was asked that granted it. */
  readonly granted: ReadonlyMap<RedisServer, Moment>;
  /**
   * Sets fencing tokens aside for the next tasks of this process.
   *
   * @param grant The grant.
   * @param first The first of them.
   * @param last The last of them.
   * @returns Whether a majority did, seeing nobody else wait.
   */
  setAside(grant: QuorumGrant, first: bigint, last: bigint): Promise<boolean>;
  /**
   * Gives the lock back.
   *
   * @param grant The grant.
   * @returns Whether it was still held.
   */
  leave(grant: QuorumGrant): Promise<boolean>;
}

/**
 * A lock that a majority of its servers granted.
 *
 * Its validity counts from the oldest request of the youngest majority: as long
 * as so many servers keep the lock, no other majority exists.
 */
export class QuorumGrant implements Grant, Renewable {
  readonly clock: LeaseClock;
  readonly lock: SharedLock;
  readonly owner: string;
  yields = false;
  readonly #tokens: TokenStock;
  readonly #majority: number;
  readonly #askedAt: Map<RedisServer, Moment>;
  readonly #setAside: QuorumGrantOptions["setAside"];
  readonly #leave: QuorumGrantOptions["leave"];
  #lost: ((reason: string, cause?: unknown) => void) | null = null;
  #goneFor: string | null = null;
  #over = false;

  /** @param options What it is made of. */
  constructor(options: QuorumGrantOptions) {
    const { lock, servers, granted } = options;
    this.#tokens = new TokenStock(options.fencingToken);
    this.lock = lock;
    this.owner = options.owner;
    this.#majority = majorityOf(servers.length);
    this.#askedAt = new Map(granted);
    this.#setAside = options.setAside;
    this.#leave = options.leave;
    // A server's clock may be faster than ours: the key must not end first.
    const { ttlMs } = lock.terms;
    const trustedMs = ttlMs - driftMs(ttlMs);
    this.clock = new LeaseClock(runtime.clock, trustedMs, this.#since());
  }

  /** Of the task that has the lock now. */
  get fencingToken(): bigint {
    return this.#tokens.last;
  }

  /** Whether it has been given back or lost by the servers. */
  get over(): boolean {
    return this.#over;
  }

  remainingMs(): number {
    return this.#over ? 0 : this.clock.remainingMs();
  }

  watch(lost: (reason: string, cause?: unknown) => void): void {
    this.#lost = lost;
    // Between two tasks, nobody was there to be told.
    if (this.#goneFor !== null) return lost(this.#goneFor);
    // Granted by a message long after the waiter's last refresh.
    const isOld = this.clock.remainingMs() < this.lock.terms.ttlMs / 2;
    for (const server of this.#askedAt.keys()) {
      server.keep(this);
      if (isOld) server.renewNow(this);
    }
  }

  /**
   * Whether a server has granted the lock, and not said that it is gone.
   *
   * @param server The server.
   * @returns Whether it has.
   */
  isFrom(server: RedisServer): boolean {
    return this.#askedAt.has(server);
  }

  /**
   * Adds a server that granted the lock when it had been granted already.
   *
   * @param server The server.
   * @param sentAt When it was asked.
   */
  join(server: RedisServer, sentAt: Moment): void {
    this.onRenewed(server, sentAt);
    if (this.#lost && !this.#over) server.keep(this);
  }

  onRenewed(server: RedisServer, sentAt: Moment): void {
    if (this.#over) return;
    const last = this.#askedAt.get(server);
    if (last && last.monotonic >= sentAt.monotonic) return;
    this.#askedAt.set(server, sentAt);
    this.clock.renew(this.#since());
  }

  onGone(server: RedisServer, reason: string): void {
    if (this.#over) return;
    server.forget(this);
    this.#askedAt.delete(server);
    if (this.#askedAt.size >= this.#majority) {
      this.clock.shorten(this.#since());
      if (this.clock.remainingMs() > 0) return;
    }
    // What its holder is told is lost must not live on elsewhere.
    this.#stopRenewals();
    this.#goneFor = reason;
    this.#lost?.(reason);
  }

  pass(): MaybePromise<QuorumGrant | null> {
    if (this.remainingMs() <= 0) return null;
    return this.#tokens.next() === null ? this.#passAnew() : this;
  }

  async #passAnew(): Promise<QuorumGrant | null> {
    const first = this.#tokens.last + 1n;
    const last = this.#tokens.last + BigInt(STOCKED);
    this.yields = !await this.#setAside(this, first, last);
    if (this.yields) return null;
    this.#tokens.fill(last, runtime.clock.monotonic() + PASSING_MS);
    if (this.remainingMs() <= 0) return null;
    return this.#tokens.next() === null ? null : this;
  }

  async release(): Promise<void> {
    this.#stopRenewals();
    const held = await this.#leave(this);
    if (!held) this.#lost?.("it was gone when it was released");
  }

  #stopRenewals(): void {
    this.#over = true;
    for (const server of this.#askedAt.keys()) server.forget(this);
  }

  // The moment since which a majority has kept the lock without a break.
  #since(): Moment {
    const moments = [...this.#askedAt.values()];
    if (moments.length > 1) moments.sort((a, b) => b.monotonic - a.monotonic);
    return moments[this.#majority - 1]!;
  }
}

/**
 * How many servers are a majority: any two of them share one server.
 *
 * @param count The number of servers.
 * @returns More than half of it.
 */
export function majorityOf(count: number): number {
  return Math.floor(count / 2) + 1;
}
