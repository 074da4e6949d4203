import type { Attributes } from "@opentelemetry/api";

/** Gives the attribute `lock.name` of a lock's name. */
export type NameOf = (name: string) => string;

/** What tells of one lock. */
interface OfLock {
  readonly lockName: string;
  readonly lockKind: string;
}

/**
 * The attributes that say which lock it is.
 *
 * @param event What is told of it.
 * @param nameOf Gives its name's attribute.
 * @returns The attributes, which are the caller's.
 */
export function describeLock(event: OfLock, nameOf: NameOf): Attributes {
  return { "lock.name": nameOf(event.lockName), "lock.kind": event.lockKind };
}

/**
 * The attribute `error.type`, of which there are few: a code, such as
 * `"LOCK_TIMEOUT"`, or else a name, such as `"AbortError"`.
 *
 * @param error Whatever was thrown.
 * @returns The convention's `"_OTHER"` where it is no error.
 */
export function errorType(error: unknown): string {
  const { code, name } = (error ?? {}) as Record<string, unknown>;
  // A DOMException's code is a number, and says less than its name.
  if (typeof code === "string") return code;
  return error instanceof Error && typeof name === "string" ? name : "_OTHER";
}
