import type { Clock } from "../../runtime/types.ts";

/**
 * How long a lease may be trusted, by the holder's own clocks alone.
 *
 * Validity counts from before the request was sent, so that the time a reply
 * takes is the holder's loss and never the successor's; and on the larger of
 * monotonic and wall elapsed, because the monotonic clock stands still while
 * the machine sleeps and the wall clock may be set back. (Gray and Cheriton,
 * "Leases", 1989.)
 */
export class LeaseClock {
  readonly #clock: Clock;
  readonly #ttlMs: number;
  #sentAt: Moment;
  /** Called when the end of the lease has come nearer. */
  onShorter: (() => void) | null = null;

  /**
   * @param clock The clocks to read.
   * @param ttlMs The lease's time to live, in milliseconds.
   * @param sentAt When the request that took the lease was sent.
   */
  constructor(clock: Clock, ttlMs: number, sentAt: Moment) {
    this.#clock = clock;
    this.#ttlMs = ttlMs;
    this.#sentAt = sentAt;
  }

  /**
   * The milliseconds for which the lease may still be trusted; 0 or less when
   * it may not.
   *
   * @returns The remaining milliseconds.
   */
  remainingMs(): number {
    const now = readMoment(this.#clock);
    const elapsed = Math.max(
      now.monotonic - this.#sentAt.monotonic,
      now.wall - this.#sentAt.wall,
    );
    return this.#ttlMs - elapsed;
  }

  /**
   * Extends the lease after a heartbeat was answered. An answer that comes out
   * of order never shortens it, and one to a lease already over never revives
   * it.
   *
   * @param sentAt When the heartbeat was sent.
   */
  renew(sentAt: Moment): void {
    if (this.remainingMs() <= 0) return;
    if (sentAt.monotonic > this.#sentAt.monotonic) this.#sentAt = sentAt;
  }

  /**
   * Shortens the lease, when a part of what keeps it has failed.
   *
   * @param sentAt When the request was sent from which it counts now.
   */
  shorten(sentAt: Moment): void {
    if (sentAt.monotonic >= this.#sentAt.monotonic) return;
    this.#sentAt = sentAt;
    this.onShorter?.();
  }
}

/** A moment on both clocks, in milliseconds. */
export interface Moment {
  /** On the monotonic clock. */
  readonly monotonic: number;
  /** On the wall clock. */
  readonly wall: number;
}

/**
 * Reads both clocks; call it before a request is sent.
 *
 * @param clock The clocks.
 * @returns The moment.
 */
export function readMoment(clock: Clock): Moment {
  return { monotonic: clock.monotonic(), wall: clock.wall() };
}

/**
 * What two hosts' clocks may differ by in their pace while a lease lasts, as in
 * Redlock: a hundredth of it, and the precision of an expiry.
 *
 * @param ttlMs The time to live, in milliseconds.
 * @returns By how much less a holder may trust it, in milliseconds.
 */
export function driftMs(ttlMs: number): number {
  return ttlMs / 100 + 2;
}
