import { runtime } from "../../runtime/mod.ts";
import type { Moment } from "../core/lease_clock.ts";

let last = 0;

/**
 * Stamps a call with the moment before it is sent. The server gives the stamp
 * back with the answer, or with the message of a grant, without understanding
 * it; validity is counted from what it says.
 *
 * @param sentAt The moment.
 * @returns Text without spaces, never the same twice in a process.
 */
export function makeStamp({ monotonic, wall }: Moment): string {
  // In whole microseconds, and no later than it is: that is written faster.
  return `${Math.floor(monotonic * 1000)}/${wall}/${++last}`;
}

/**
 * Whether a stamp tells a moment that has been. Others may write anything.
 *
 * @param stamp What should be a stamp of this process.
 * @returns Whether it does.
 */
export function isPast(stamp: string): boolean {
  return readStamp(stamp).monotonic <= runtime.clock.monotonic();
}

/**
 * The moment that a stamp tells.
 *
 * @param stamp A stamp of this process.
 * @returns The moment.
 */
export function readStamp(stamp: string): Moment {
  const [monotonic, wall] = stamp.split("/");
  return { monotonic: Number(monotonic) / 1000, wall: Number(wall) };
}
