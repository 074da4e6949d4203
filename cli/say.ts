import { printable } from "../backends/core/untrusted.ts";
import { commandLine } from "../runtime/command_line/mod.ts";

/**
 * Says something to whoever watches; standard output is the command's.
 *
 * @param text What to say.
 */
export function say(text: string): void {
  report(`locking: ${text}\n`);
}

/**
 * Writes to standard error. What others wrote may be in it.
 *
 * @param text One line or more.
 */
export function report(text: string): void {
  commandLine.report(text.split("\n").map(printable).join("\n"));
}
