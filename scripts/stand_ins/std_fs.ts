/**
 * What the scripts use of `@std/fs`, for machines that cannot reach JSR.
 *
 * @module
 */

/** Makes a folder, or empties the one that is there. */
export async function emptyDir(path: string): Promise<void> {
  await Deno.mkdir(path, { recursive: true });
  for await (const { name } of Deno.readDir(path)) {
    await Deno.remove(`${path}/${name}`, { recursive: true });
  }
}

/** A file or a folder that {@linkcode walk} found. */
export interface WalkEntry {
  /** Its path, which begins with the one that was asked for. */
  path: string;
  /** Whether it is a file. */
  isFile: boolean;
}

/** Finds the files under a folder. */
export async function* walk(
  root: string,
  options: { includeDirs: false },
): AsyncGenerator<WalkEntry> {
  for await (const { name, isDirectory } of Deno.readDir(root)) {
    const path = `${root}/${name}`;
    if (isDirectory) yield* walk(path, options);
    else yield { path, isFile: true };
  }
}
