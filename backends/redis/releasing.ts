import type { CallOptions } from "../core/call_options.ts";
import type { Answer } from "./exchange.ts";
import type { RedisGrant } from "./redis_grant.ts";
import { callOptions } from "./server.ts";

/**
 * How to call a server to give a lock back. As long as the lease is not over, a
 * server that comes back can still be told.
 *
 * @param grant The grant.
 * @returns The options.
 */
export function releaseOptions(grant: RedisGrant): CallOptions {
  const options = callOptions(grant.terms.ttlMs);
  const leftMs = grant.clock.remainingMs();
  if (leftMs <= 0) return options;
  const limitMs = Math.max(options.limitMs, leftMs);
  return { ...options, limitMs, persistent: true };
}

/**
 * Whether a server still had the lock when it was given back, as far as its
 * answer tells: to a call that was repeated, the first try may have been it.
 *
 * @param answer The answer.
 * @returns Whether it had.
 */
export function wasHeld({ values, repeated }: Answer): boolean {
  return repeated || Number(values[0]) === 1;
}
