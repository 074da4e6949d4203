/**
 * Builds the npm package in `npm/`: `deno task build:npm`.
 *
 * dnt makes JavaScript and types of the sources; where JSR cannot be reached,
 * `tsc` does. What is done to them after that is the same.
 *
 * @module
 */
import { build } from "@deno/dnt";
import { emptyDir } from "@std/fs";
import { fileURLToPath } from "node:url";
import { bundle } from "./bundle.ts";
import {
  entryPoints,
  manifest,
  peers,
  program,
  telemetry,
} from "./npm_package.ts";
import { keepPublicTypes } from "./public_types.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const outDir = `${root}npm`;

await emptyDir(outDir);
await build({
  entryPoints: entryPoints.map(({ name, path }) => ({
    name,
    path: `${root}${path}.ts`,
  })),
  outDir,
  // It is written by us, when all is built.
  package: { name: manifest().name, version: manifest().version },
  shims: {},
  // Our modules are for every runtime as they are.
  polyfills: false,
  compilerOptions: {
    target: "ES2022",
    lib: ["ES2022", "DOM", "ESNext.Disposable"],
  },
  mappings: Object.fromEntries(
    peers.map((name) => [name, { name, peerDependency: true }]),
  ),
  scriptModule: false,
  // `deno task checks` has checked them, with Deno's own types.
  typeCheck: false,
  test: false,
  skipNpmInstall: true,
  skipSourceOutput: true,
  postBuild: finish,
});

async function finish(): Promise<void> {
  const folder = `${outDir}/esm`;
  const paths = entryPoints.map(({ path }) => path);
  await keepPublicTypes(folder, paths);
  await bundle({
    folder,
    modules: paths.filter((path) => path !== program && path !== telemetry),
    programs: paths.filter((path) => path === program),
    apart: paths.filter((path) => path === telemetry),
  });
  // The manifest names the files that are packed.
  await Deno.remove(`${outDir}/.npmignore`).catch(() => undefined);
  const text = JSON.stringify(manifest(), null, 2);
  await Deno.writeTextFile(`${outDir}/package.json`, `${text}\n`);
  for (const name of ["README.md", "CHANGES.md", "LICENSE"]) {
    await Deno.copyFile(root + name, `${outDir}/${name}`);
  }
  console.log(`${manifest().name} ${manifest().version} is built in npm/`);
}
