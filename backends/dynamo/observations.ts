import { runtime } from "../../runtime/mod.ts";
import type { Attribute, Sighting } from "./item.ts";

// A lock whose observation is dropped is judged one time to live later.
const MOST = 100_000;

/** A lease, and for how long it has stood unchanged. */
export interface Observation extends Sighting {
  /** Since when it has stood there unchanged, on the monotonic clock. */
  readonly since: number;
  /** When it was last seen to. */
  seenAt: number;
}

/**
 * What this process has seen of other processes' leases. A lease is dead when
 * it stood unchanged for its time to live on our own monotonic clock: its
 * holder renews it more often than that, and by the same count has lost it.
 * Nobody's idea of the time of day matters. (The algorithm of awslabs'
 * amazon-dynamodb-lock-client, whose record version is our expiry.)
 *
 * Why that is safe: the holder counts its lease from before it sent its last
 * heartbeat. We count from after we received what that heartbeat wrote, which
 * is later; and the write that replaces the lease demands that it still stands
 * there as it was seen.
 */
export class Observations {
  readonly #seen = new Map<string, Observation>();

  /**
   * Notes what stands in the table.
   *
   * @param key The lock.
   * @param lease What was read; null when the lock is free.
   */
  note(key: string, lease: Sighting | null): void {
    const now = runtime.clock.monotonic();
    const before = this.#seen.get(key);
    if (lease && before && isSame(before, lease)) {
      before.seenAt = now;
      return;
    }
    this.#seen.delete(key);
    if (lease === null) return;
    this.#seen.set(key, { ...lease, since: now, seenAt: now });
    if (this.#seen.size > MOST) {
      this.#seen.delete(this.#seen.keys().next().value!);
    }
  }

  /**
   * In how many milliseconds the lease that was last seen is dead.
   *
   * @param key The lock.
   * @param ttlMs The time to live of a lease that does not tell its own.
   * @returns The milliseconds, 0 or less for a dead one; null when none was
   * seen.
   */
  deadInMs(key: string, ttlMs: number): number | null {
    const seen = this.#seen.get(key);
    if (seen === undefined) return null;
    const stoodMs = runtime.clock.monotonic() - seen.since;
    return (seen.ttlMs ?? ttlMs) - stoodMs;
  }

  /**
   * Whether a dead lease had missed a heartbeat when it was last looked at, so
   * that it need not be looked at again before it is replaced.
   *
   * @param key The lock.
   * @param ttlMs The time to live of a lease that does not tell its own.
   * @returns Whether it had.
   */
  isOverdue(key: string, ttlMs: number): boolean {
    const lease = this.dead(key, ttlMs);
    if (lease === null) return false;
    return lease.seenAt - lease.since >= (lease.ttlMs ?? ttlMs) / 2;
  }

  /**
   * The lease that is dead.
   *
   * @param key The lock.
   * @param ttlMs The time to live of a lease that does not tell its own.
   * @returns The lease; null while there is none, or it may be alive.
   */
  dead(key: string, ttlMs: number): Observation | null {
    const leftMs = this.deadInMs(key, ttlMs);
    return leftMs !== null && leftMs <= 0 ? this.#seen.get(key)! : null;
  }
}

function isSame(one: Sighting, other: Sighting): boolean {
  return isEqual(one.lockid, other.lockid) && isEqual(one.expiry, other.expiry);
}

// What is neither a number nor a text cannot be judged: it never stands still.
function isEqual(
  one: Attribute | undefined,
  other: Attribute | undefined,
): boolean {
  if (one === undefined || other === undefined) return one === other;
  return one.N !== undefined && one.N === other.N ||
    one.S !== undefined && one.S === other.S;
}
