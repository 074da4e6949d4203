/**
 * One grant of a lock, from acquire to release.
 *
 * @example Hold a lock as long as a block
 * ```ts
 * import { SocketLock } from "@x/locking";
 *
 * {
 *   await using lease = await new SocketLock("lease-example").acquire();
 *   lease.assertHeld();
 * } // released here
 * ```
 */
export interface Lease extends AsyncDisposable {
  /** The lock's name. */
  readonly lockName: string;
  /**
   * Aborts with a LockLostError the moment the lock can no longer be trusted.
   * A release does not abort it.
   */
  readonly signal: AbortSignal;
  /**
   * Strictly increases with every grant of the name; hand it to the guarded
   * store, which rejects smaller ones (Kleppmann, "How to do distributed
   * locking", 2016). Null on one-host locks, where the kernel excludes.
   */
  readonly fencingToken: bigint | null;
  /**
   * Checks, synchronously, that the lock is still held: on the clocks and the
   * kernel's own state, not on a cached flag.
   *
   * @throws {LockLostError} If it is lost or has been released.
   */
  assertHeld(): void;
  /**
   * Gives the lock back. Idempotent; never touches a successor's lock.
   *
   * @returns A promise that settles when others can take the lock.
   * @throws {LockBackendError} If what keeps the lock cannot be told; it then
   * frees itself after its time to live.
   */
  release(): Promise<void>;
}
