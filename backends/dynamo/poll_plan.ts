// The longest pause before the first poll, and before any, in milliseconds.
const FIRST_MS = 100;
const LONGEST_MS = 1000;

// Sooner than this after the last poll, a look is hardly worth its price.
const SHORTEST_MS = 10;

/**
 * When to look at a lock again that another holds. A release can come at any
 * time: for it, the pauses grow from poll to poll, with full jitter. (Brooker,
 * "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.) A death shows
 * at one moment only, when the lease has stood unchanged for its time to live:
 * for it, there is a poll just then.
 *
 * @param polls How many polls there have been for this holder.
 * @param deadInMs When the holder's lease is dead unless it is renewed; null
 * where none was seen.
 * @returns The milliseconds until the next poll.
 */
export function pollMs(polls: number, deadInMs: number | null): number {
  const longest = Math.min(LONGEST_MS, FIRST_MS * 2 ** polls);
  const ms = Math.max(SHORTEST_MS, Math.random() * longest);
  return deadInMs === null ? ms : Math.min(ms, Math.max(0, deadInMs));
}
