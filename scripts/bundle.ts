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

/** What to bundle. */
export interface BundleOptions {
  /** The folder of the package's files. */
  readonly folder: string;
  /** The modules that share all they have, without extensions. */
  readonly modules: readonly string[];
  /** The modules that are programs. */
  readonly programs: readonly string[];
  /**
   * The modules that share nothing, and have copies of what they need: they
   * import packages that the others must not, and keep no state.
   */
  readonly apart: readonly string[];
}

/** What the modules share. */
const SHARED = "shared";

/**
 * Replaces modules, and all that they import, by bundles; what is imported
 * lazily stays apart.
 *
 * @param options What to bundle.
 */
export async function bundle(options: BundleOptions): Promise<void> {
  const { folder, modules, programs, apart } = options;
  const all = modules.map((path) => `export * from "./${path}.js";\n`);
  const names = await exportsOf(options);
  await Deno.writeTextFile(join(folder, `${SHARED}.js`), all.join(""));
  const written = new Set<string>();
  for (const paths of [[SHARED, ...programs], ...apart.map((path) => [path])]) {
    const { outputs } = await build(folder, paths, true);
    Object.keys(outputs).forEach((path) => written.add(resolve(path)));
  }
  await esbuild.stop();
  for (const path of modules) {
    const up = "../".repeat(path.split("/").length - 1) || "./";
    const list = names.get(path)!.join(", ");
    const text = `export { ${list} } from "${up}${SHARED}.js";\n`;
    await Deno.writeTextFile(join(folder, `${path}.js`), text);
    written.add(resolve(folder, `${path}.js`));
  }
  for await (const { path } of walk(folder, { includeDirs: false })) {
    const isOld = path.endsWith(".js") && !written.has(resolve(path));
    if (isOld || path.endsWith("/package.json")) await Deno.remove(path);
  }
  await removeEmpty(folder);
}

/** The names that each module exports. */
async function exportsOf(
  { folder, modules }: BundleOptions,
): Promise<Map<string, string[]>> {
  const { outputs } = await build(folder, modules, false);
  return new Map(modules.map((path) => {
    const source = resolve(folder, `${path}.js`);
    const output = Object.values(outputs).find(({ entryPoint }) =>
      entryPoint !== undefined && resolve(entryPoint) === source
    );
    return [path, output!.exports];
  }));
}

async function build(
  folder: string,
  paths: readonly string[],
  write: boolean,
): Promise<esbuild.Metafile> {
  const { metafile } = await esbuild.build({
    entryPoints: paths.map((path) => join(folder, `${path}.js`)),
    outdir: folder,
    outbase: folder,
    allowOverwrite: true,
    bundle: true,
    chunkNames: "parts/[name]-[hash]",
    format: "esm",
    legalComments: "none",
    // Names stay, and short lines, so that a stack says where it was.
    lineLimit: 80,
    metafile: true,
    minifyWhitespace: true,
    packages: "external",
    platform: "neutral",
    splitting: true,
    target: "es2022",
    write,
  });
  return metafile;
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
