import { runtime } from "../../runtime/mod.ts";
import { RECENT_MS } from "./periods.ts";

// Which locks were lately seen in the hands, or on the way to the hands, of
// others, and until when that matters. In the order of time, so that the
// expired ones are at the front.
const until = new Map<string, number>();

/**
 * Notes that somebody else has a lock, or is to have it next.
 *
 * @param key The lock.
 */
export function noteOthers(key: string): void {
  const now = runtime.clock.monotonic();
  until.delete(key);
  until.set(key, now + RECENT_MS);
  for (const [oldest, end] of until) {
    if (end > now) break;
    until.delete(oldest);
  }
}

/**
 * Tells whether somebody else may be waiting for a lock, for all that this
 * process has seen of late.
 *
 * @param key The lock.
 * @returns Whether to take it with care.
 */
export function othersLately(key: string): boolean {
  const end = until.get(key);
  return end !== undefined && end > runtime.clock.monotonic();
}
