import { commandLine } from "../runtime/command_line/mod.ts";

/**
 * Says something to whoever watches; standard output is the command's.
 *
 * @param text What to say.
 */
export function say(text: string): void {
  commandLine.report(`locking: ${text}\n`);
}
