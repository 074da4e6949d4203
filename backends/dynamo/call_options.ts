import { type CallOptions, callOptionsFor } from "../core/call_options.ts";

// The longest that one attempt to take a lock may take.
const LONGEST_ATTEMPT_MS = 5000;

/**
 * How to make a request that somebody waits for.
 *
 * @param ttlMs The time to live of the lock in question, in milliseconds.
 * @returns The options.
 */
export function callOptions(ttlMs: number): CallOptions {
  return callOptionsFor(ttlMs, LONGEST_ATTEMPT_MS);
}
