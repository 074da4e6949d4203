/** What every error of a lock carries besides its message. */
export interface LockErrorOptions {
  /** The name of the lock. */
  lockName: string;
  /**
   * The stable code by which to recognise the error.
   *
   * @default {"LOCK_ERROR"}
   */
  code?: string;
  /** The error that this one came from. */
  cause?: unknown;
}

/**
 * The base of all errors about something that the world did, as opposed to a
 * bad argument, which is a TypeError or a RangeError.
 *
 * Recognise errors by `code`: `instanceof` breaks when two copies of a package
 * are loaded.
 *
 * @example Tell errors apart
 * ```ts
 * import { LockError, SocketLock } from "@x/locking";
 *
 * const lock = new SocketLock("errors-example");
 * try {
 *   await lock.release();
 * } catch (error) {
 *   console.log((error as LockError).code); // LOCK_NOT_HELD
 * }
 * ```
 */
export class LockError extends Error {
  /** The class's name. */
  override name = "LockError";
  /** The stable code by which to recognise the error. */
  readonly code: string;
  /** The name of the lock. */
  readonly lockName: string;

  /**
   * Makes the error.
   *
   * @param message What was done, a colon, and what came of it.
   * @param options The lock's name, the code and the cause.
   */
  constructor(message: string, options: LockErrorOptions) {
    super(
      message,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.code = options.code ?? "LOCK_ERROR";
    this.lockName = options.lockName;
  }
}

/** The time allowed for acquiring ran out; code `"LOCK_TIMEOUT"`. */
export class LockTimeoutError extends LockError {
  /** The class's name. */
  override name = "LockTimeoutError";

  /**
   * Makes the error.
   *
   * @param message What was done, a colon, and what came of it.
   * @param options The lock's name and the cause.
   */
  constructor(message: string, options: LockErrorOptions) {
    super(message, { ...options, code: "LOCK_TIMEOUT" });
  }
}

/** The lease can no longer be trusted; code `"LOCK_LOST"`. */
export class LockLostError extends LockError {
  /** The class's name. */
  override name = "LockLostError";

  /**
   * Makes the error.
   *
   * @param message What was done, a colon, and what came of it.
   * @param options The lock's name and the cause.
   */
  constructor(message: string, options: LockErrorOptions) {
    super(message, { ...options, code: "LOCK_LOST" });
  }
}

/**
 * What keeps the lock cannot be used: unreachable, unauthorised, missing; code
 * `"LOCK_BACKEND"`. The message says what to do.
 */
export class LockBackendError extends LockError {
  /** The class's name. */
  override name = "LockBackendError";

  /**
   * Makes the error.
   *
   * @param message What was done, a colon, and what came of it.
   * @param options The lock's name and the cause.
   */
  constructor(message: string, options: LockErrorOptions) {
    super(message, { ...options, code: "LOCK_BACKEND" });
  }
}

/**
 * This runtime or platform cannot keep such a lock; code `"LOCK_UNSUPPORTED"`.
 * The message says which lock can.
 */
export class LockUnsupportedError extends LockError {
  /** The class's name. */
  override name = "LockUnsupportedError";

  /**
   * Makes the error.
   *
   * @param message What was done, a colon, and what came of it.
   * @param options The lock's name and the cause.
   */
  constructor(message: string, options: LockErrorOptions) {
    super(message, { ...options, code: "LOCK_UNSUPPORTED" });
  }
}
