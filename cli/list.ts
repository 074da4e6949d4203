import { commandLine } from "../runtime/command_line/mod.ts";
import { EXIT_CODES } from "./exit_codes.ts";
import { listLocks } from "./list_locks.ts";
import type { ShowOptions } from "./options.ts";
import { lockState, plain, showHolder, toJson } from "./show_holder.ts";

/**
 * Lists the locks that are held.
 *
 * @param options Where they are kept, and how to show them.
 * @returns The exit code.
 */
export async function list(options: ShowOptions): Promise<number> {
  const locks = (await listLocks(options)).sort((a, b) =>
    a.name < b.name ? -1 : a.name > b.name ? 1 : 0
  );
  const text = options.json
    ? toJson(locks.map(({ name, holder }) => lockState(name, holder))) + "\n"
    : locks.map(({ name, holder }) => `${plain(name)}: ${showHolder(holder)}\n`)
      .join("");
  commandLine.print(text);
  return EXIT_CODES.ok;
}
