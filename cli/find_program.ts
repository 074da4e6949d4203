import { commandLine } from "../runtime/command_line/mod.ts";

/** What is found of a program. */
export interface FoundProgram {
  /** Where it is; null where it cannot be run. */
  readonly path: string | null;
  /** Whether there is a file of that name at all. */
  readonly exists: boolean;
}

/**
 * Looks a program up as the system does.
 *
 * @param name Its name, or a path with a slash.
 * @returns What is found.
 */
export function findProgram(name: string): FoundProgram {
  let exists = false;
  for (const path of candidates(name)) {
    const executable = commandLine.files.executable(path);
    if (executable === "yes") return { path, exists: true };
    if (executable === "no") exists = true;
  }
  return { path: null, exists };
}

function candidates(name: string): string[] {
  if (name === "") return [];
  if (name.includes("/")) return [name];
  const path = commandLine.environment().PATH ?? "/usr/local/bin:/usr/bin:/bin";
  return path.split(":").map((directory) => `${directory || "."}/${name}`);
}
