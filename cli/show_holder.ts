import type { Holder } from "../backends/core/holder.ts";
import { describeHolder } from "../backends/core/holder.ts";
import { printable } from "../backends/core/untrusted.ts";

/** A lock's state as JSON has it. */
export interface LockState {
  /** The lock's name. */
  readonly name: string;
  /** Whether it is held. */
  readonly held: boolean;
  /** The holder's host; null where it is unknown. */
  readonly host?: string | null;
  /** The holder's process id; null where it is unknown. */
  readonly pid?: number | null;
  /** When the lock was taken, in ISO 8601; null where it is unknown. */
  readonly acquiredAt?: string | null;
  /** When its lease ends, in ISO 8601; null where it has none. */
  readonly expiresAt?: string | null;
  /** The token in decimal digits, for it may be too large for a number. */
  readonly fencingToken?: string | null;
}

/**
 * A lock's state for programs.
 *
 * @param name The lock's name.
 * @param holder Who holds it, or null.
 * @returns The state.
 */
export function lockState(name: string, holder: Holder | null): LockState {
  if (holder === null) return { name, held: false };
  return {
    name,
    held: true,
    host: holder.host || null,
    pid: holder.pid || null,
    acquiredAt: holder.acquiredAt?.toISOString() ?? null,
    expiresAt: holder.expiresAt?.toISOString() ?? null,
    fencingToken: holder.fencingToken?.toString() ?? null,
  };
}

/**
 * A holder for people.
 *
 * @param holder The holder.
 * @returns Such as `web-3 (pid 812), since …, until …, token 5`.
 */
export function showHolder(holder: Holder): string {
  const { acquiredAt, expiresAt, fencingToken } = holder;
  return [
    describeHolder(holder),
    ...acquiredAt ? [`since ${acquiredAt.toISOString()}`] : [],
    ...expiresAt ? [`until ${expiresAt.toISOString()}`] : [],
    ...fencingToken === undefined ? [] : [`token ${fencingToken}`],
  ].join(", ");
}

/**
 * Text that others wrote, as it can be shown on a terminal.
 *
 * @param text Any text.
 * @returns It, or a JSON string if there are unprintable characters in it.
 */
export function plain(text: string): string {
  return /^[^\p{C}"]*$/u.test(text) ? text : toJson(text);
}

/**
 * Writes JSON that can be shown on a terminal, too: the language's own lets
 * some control characters through.
 *
 * @param value Any value.
 * @returns JSON.
 */
export function toJson(value: unknown): string {
  return printable(JSON.stringify(value));
}
