/**
 * Bundles the JavaScript of the npm package.
 *
 * Node takes about a quarter of a millisecond to load a module, however small
 * it is. Of our many, it is to load few.
 *
 * @module
 */
import { walk } from "@std/fs";
import * as esbuild from "esbuild";
import { join, resolve } from "node:path";

/**
 * Replaces modules, and all that they import, by bundles that share what they
 * have in common; what is imported lazily stays apart.
 *
 * @param folder The folder of the package's files.
 * @param modules The modules that can be imported, without extensions.
 */
export async function bundle(
  folder: string,
  modules: readonly string[],
): Promise<void> {
  const { metafile } = await esbuild.build({
    entryPoints: modules.map((path) => join(folder, `${path}.js`)),
    outdir: folder,
    outbase: folder,
    allowOverwrite: true,
    bundle: true,
    chunkNames: "parts/[name]-[hash]",
    format: "esm",
    legalComments: "none",
    metafile: true,
    packages: "external",
    platform: "neutral",
    splitting: true,
    target: "es2022",
  });
  await esbuild.stop();
  const written = new Set(
    Object.keys(metafile.outputs).map((path) => resolve(path)),
  );
  for await (const { path } of walk(folder, { includeDirs: false })) {
    const isOld = path.endsWith(".js") && !written.has(resolve(path));
    if (isOld || path.endsWith("/package.json")) await Deno.remove(path);
  }
  await removeEmpty(folder);
}

async function removeEmpty(folder: string): Promise<boolean> {
  let isEmpty = true;
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const gone = isDirectory && await removeEmpty(join(folder, name));
    isEmpty &&= gone;
  }
  if (isEmpty) await Deno.remove(folder);
  return isEmpty;
}
