/**
 * Mutual exclusion between processes, on one host or many, on Deno, Bun and
 * Node: one interface over a unix socket, a file, Redis or DynamoDB.
 *
 * @example Take a lock, or another job
 * ```ts
 * import { SocketLock } from "@x/locking";
 *
 * const lease = await new SocketLock("mod-example").tryAcquire();
 * if (lease) {
 *   // The job is ours.
 *   await lease.release();
 * }
 * ```
 *
 * @module
 */
export { type Claim, claim, type ClaimOptions } from "./backends/core/claim.ts";
export {
  LockBackendError,
  LockError,
  type LockErrorOptions,
  LockLostError,
  LockTimeoutError,
  LockUnsupportedError,
} from "./backends/core/errors.ts";
export type { Holder } from "./backends/core/holder.ts";
export type { Lease } from "./backends/core/lease.ts";
export { Lock } from "./backends/core/lock.ts";
export type {
  AcquireOptions,
  TryAcquireOptions,
} from "./backends/core/options.ts";
export type {
  AcquireEvent,
  LossEvent,
  ReleaseEvent,
  RenewEvent,
} from "./backends/core/tracing.ts";
export { DynamoLock, type DynamoLockOptions } from "./backends/dynamo.ts";
export { FileLock, type FileLockOptions } from "./backends/file.ts";
export { RedisLock, type RedisLockOptions } from "./backends/redis.ts";
export { SocketLock, type SocketLockOptions } from "./backends/socket.ts";
