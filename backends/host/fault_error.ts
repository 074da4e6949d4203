import { reasonOf, RuntimeFault } from "../../runtime/fault.ts";
import {
  LockBackendError,
  LockError,
  LockUnsupportedError,
} from "../core/errors.ts";

/** What helps against a fault, by its kind. */
export interface FaultAdvice {
  /** What to use where this runtime or platform cannot. */
  unsupported: string;
  /** What to grant where a permission is missing. */
  denied: string;
}

/**
 * Makes a lock's error of what the runtime or the system refused.
 *
 * @param action What was done, such as `Cannot acquire "report"`.
 * @param lockName The lock's name.
 * @param error What was thrown.
 * @param advice What helps.
 * @returns The lock's error.
 */
export function toLockError(
  action: string,
  lockName: string,
  error: unknown,
  advice: FaultAdvice,
): LockError {
  if (error instanceof LockError) return error;
  const kind = error instanceof RuntimeFault ? error.kind : "failed";
  const reason = reasonOf(error);
  const options = { lockName, cause: error };
  if (kind === "unsupported") {
    const message = `${action}: ${reason}; ${advice.unsupported}`;
    return new LockUnsupportedError(message, options);
  }
  if (kind === "hostless") {
    const message = `${action}: ${reason}; use RedisLock or DynamoLock here`;
    return new LockUnsupportedError(message, options);
  }
  const help = kind === "denied" ? `; ${advice.denied}` : "";
  return new LockBackendError(`${action}: ${reason}${help}`, options);
}
