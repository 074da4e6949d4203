/**
 * Projects into which the npm package is installed from its tarball, as its
 * users do. They are beside it in a folder of their own, out of reach of what
 * is installed for the sources.
 *
 * @module
 */
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import config from "../deno.json" with { type: "json" };
import { entryPoints, manifest, peers } from "./npm_package.ts";
import { run } from "./run.ts";

const root = fileURLToPath(new URL("../", import.meta.url));

/** Files of the suite that look at the sources themselves. */
const OF_SOURCES =
  /(?:bench|boundaries|lazy_drivers|pictures|reliability)_test\.ts$/;

/** Folders whose files are not part of the compiled suite. */
const LEFT_OUT = ["npm", "mutants"];

/** Options of {@linkcode makeProject}. */
export interface ProjectOptions {
  /** Packages to install beside ours, as npm names them. */
  readonly packages?: readonly string[];
  /** More options of `npm install`. */
  readonly flags?: readonly string[];
}

/** What npm is asked for to get the drivers and peers that the sources use. */
export const drivers: readonly string[] = peers.map(specOf);

/** What the suite itself uses. */
const testPackages = [
  ...["dynalite", "@opentelemetry/context-async-hooks"] as const,
  ...["@opentelemetry/sdk-metrics", "@opentelemetry/sdk-trace"] as const,
  "pg" as const,
];

/**
 * Builds and packs the package.
 *
 * @returns The tarball's path, in a new folder that is the caller's to remove.
 */
export async function packPackage(): Promise<string> {
  await run(Deno.execPath(), {
    args: ["run", "-A", "scripts/with_imports.ts", "scripts/build_npm.ts"],
    cwd: root,
  });
  const folder = await Deno.makeTempDir({ prefix: "locking-npm-" });
  const { stdout } = await run("npm", {
    args: ["pack", "--json", "--pack-destination", folder],
    cwd: `${root}npm`,
  });
  const [{ filename }] = JSON.parse(stdout);
  return `${folder}/${filename}`;
}

/**
 * Installs the package into an empty project.
 *
 * @param name The project's name.
 * @param tarball The package.
 * @param options What else to install.
 * @returns The project's folder.
 */
export async function makeProject(
  name: string,
  tarball: string,
  options: ProjectOptions = {},
): Promise<string> {
  const project = `${dirname(tarball)}/${name}`;
  await Deno.mkdir(project);
  const own = { name, private: true, type: "module" };
  await Deno.writeTextFile(`${project}/package.json`, JSON.stringify(own));
  const { packages = [], flags = [] } = options;
  await run("npm", {
    args: [
      ...["install", tarball, ...packages, ...flags, "--ignore-scripts"],
      ...["--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"],
    ],
    cwd: project,
  });
  return project;
}

/**
 * Makes a project that the whole suite can run in, compiled, against the
 * installed package. What the tests import from inside the library is compiled
 * along with them; what users can import is the package's.
 *
 * @param tarball The package.
 * @returns The project's folder.
 */
export async function makeSuite(tarball: string): Promise<string> {
  const packages = [...drivers, ...testPackages.map(specOf)];
  const project = await makeProject("suite", tarball, { packages });
  const { compile } = await import("./compile.ts");
  const files = [
    ...await suiteFiles(`${root}tests`),
    // The demo installs runtimes, and has no tests here.
    ...(await suiteFiles(`${root}examples`)).filter((path) =>
      !/\/demo[^/]*$/.test(path)
    ),
  ];
  compile({
    files: files.filter((path) => path.endsWith(".ts")),
    rootDir: root,
    outDir: project,
    types: false,
  });
  for (const path of files.filter((path) => !path.endsWith(".ts"))) {
    await Deno.copyFile(path, path.replace(root, `${project}/`));
  }
  await Promise.all(entryPoints.map(({ name, path }) => {
    const text = `export * from "${manifest().name}${name.slice(1)}";\n`;
    return Deno.writeTextFile(`${project}/${path}.js`, text);
  }));
  await Deno.symlink(`${root}.runtimes`, `${project}/.runtimes`);
  return project;
}

function specOf(name: keyof typeof config.imports): string {
  return config.imports[name].slice("npm:".length);
}

async function suiteFiles(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (!isDirectory) found.push(path);
    else if (!LEFT_OUT.includes(name)) found.push(...await suiteFiles(path));
  }
  return found.filter((path) => !OF_SOURCES.test(path));
}
