/** What kind of refusal a {@linkcode RuntimeFault} is. */
export type FaultKind =
  /** This runtime or platform has no such thing. */
  | "unsupported"
  /** The program's copies run on hosts that come and go: none is shared. */
  | "hostless"
  /** The permission is missing: the runtime's, or the system's. */
  | "denied"
  /** Anything else the system reported. */
  | "failed";

/**
 * A failure in the one form that whoever deals with it sees, made at the seam
 * where it arose.
 *
 * @typeParam K What kinds there are.
 */
export class Fault<K extends string> extends Error {
  /** What kind of failure this is. */
  readonly kind: K;

  /**
   * @param kind What kind of failure this is.
   * @param message What happened and what helps.
   * @param cause The original error.
   */
  constructor(kind: K, message: string, cause?: unknown) {
    super(message, { cause });
    this.kind = kind;
  }
}

/** A failure of the runtime or the operating system. */
export class RuntimeFault extends Fault<FaultKind> {
  override name = "RuntimeFault";
}

/**
 * What an error says. A name with several addresses fails with one error for
 * each.
 *
 * @param error Anything thrown.
 * @returns The message.
 */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) {
    return [...new Set(error.errors.map(reasonOf))].join(", ");
  }
  return error instanceof Error ? error.message : String(error);
}

/**
 * The system's code of an error, such as `"EADDRINUSE"`.
 *
 * @param error Anything thrown.
 * @returns The code, or an empty string.
 */
export function systemCode(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : "";
}

/**
 * Turns what a system call threw into a {@linkcode RuntimeFault}.
 *
 * @param action What was tried, for the message: `open "/tmp/x"`.
 * @param error What was thrown.
 * @returns The fault.
 */
export function toFault(action: string, error: unknown): RuntimeFault {
  if (error instanceof RuntimeFault) return error;
  const code = systemCode(error);
  const denied = code === "EACCES" || code === "EPERM" ||
    (error as Error | null)?.name === "NotCapable";
  return new RuntimeFault(
    denied ? "denied" : "failed",
    `Cannot ${action}: ${reasonOf(error)}`,
    error,
  );
}

/**
 * Tells whether a connect failed because nobody took it: refused, as nobody
 * listens; or the listener's queue is full, or it closed while we knocked.
 *
 * @param error What was thrown.
 * @returns Whether it is worth trying again.
 */
export function isUnanswered(error: unknown): boolean {
  const codes = ["ECONNREFUSED", "EAGAIN", "ECONNRESET", "EPIPE"];
  return codes.includes(systemCode(error));
}
