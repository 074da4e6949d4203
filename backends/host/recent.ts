import { runtime } from "../../runtime/mod.ts";
import { RECENT_MS } from "./periods.ts";

/** What this process last knew of a lock that others want too. */
type State =
  /** Somebody else had it. */
  | "others"
  /** This process left it to its first waiter. */
  | "handed over"
  /** This process has taken it since. */
  | "ours";

/** What this process knew of a lock, and when. */
interface Sighting {
  /** When, on the monotonic clock. */
  readonly at: number;
  /** What it knew. */
  readonly state: State;
  /** How many it left the lock to, if it did. */
  readonly waiters: number;
}

// In the order of time, so that what is over is at the front.
const sightings = new Map<string, Sighting>();

/**
 * Notes what became of a lock that others want too.
 *
 * @param key The lock.
 * @param state What became of it.
 * @param waiters How many this process left it to, if it did.
 */
export function note(key: string, state: State, waiters = 0): void {
  const now = runtime.clock.monotonic();
  sightings.delete(key);
  sightings.set(key, { at: now, state, waiters });
  for (const [oldest, sighting] of sightings) {
    if (!isOver(sighting, now)) break;
    sightings.delete(oldest);
  }
}

/**
 * What this process lately knew of a lock.
 *
 * @param key The lock.
 * @returns What it knew; null when nobody else was seen of late.
 */
export function lately(key: string): Sighting | null {
  if (sightings.size === 0) return null;
  const sighting = sightings.get(key);
  if (sighting === undefined) return null;
  return isOver(sighting, runtime.clock.monotonic()) ? null : sighting;
}

function isOver(sighting: Sighting, now: number): boolean {
  return now - sighting.at > RECENT_MS;
}
