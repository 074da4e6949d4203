import { commandLine } from "../runtime/command_line/mod.ts";
import { EXIT_CODES } from "./exit_codes.ts";
import { Failure } from "./failure.ts";
import { openLock } from "./open_lock.ts";
import type { ShowOptions } from "./options.ts";
import { lockState, plain, showHolder, toJson } from "./show_holder.ts";

/**
 * Tells who holds a lock.
 *
 * @param name The lock's name.
 * @param options Where it is kept, and how to show it.
 * @returns The exit code.
 */
export async function status(
  name: string,
  options: ShowOptions,
): Promise<number> {
  const lock = openLock(name, options);
  if (options.file) checkDirectory(options.file);
  const holder = await lock.holder();
  const text = options.json
    ? toJson(lockState(name, holder))
    : holder === null
    ? `${plain(name)}: free`
    : `${plain(name)}: held by ${showHolder(holder)}`;
  commandLine.print(`${text}\n`);
  return holder === null ? EXIT_CODES.free : EXIT_CODES.ok;
}

// A directory that is not there would pass for one in which nothing is held.
function checkDirectory(path: string): void {
  try {
    commandLine.files.names(path);
  } catch (error) {
    throw new Failure(EXIT_CODES.backend, (error as Error).message);
  }
}
