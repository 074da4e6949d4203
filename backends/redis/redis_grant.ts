import { runtime } from "../../runtime/mod.ts";
import type { MaybePromise } from "../../runtime/types.ts";
import type { Grant } from "../core/backend.ts";
import { driftMs, LeaseClock, type Moment } from "../core/lease_clock.ts";
import type { LeaseTerms } from "../core/lease_terms.ts";
import { STOCKED, TokenStock } from "../core/token_stock.ts";
import type { Answer } from "./exchange.ts";
import type { RedisServer, Renewable } from "./server.ts";
import { readStamp } from "./stamp.ts";

// After so long, in milliseconds, the server is asked anew whether somebody
// waits there before the lock is passed on within this process.
const PASSING_MS = 5;

/** How a lock is passed on, as its server keeps count of that. */
export interface Passing {
  /** The fencing token that the server has noted with the lock. */
  readonly noted: bigint;
  /** The last one that was used. */
  readonly used: bigint;
  /** The last of those to be set aside. */
  readonly last: bigint;
}

/** What a {@linkcode RedisGrant} is made of. */
export interface RedisGrantOptions {
  /** The lock's key. */
  readonly key: string;
  /** Who holds it. */
  readonly owner: string;
  /** On what terms. */
  readonly terms: LeaseTerms;
  /** The fencing token. */
  readonly fencingToken: bigint;
  /** All servers that keep the lock. */
  readonly servers: readonly RedisServer[];
  /** The stamps by which servers granted it. */
  readonly granted: ReadonlyMap<RedisServer, string>;
  /**
   * Passes the lock on, to a waiter of the server or to the next task of this
   * process; absent where it is only ever given back.
   *
   * @param passing The tokens in question.
   * @returns The server's answer.
   */
  pass?(passing: Passing): Promise<Answer>;
  /**
   * Gives the lock back.
   *
   * @returns Whether it was still held.
   */
  leave(grant: RedisGrant): Promise<boolean>;
}

/**
 * A lock that a majority of its servers granted; of one server, that one.
 *
 * Its validity counts from the oldest stamp of the youngest majority: as long
 * as so many servers keep the lock, no other majority exists.
 */
export class RedisGrant implements Grant, Renewable {
  readonly clock: LeaseClock;
  readonly key: string;
  readonly owner: string;
  readonly terms: LeaseTerms;
  readonly #majority: number;
  readonly #stamps = new Map<RedisServer, Moment>();
  readonly #tokens: TokenStock;
  readonly #leave: (grant: RedisGrant) => Promise<boolean>;
  readonly #pass: RedisGrantOptions["pass"];
  // The token that the server has noted with the lock.
  #noted: bigint;
  #isStocked = false;
  #lost: ((reason: string, cause?: unknown) => void) | null = null;
  #goneFor: string | null = null;
  #over = false;
  // Whether the server has passed it on to a waiter: surely, or perhaps.
  #left: boolean | "perhaps" = false;

  /** @param options What it is made of. */
  constructor(options: RedisGrantOptions) {
    const { terms, servers, granted } = options;
    this.#tokens = new TokenStock(options.fencingToken);
    this.#noted = options.fencingToken;
    this.key = options.key;
    this.owner = options.owner;
    this.terms = terms;
    this.#majority = majorityOf(servers.length);
    this.#leave = options.leave;
    this.#pass = options.pass;
    for (const [server, stamp] of granted) {
      this.#stamps.set(server, readStamp(stamp));
    }
    // A server's clock may be faster than ours: the key must not end first.
    const trustedMs = terms.ttlMs - driftMs(terms.ttlMs);
    this.clock = new LeaseClock(runtime.clock, trustedMs, this.#since());
  }

  /** Of the task that has the lock now. */
  get fencingToken(): bigint {
    return this.#tokens.last;
  }

  /** The last token that was used, where others may have been set aside. */
  get usedToken(): bigint | null {
    return this.#isStocked ? this.#tokens.last : null;
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
    const isOld = this.clock.remainingMs() < this.terms.ttlMs / 2;
    for (const server of this.#stamps.keys()) {
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
    return this.#stamps.has(server);
  }

  /**
   * Adds a server that granted the lock when it had been granted already.
   *
   * @param server The server.
   * @param stamp The stamp of its grant.
   */
  join(server: RedisServer, stamp: string): void {
    this.onRenewed(server, readStamp(stamp));
    if (this.#lost && !this.#over) server.keep(this);
  }

  onRenewed(server: RedisServer, sentAt: Moment): void {
    if (this.#over) return;
    const last = this.#stamps.get(server);
    if (last && last.monotonic >= sentAt.monotonic) return;
    this.#stamps.set(server, sentAt);
    this.clock.renew(this.#since());
  }

  onGone(server: RedisServer, reason: string): void {
    if (this.#over) return;
    server.forget(this);
    this.#stamps.delete(server);
    if (this.#stamps.size < this.#majority) {
      // What its holder is told is lost must not live on elsewhere.
      return this.#lose(reason);
    }
    this.clock.shorten(this.#since());
  }

  pass(): MaybePromise<RedisGrant | null> {
    if (this.#pass === undefined || this.remainingMs() <= 0) return null;
    return this.#tokens.next() === null ? this.#passAnew(this.#pass) : this;
  }

  async release(): Promise<void> {
    this.#stopRenewals();
    if (this.#left === true) return;
    const held = await this.#leave(this);
    if (!held && !this.#left) this.#lost?.(GONE);
  }

  async #passAnew(
    pass: (passing: Passing) => Promise<Answer>,
  ): Promise<RedisGrant | null> {
    const used = this.#tokens.last;
    const last = used + BigInt(STOCKED);
    this.#isStocked = true;
    try {
      const answer = await pass({ noted: this.#noted, used, last });
      if (answer.values[0] !== "kept") return this.#onLeft(answer);
      this.#noted = used + 1n;
      this.#tokens.fill(last, runtime.clock.monotonic() + PASSING_MS);
      this.#tokens.next();
      const [server] = this.#stamps.keys();
      if (server) this.onRenewed(server, readStamp(answer.stamp));
      return this.remainingMs() > 0 ? this : null;
    } catch {
      // It is given back instead, and that tells what is wrong.
      this.#left = "perhaps";
      return null;
    }
  }

  #onLeft({ values: [outcome], repeated }: Answer): null {
    this.#stopRenewals();
    this.#left = true;
    // An earlier try may have passed it on.
    if (outcome !== "left" && !repeated) this.#lost?.(GONE);
    return null;
  }

  #lose(reason: string): void {
    this.#stopRenewals();
    this.#goneFor = reason;
    this.#lost?.(reason);
  }

  #stopRenewals(): void {
    this.#over = true;
    for (const server of this.#stamps.keys()) server.forget(this);
  }

  // The moment since which a majority has kept the lock without a break.
  #since(): Moment {
    const moments = [...this.#stamps.values()];
    if (moments.length > 1) moments.sort((a, b) => b.monotonic - a.monotonic);
    return moments[this.#majority - 1]!;
  }
}

const GONE = "it was gone when it was released";

/**
 * How many servers are a majority: any two of them share one server.
 *
 * @param count The number of servers.
 * @returns More than half of it.
 */
export function majorityOf(count: number): number {
  return Math.floor(count / 2) + 1;
}
