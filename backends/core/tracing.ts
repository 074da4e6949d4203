/**
 * The channels on which a program can follow its locks, by
 * `node:diagnostics_channel`. Where nobody follows them, a lock costs what it
 * costs without.
 *
 * @module
 */
import { runtime } from "../../runtime/mod.ts";
import type { Channel } from "../../runtime/types.ts";
import type { LockLostError } from "./errors.ts";
import type { Lease } from "./lease.ts";

/** What the channel `locking:acquire` tells. */
export interface AcquireEvent {
  /** The lock's name. */
  readonly lockName: string;
  /** How it is kept: `"socket"`, `"file"`, `"redis"`, `"dynamo"`. */
  readonly lockKind: string;
  /** How long the caller waits, in milliseconds; 0 for `tryAcquire()`. */
  readonly timeoutMs: number;
  /** Whether another held the lock, or came first; known at the end. */
  contended: boolean;
  /** The lease; null when `tryAcquire()` did not get the lock. */
  result?: Lease | null;
  /** Why the lock was not taken. */
  error?: unknown;
}

/** What the channel `locking:release` tells. */
export interface ReleaseEvent {
  /** The lock's name. */
  readonly lockName: string;
  /** How it is kept. */
  readonly lockKind: string;
  /** The lease. */
  readonly lease: Lease;
  /** Why others may not be able to take the lock yet. */
  error?: unknown;
}

/** What the channel `locking:renew` tells: some leases are renewed together. */
export interface RenewEvent {
  /** How the locks are kept. */
  readonly lockKind: string;
  /** The locks' names. */
  readonly lockNames: readonly string[];
  /** Who renews them, such as `"redis://web-3:6379"`. */
  readonly place: string;
  /** How many of them were renewed. */
  result?: number;
  /** Why none of them was; it is tried again as long as they last. */
  error?: unknown;
}

/**
 * What the channel `locking:lost` tells: as its operation, those are told who
 * asked for `lease.signal`.
 */
export interface LossEvent {
  /** The lock's name. */
  readonly lockName: string;
  /** How it is kept. */
  readonly lockKind: string;
  /** The lease. */
  readonly lease: Lease;
  /** Why it is lost. */
  readonly reason: LockLostError;
}

/** Of taking locks. */
export const acquires: Channel<AcquireEvent> = runtime.openChannel(
  "locking:acquire",
);

/** Of giving them back. */
export const releases: Channel<ReleaseEvent> = runtime.openChannel(
  "locking:release",
);

/** Of the heartbeats by which leases are renewed. */
export const renewals: Channel<RenewEvent> = runtime.openChannel(
  "locking:renew",
);

/** Of leases that are lost. */
export const losses: Channel<LossEvent> = runtime.openChannel("locking:lost");

/**
 * Renews leases, and tells of it.
 *
 * @param renew Renews them, and gives how many it renewed.
 * @param describe Makes what is told, if anybody listens.
 * @returns How many were renewed.
 */
export function traceRenewal(
  renew: () => Promise<number>,
  describe: () => RenewEvent,
): Promise<number> {
  return renewals.hasSubscribers ? renewals.trace(renew, describe()) : renew();
}

/**
 * How a lock is kept.
 *
 * @param key The backend's key, such as `"redis:1:report"`.
 * @returns What it begins with, such as `"redis"`.
 */
export function kindOf(key: string): string {
  return key.split(":", 1)[0]!;
}
