/**
 * What `locking` itself ends with, as far as sysexits(3) and the shell have a
 * number for it.
 */
export const EXIT_CODES = {
  /** All went well; for `status`, the lock is held. */
  ok: 0,
  /** For `status`: the lock is free. */
  free: 1,
  /** The arguments make no sense: `EX_USAGE`. */
  usage: 64,
  /** What keeps the lock cannot be used: `EX_UNAVAILABLE`. */
  backend: 69,
  /** A fault of the program: `EX_SOFTWARE`. */
  internal: 70,
  /** Another holds the lock: `EX_TEMPFAIL`. */
  conflict: 75,
  /** The lock was lost: `EX_PROTOCOL`. */
  lost: 76,
  /** The command is no program. */
  notExecutable: 126,
  /** There is no such command. */
  notFound: 127,
  /** To which the number of a signal is added. */
  signal: 128,
} as const;
