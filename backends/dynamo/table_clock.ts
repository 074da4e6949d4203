import { runtime } from "../../runtime/mod.ts";
import { type Moment, readMoment } from "../core/lease_clock.ts";

// By how much this host's clocks may move against each other before what was
// learnt is forgotten: the wall clock was set, or the machine slept.
const STEP_MS = 1000;

// How far a response's `Date` may be from this host's time before that is taken
// for wrong: it has no parts of a second, and servers keep it for a while.
const TOLERANCE_MS = 2000;
const HALF_A_SECOND_MS = 500;

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
  // What to add to the monotonic clock; null as long as nothing is known.
  #offsetMs: number | null = null;
  #heard: Moment = { monotonic: 0, wall: 0 };

  /** Whether the service's time is known. */
  get known(): boolean {
    if (this.#offsetMs === null) return false;
    const { monotonic, wall } = readMoment(runtime.clock);
    const passed = monotonic - this.#heard.monotonic;
    return Math.abs(wall - this.#heard.wall - passed) < STEP_MS;
  }

  /**
   * The time now, in whole milliseconds since the epoch.
   *
   * @returns The service's time, or this host's where that is not known.
   */
  now(): number {
    const { monotonic, wall } = readMoment(runtime.clock);
    const offsetMs = this.#offsetMs ?? wall - monotonic;
    return Math.floor(monotonic + offsetMs);
  }

  /**
   * Learns from a response.
   *
   * @param date The response's `Date`; where there is none, or it agrees with
   * what is known, nothing is corrected.
   * @param sentAt When the request was sent.
   */
  hear(date: string | undefined, sentAt: Moment): void {
    const heard = readMoment(runtime.clock);
    const ours = heard.wall - heard.monotonic;
    this.#offsetMs = this.known ? this.#offsetMs! : ours;
    this.#heard = heard;
    const told = Date.parse(date ?? "") + HALF_A_SECOND_MS;
    const between = (sentAt.monotonic + heard.monotonic) / 2;
    const errorMs = told - (between + this.#offsetMs);
    if (Math.abs(errorMs) > TOLERANCE_MS) this.#offsetMs += errorMs;
  }
}
