/**
 * Keeps the types that can be seen from outside, and removes the others.
 *
 * @module
 */
import { walk } from "@std/fs";
import { join } from "node:path";
import ts from "typescript";

/**
 * Removes the `.d.ts` files that no module of the package leads to.
 *
 * @param folder The folder of the package's files.
 * @param modules The modules that can be imported, without extensions.
 */
export async function keepPublicTypes(
  folder: string,
  modules: readonly string[],
): Promise<void> {
  const kept = new Set<string>();
  const found = modules.map((path) => join(folder, `${path}.d.ts`));
  for (let path = found.pop(); path; path = found.pop()) {
    if (kept.has(path)) continue;
    kept.add(path);
    found.push(...await importsOf(path));
  }
  for await (const { path } of walk(folder, { includeDirs: false })) {
    if (path.endsWith(".d.ts") && !kept.has(path)) await Deno.remove(path);
  }
}

async function importsOf(path: string): Promise<string[]> {
  const { importedFiles } = ts.preProcessFile(await Deno.readTextFile(path));
  return importedFiles
    .map(({ fileName }) => fileName)
    .filter((name) => name.startsWith("."))
    .map((name) => join(path, "..", name.replace(/\.[jt]s$/, ".d.ts")));
}
