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
 */
export function splitArguments(args: readonly string[]): SplitArguments {
  const end = args.indexOf("--");
  const own = (end < 0 ? args : args.slice(0, end)).map(
    // Its value is optional. So the next argument is never it: that would be
    // the lock's name.
    (arg) => arg === "--file" ? "--file=" : arg,
  );
  return { own, command: end < 0 ? null : args.slice(end + 1) };
}
