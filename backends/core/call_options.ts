/** How what keeps a lease is asked for something. */
export interface CallOptions {
  /** For how long to go on, in milliseconds. */
  readonly limitMs: number;
  /** After how many silent milliseconds to ask again, at first. */
  readonly paceMs: number;
  /** Whether to go on when nobody can be reached at all. */
  readonly persistent: boolean;
  /** Whether the process stays alive for the answer. */
  readonly keepAlive: boolean;
  /**
   * After so many milliseconds no request is left under way between two tries,
   * which would keep the process alive whoever awaits it; never, if absent.
   */
  readonly restsAfterMs?: number;
}

// The shortest and the longest silence after which to ask again.
const SHORTEST_PACE_MS = 50;
const LONGEST_PACE_MS = 500;

/**
 * How to ask for something that somebody waits for, and that fails at once
 * where nobody can be reached.
 *
 * @param ttlMs The time to live of the lock in question, in milliseconds.
 * @param longestMs The longest to go on, in milliseconds.
 * @returns The options.
 */
export function callOptionsFor(ttlMs: number, longestMs: number): CallOptions {
  const paceMs = Math.min(
    LONGEST_PACE_MS,
    Math.max(SHORTEST_PACE_MS, ttlMs / 10),
  );
  const limitMs = Math.min(longestMs, Math.max(10 * paceMs, ttlMs));
  return { limitMs, paceMs, persistent: false, keepAlive: true };
}

/**
 * How to give a lock back. As long as the lease is not over, whoever comes back
 * can still be told.
 *
 * @param options How others are asked.
 * @param leftMs How long the lease still lasts, in milliseconds.
 * @returns The options.
 */
export function releaseOptions(
  options: CallOptions,
  leftMs: number,
): CallOptions {
  if (leftMs <= 0) return options;
  const limitMs = Math.max(options.limitMs, leftMs);
  return { ...options, limitMs, persistent: true };
}
