import { runtime } from "../../runtime/mod.ts";

/**
 * The time by the service's clock, as its responses tell it.
 *
 * No lease is judged by it. It is what is written for others: the expiry that
 * the original's clients and the table's own TTL compare with true time, and
 * the number from which fencing tokens are counted when the table has forgotten
 * them. Both would be wrong by as much as this host's clock is, which may be
 * anything.
 */
export class TableClock {
  // What to add to this host's wall clock; null as long as nothing is known.
  #correctionMs: number | null = null;

  /** Whether the service's time is known. */
  get known(): boolean {
    return this.#correctionMs !== null;
  }

  /**
   * The time now, in whole milliseconds since the epoch.
   *
   * @returns The service's time, or this host's where that is not known.
   */
  now(): number {
    return Math.floor(runtime.clock.wall() + (this.#correctionMs ?? 0));
  }

  /**
   * Learns from a response. Its `Date` has no parts of a second: this host's
   * clock is corrected by no more than it contradicts it.
   *
   * @param date The response's `Date`; where there is none, this host's clock
   * has to do.
   * @param sentAt When the request was sent, on the wall clock.
   */
  hear(date: string | undefined, sentAt: number): void {
    const correctionMs = this.#correctionMs ?? 0;
    this.#correctionMs = correctionMs;
    const earliest = Date.parse(date ?? "");
    if (Number.isNaN(earliest)) return;
    const behindMs = earliest - (runtime.clock.wall() + correctionMs);
    const aheadMs = sentAt + correctionMs - (earliest + 999);
    if (behindMs > 0) this.#correctionMs += behindMs;
    else if (aheadMs > 0) this.#correctionMs -= aheadMs;
  }
}
