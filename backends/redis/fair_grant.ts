import { runtime } from "../../runtime/mod.ts";
import type { MaybePromise } from "../../runtime/types.ts";
import type { Grant } from "../core/backend.ts";
import { driftMs, LeaseClock, type Moment } from "../core/lease_clock.ts";
import { STOCKED, TokenStock } from "../core/token_stock.ts";
import { type Answer, wasHeld } from "./exchange.ts";
import type { RedisServer, Renewable } from "./server.ts";
import type { SharedLock } from "./shared_lock.ts";

// After so long, in milliseconds, the server is asked anew whether somebody
// waits there before the lock is passed on within this process.
const PASSING_MS = 5;

const GONE = "it was gone when it was released";

/** How a lock is passed on, as its server keeps count of that. */
export interface Passing {
  /** The fencing token that the server has noted with the lock. */
  readonly noted: bigint;
  /** The last one that was used. */
  readonly used: bigint;
  /** The last of those to be set aside. */
  readonly last: bigint;
}

/** What a {@linkcode FairGrant} was granted to, and goes back by. */
export interface Holding {
  /** The server. */
  readonly server: RedisServer;
  /** The lock. */
  readonly lock: SharedLock;
  /** Who holds it. */
  readonly owner: string;
  /**
   * Passes the lock on, to a waiter of the server or to the next task of this
   * process.
   *
   * @param passing The tokens in question.
   * @returns The server's answer.
   */
  pass(passing: Passing): Promise<Answer>;
  /**
   * Gives the lock back.
   *
   * @param leftMs How long the lease still lasts, in milliseconds.
   * @param used The last token that was used, where others were set aside.
   * @returns The server's answer.
   */
  release(leftMs: number, used: bigint | null): Promise<Answer>;
  /**
   * Makes the error of a failed release.
   *
   * @param error What went wrong.
   * @returns The error.
   */
  toReleaseError(error: unknown): Error;
}

/** A lock that one server granted, and that is passed on in its order. */
export class FairGrant implements Grant, Renewable {
  readonly clock: LeaseClock;
  readonly #holding: Holding;
  readonly #tokens: TokenStock;
  // The token that the server has noted with the lock.
  #noted: bigint;
  #isStocked = false;
  #isPassing = false;
  #lost: ((reason: string) => void) | null = null;
  #goneFor: string | null = null;
  #over = false;
  // Whether the server has passed it on to a waiter: surely, or perhaps.
  #left: boolean | "perhaps" = false;

  /**
   * @param holding What it was granted to.
   * @param fencingToken The fencing token.
   * @param sentAt When the request was sent by which it was granted.
   */
  constructor(holding: Holding, fencingToken: bigint, sentAt: Moment) {
    this.#holding = holding;
    this.#tokens = new TokenStock(fencingToken);
    this.#noted = fencingToken;
    // The server's clock may be faster than ours: the key must not end first.
    const { ttlMs } = holding.lock.terms;
    const trustedMs = ttlMs - driftMs(ttlMs);
    this.clock = new LeaseClock(runtime.clock, trustedMs, sentAt);
  }

  /** The lock. */
  get lock(): SharedLock {
    return this.#holding.lock;
  }

  /** Who holds it. */
  get owner(): string {
    return this.#holding.owner;
  }

  /** Of the task that has the lock now. */
  get fencingToken(): bigint {
    return this.#tokens.last;
  }

  /** Whether it has been given back, or lost by the server. */
  get over(): boolean {
    return this.#over;
  }

  remainingMs(): number {
    return this.#over ? 0 : this.clock.remainingMs();
  }

  watch(lost: (reason: string) => void): void {
    this.#lost = lost;
    // Between two tasks, nobody was there to be told.
    if (this.#goneFor !== null) return lost(this.#goneFor);
    const { server, lock } = this.#holding;
    server.keep(this);
    // Granted by a message long after the waiter's last refresh.
    if (this.clock.remainingMs() < lock.terms.ttlMs / 2) server.renewNow(this);
  }

  onRenewed(_server: RedisServer, sentAt: Moment): void {
    if (!this.#over) this.clock.renew(sentAt);
  }

  onGone(_server: RedisServer, reason: string): void {
    // Who passes it on is told by that whether it was still ours.
    if (this.#over || this.#isPassing) return;
    // What its holder is told is lost must not live on elsewhere.
    this.#end();
    this.#goneFor = reason;
    this.#lost?.(reason);
  }

  pass(): MaybePromise<FairGrant | null> {
    if (this.remainingMs() <= 0) return null;
    return this.#tokens.next() === null ? this.#passAnew() : this;
  }

  async release(): Promise<void> {
    this.#end();
    if (this.#left === true) return;
    const used = this.#isStocked ? this.#tokens.last : null;
    const leftMs = this.clock.remainingMs();
    try {
      const held = wasHeld(await this.#holding.release(leftMs, used));
      if (!held && !this.#left) this.#lost?.(GONE);
    } catch (error) {
      throw this.#holding.toReleaseError(error);
    }
  }

  async #passAnew(): Promise<FairGrant | null> {
    const used = this.#tokens.last;
    const last = used + BigInt(STOCKED);
    this.#isStocked = this.#isPassing = true;
    try {
      const passing = { noted: this.#noted, used, last };
      const answer = await this.#holding.pass(passing);
      if (answer.values[0] !== "kept") return this.#onLeft(answer);
      this.#noted = used + 1n;
      this.#tokens.fill(last, runtime.clock.monotonic() + PASSING_MS);
      this.clock.renew(answer.sentAt);
      if (this.remainingMs() <= 0) return null;
      return this.#tokens.next() === null ? null : this;
    } catch {
      // It is given back instead, and that tells what is wrong.
      this.#left = "perhaps";
      return null;
    } finally {
      this.#isPassing = false;
    }
  }

  #onLeft({ values: [outcome], repeated }: Answer): null {
    this.#end();
    this.#left = true;
    // An earlier try may have passed it on.
    if (outcome !== "left" && !repeated) this.#lost?.(GONE);
    return null;
  }

  #end(): void {
    this.#over = true;
    this.#holding.server.forget(this);
  }
}
