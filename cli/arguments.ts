import { EXIT_CODES } from "./exit_codes.ts";
import { Failure } from "./failure.ts";

/** A command line, taken apart at its first `--`. */
export interface SplitArguments {
  /** What is for `locking` itself. */
  readonly own: readonly string[];
  /** The command to run; null where there is no `--`. */
  readonly command: readonly string[] | null;
}

/**
 * Takes a command line apart. What comes after the first `--` is the command's,
 * down to the last letter, and no parser sees it.
 *
 * @param args The arguments.
 * @returns Both parts.
 * @throws {Failure} If an argument is not text, as the runtimes read it.
 */
export function splitArguments(args: readonly string[]): SplitArguments {
  const spoilt = args.find((arg) => arg.includes("\uFFFD"));
  if (spoilt !== undefined) {
    throw new Failure(
      EXIT_CODES.usage,
      `an argument is not UTF-8, and would be changed: "${spoilt}"`,
    );
  }
  const end = args.indexOf("--");
  const own = (end < 0 ? args : args.slice(0, end)).map(
    // Its value is optional. So the next argument is never it: that would be
    // the lock's name.
    (arg) => arg === "--file" ? "--file=" : arg,
  );
  return { own, command: end < 0 ? null : args.slice(end + 1) };
}
