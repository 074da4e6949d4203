import { show } from "./options.ts";

/** For how long a lease is granted, and how often it is renewed. */
export interface LeaseTerms {
  /** The time to live, in milliseconds. */
  readonly ttlMs: number;
  /** How often the holder renews the lease, in milliseconds. */
  readonly heartbeatIntervalMs: number;
}

/** Options of a lock that is kept as a lease. */
export interface LeaseOptions {
  /**
   * How long the lock stays taken when its holder falls silent, in
   * milliseconds: an integer from 100.
   *
   * @default {5000}
   */
  ttlMs?: number;
  /**
   * How often the holder renews the lease, in milliseconds: below half of
   * `ttlMs`. Each time comes up to a tenth earlier, by chance.
   *
   * @default {2000, or two fifths of `ttlMs` where that is less}
   */
  heartbeatIntervalMs?: number;
}

/** The time to live of a lease where none is given, in milliseconds. */
export const DEFAULT_TTL_MS = 5000;

/** The shortest time to live that a lease may have, in milliseconds. */
export const SHORTEST_TTL_MS = 100;

/**
 * Checks the terms of a lease.
 *
 * @param what What the options are of, for the message.
 * @param options What the caller gave.
 * @returns The terms, with the defaults in.
 * @throws {RangeError} If the time to live or the interval is out of range.
 */
export function checkLeaseTerms(
  what: string,
  options: LeaseOptions,
): LeaseTerms {
  const { ttlMs = DEFAULT_TTL_MS } = options;
  if (!Number.isSafeInteger(ttlMs) || ttlMs < SHORTEST_TTL_MS) {
    throw new RangeError(
      `${what} ttlMs must be an integer from ${SHORTEST_TTL_MS}, in milliseconds, got ${
        show(ttlMs)
      }`,
    );
  }
  const { heartbeatIntervalMs = Math.min(2000, 0.4 * ttlMs) } = options;
  if (
    typeof heartbeatIntervalMs !== "number" ||
    !(heartbeatIntervalMs >= 1 && heartbeatIntervalMs < ttlMs / 2)
  ) {
    throw new RangeError(
      `${what} heartbeatIntervalMs must be from 1 to below half of ttlMs (${ttlMs}), in milliseconds, got ${
        show(heartbeatIntervalMs)
      }`,
    );
  }
  return { ttlMs, heartbeatIntervalMs };
}
