import { printable } from "./untrusted.ts";

/** Options of {@linkcode Lock.acquire}. */
export interface AcquireOptions {
  /**
   * How long to wait, in milliseconds, from 0 (one attempt) to Infinity.
   *
   * @default {Infinity}
   */
  timeoutMs?: number;
  /** Ends the wait: acquire then rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** Options of {@linkcode Lock.tryAcquire}. */
export interface TryAcquireOptions {
  /** Ends the attempt: tryAcquire then rejects with the signal's reason. */
  signal?: AbortSignal;
}

/**
 * Checks the options of an acquire.
 *
 * @param options What the caller gave.
 * @throws {TypeError} If a value is of the wrong type.
 * @throws {RangeError} If the timeout is negative or not a number.
 */
export function checkAcquireOptions(options: AcquireOptions): void {
  const { timeoutMs, signal } = options;
  if (timeoutMs !== undefined) checkTimeout(timeoutMs);
  if (signal !== undefined && !isAbortSignal(signal)) {
    throw new TypeError(
      `Cannot acquire: signal must be an AbortSignal, got ${show(signal)}`,
    );
  }
}

function checkTimeout(timeoutMs: unknown): void {
  if (typeof timeoutMs !== "number" || !(timeoutMs >= 0)) {
    throw new RangeError(
      `Cannot acquire: timeoutMs must be from 0 to Infinity, in milliseconds, got ${
        show(timeoutMs)
      }`,
    );
  }
}

// By shape, not by class: a signal may come from another realm.
function isAbortSignal(value: unknown): value is AbortSignal {
  if (typeof value !== "object" || value === null) return false;
  const { aborted, addEventListener, removeEventListener } =
    value as AbortSignal;
  return typeof aborted === "boolean" &&
    typeof addEventListener === "function" &&
    typeof removeEventListener === "function";
}

/**
 * Checks that options are an object with known keys only, so that a misspelt
 * or outdated one is told at once.
 *
 * @param what What the options are of, for the message.
 * @param options What the caller gave.
 * @param known The names of the options.
 * @throws {TypeError} If it is no object or has another key.
 */
export function checkOptions(
  what: string,
  options: unknown,
  known: readonly string[],
): void {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(
      `${what} options must be an object, got ${show(options)}`,
    );
  }
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue;
    const list = known.length === 0 ? "none" : known.join(", ");
    throw new TypeError(`Unknown ${what} option ${show(key)}: it has ${list}`);
  }
}

/**
 * Shows a value in a message, shortly.
 *
 * @param value Any value.
 * @returns The value as a reader would write it.
 */
export function show(value: unknown): string {
  if (typeof value === "string") {
    return printable(JSON.stringify(value.slice(0, 80)));
  }
  const isObject = typeof value === "object" && value !== null;
  try {
    const text = isObject
      ? Object.prototype.toString.call(value)
      : String(value);
    return text.slice(0, 80);
  } catch {
    // A proxy, or a function or a tag that throws: the refusal is what counts.
    return isObject ? "an object" : `a ${typeof value}`;
  }
}
