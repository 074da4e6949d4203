/** What kind of refusal a {@linkcode RuntimeFault} is. */
export type FaultKind =
  /** This runtime or platform has no such thing. */
  | "unsupported"
  /** The permission is missing: the runtime's, or the system's. */
  | "denied"
  /** Anything else the system reported. */
  | "failed";

/**
 * An error of the runtime or the operating system in the one form that the
 * backends see, made at the seam where it arose.
 */
export class RuntimeFault extends Error {
  override name = "RuntimeFault";
  /** What kind of refusal this is. */
  readonly kind: FaultKind;

  /**
   * @param kind What kind of refusal this is.
   * @param message What happened and what helps.
   * @param cause The original error.
   */
  constructor(kind: FaultKind, message: string, cause?: unknown) {
    super(message, { cause });
    this.kind = kind;
  }
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
  const reason = error instanceof Error ? error.message : String(error);
  return new RuntimeFault(
    denied ? "denied" : "failed",
    `Cannot ${action}: ${reason}`,
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
