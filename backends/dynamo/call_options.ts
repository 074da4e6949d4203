/** How a request is made. */
export interface CallOptions {
  /** For how long to go on, in milliseconds. */
  readonly limitMs: number;
  /** After how many silent milliseconds to ask again, at first. */
  readonly paceMs: number;
  /** Whether to go on when the service cannot be reached at all. */
  readonly persistent: boolean;
  /** Whether the process stays alive for it. */
  readonly keepAlive: boolean;
}

// The shortest and the longest silence after which a request is made again.
const SHORTEST_PACE_MS = 50;
const LONGEST_PACE_MS = 500;

// The longest that one attempt to take a lock may take.
const LONGEST_ATTEMPT_MS = 5000;

/**
 * How to make a request that somebody waits for.
 *
 * @param ttlMs The time to live of the lock in question, in milliseconds.
 * @returns The options.
 */
export function callOptions(ttlMs: number): CallOptions {
  const paceMs = Math.min(
    LONGEST_PACE_MS,
    Math.max(SHORTEST_PACE_MS, ttlMs / 10),
  );
  const limitMs = Math.min(LONGEST_ATTEMPT_MS, Math.max(10 * paceMs, ttlMs));
  return { limitMs, paceMs, persistent: false, keepAlive: true };
}
