import { reasonOf } from "../../runtime/fault.ts";
import { LockBackendError } from "./errors.ts";
import type { LeaseTerms } from "./lease_terms.ts";

/**
 * Makes a lock's error of what went wrong with what keeps it.
 *
 * @param action What was tried, such as `Cannot acquire`.
 * @param lockName The lock's name.
 * @param error What was thrown.
 * @returns The error.
 */
export function toLockError(
  action: string,
  lockName: string,
  error: unknown,
): LockBackendError {
  const message = `${action} "${lockName}": ${reasonOf(error)}`;
  return new LockBackendError(message, { lockName, cause: error });
}

/**
 * The error of a release of a lease that did not get through.
 *
 * @param lock The lock's name and terms.
 * @param error What was thrown.
 * @returns The error.
 */
export function toReleaseError(
  { name, terms }: { readonly name: string; readonly terms: LeaseTerms },
  error: unknown,
): LockBackendError {
  const message = `Cannot release "${name}": ${reasonOf(error)}; ` +
    `it frees itself within ${terms.ttlMs} ms`;
  return new LockBackendError(message, { lockName: name, cause: error });
}
