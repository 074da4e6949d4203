/**
 * What `scripts/build_npm.ts` uses of `@deno/dnt`, for machines that cannot
 * reach JSR: `tsc` gives the same files in the same places.
 *
 * @module
 */
import { dirname } from "node:path";
import ts from "typescript";
import { compile } from "../compile.ts";
import { walk } from "./std_fs.ts";

/** The options of dnt that are used, and what `tsc` needs of them. */
export interface BuildOptions {
  /** The modules that can be imported, by name and path. */
  entryPoints: { name: string; path: string }[];
  /** Where to build. */
  outDir: string;
  /** Called when all is built. */
  postBuild?(): void | Promise<void>;
  /** What dnt alone needs. */
  [option: string]: unknown;
}

/** Compiles the modules into `esm/`, with their types beside them. */
export async function build(options: BuildOptions): Promise<void> {
  const { entryPoints, outDir, postBuild } = options;
  const rootDir = dirname(entryPoints[0]?.path ?? "");
  compile({
    files: entryPoints.map(({ path }) => path),
    rootDir,
    outDir: `${outDir}/esm`,
    types: true,
  });
  await nameModules(`${outDir}/esm`);
  await postBuild?.();
}

/** In types, `tsc` leaves the names of sources as they are. */
async function nameModules(folder: string): Promise<void> {
  for await (const { path } of walk(folder, { includeDirs: false })) {
    if (!path.endsWith(".d.ts")) continue;
    let text = await Deno.readTextFile(path);
    const { importedFiles } = ts.preProcessFile(text);
    for (const { fileName, pos, end } of importedFiles.reverse()) {
      if (!/^\..*(?<!\.d)\.ts$/.test(fileName)) continue;
      const name = fileName.replace(/ts$/, "js");
      text = text.slice(0, pos + 1) + name + text.slice(end + 1);
    }
    await Deno.writeTextFile(path, text);
  }
}
