import { LockBackendError } from "../core/errors.ts";
import type { LeaseTerms } from "../core/lease_terms.ts";
import type { Place } from "./requests.ts";

/** One lock, as its table knows it. */
export interface LockItem extends Place {
  /** The lock's name. */
  readonly name: string;
  /** On what terms it is taken. */
  readonly terms: LeaseTerms;
  /** Whether the table is created when it is missing. */
  readonly createTable: boolean;
}

/**
 * Makes a lock's error of a table's fault.
 *
 * @param action What was tried, such as `Cannot acquire`.
 * @param name The lock's name.
 * @param error What was thrown.
 * @returns The error.
 */
export function toLockError(
  action: string,
  name: string,
  error: unknown,
): LockBackendError {
  const reason = error instanceof Error ? error.message : String(error);
  return new LockBackendError(`${action} "${name}": ${reason}`, {
    lockName: name,
    cause: error,
  });
}
