/**
 * What a waiter and a holder say to each other: one JSON object a line. Both
 * sides take the other for a stranger: any local user may connect and send
 * anything.
 *
 * @module
 */

import { isDuration, isPid, parseObject } from "../core/untrusted.ts";

/** What a waiter says when it has connected. */
export interface Hello {
  /** What it wants: to be woken, or to be told who holds the lock. */
  want: "turn" | "holder";
  /** How long it has been waiting, in milliseconds. */
  waitedMs: number;
  /** Whether it was the first waiter of a holder that has gone. */
  claim: boolean;
  /** How many came before it at a holder that has gone; null if it is new. */
  aheadBefore: number | null;
}

/** What somebody says who only wants to know who holds the lock. */
export const ASK_HOLDER: Hello = {
  want: "holder",
  waitedMs: 0,
  claim: false,
  aheadBefore: null,
};

/** What a holder says to a waiter. */
export interface Reply {
  /** How many waiters come before this one: 0 makes it the next. */
  ahead: number;
  /** How many others wait. */
  others: number;
  /**
   * In how many milliseconds newcomers may no longer overtake. A release
   * before that may pass in silence; then the waiter has to look for itself.
   */
  settlesInMs: number;
  /** The holder's host. */
  host: string;
  /** The holder's process id. */
  pid: number;
  /** When the holder took the lock, in milliseconds since the epoch. */
  acquiredAt: number;
}

/** The longest line that is read, in characters. */
const LONGEST_LINE = 1024;

/**
 * Writes a message.
 *
 * @param message The message.
 * @returns The line.
 */
export function toLine(message: Hello | Reply): string {
  return JSON.stringify(message) + "\n";
}

/**
 * Reads a waiter's first line.
 *
 * @param line The line.
 * @returns What it says, or null if it makes no sense.
 */
export function parseHello(line: string): Hello | null {
  const { want, waitedMs, claim, aheadBefore = null } = parseObject(line);
  if (want !== "turn" && want !== "holder") return null;
  if (!isDuration(waitedMs) || typeof claim !== "boolean") return null;
  if (aheadBefore !== null && !isDuration(aheadBefore)) return null;
  return { want, waitedMs, claim, aheadBefore };
}

/**
 * Reads a holder's line.
 *
 * @param line The line.
 * @returns What it says, or null if it makes no sense.
 */
export function parseReply(line: string): Reply | null {
  const message = parseObject(line);
  const { ahead, others, settlesInMs, host, pid, acquiredAt } = message;
  if (!isDuration(ahead) || !isDuration(others)) return null;
  if (!isDuration(settlesInMs)) return null;
  if (typeof host !== "string" || !isPid(pid)) return null;
  if (!isDuration(acquiredAt)) return null;
  return { ahead, others, settlesInMs, host, pid, acquiredAt };
}

/** Puts the pieces of a stream together to lines. */
export class LineReader {
  readonly #decoder = new TextDecoder();
  #rest = "";

  /**
   * Takes the next piece.
   *
   * @param bytes The piece.
   * @returns The lines that it completes; null when one is too long.
   */
  push(bytes: Uint8Array): string[] | null {
    const lines = (this.#rest + this.#decoder.decode(bytes, { stream: true }))
      .split("\n");
    this.#rest = lines.pop()!;
    const longest = lines.reduce(
      (most, { length }) => Math.max(most, length),
      this.#rest.length,
    );
    return longest > LONGEST_LINE ? null : lines;
  }
}
