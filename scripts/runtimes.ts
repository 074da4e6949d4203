/**
 * Finds the runtimes that the tests and the demo run on, and fetches those
 * that are missing: Bun and three versions of Node, as npm packages, into
 * `.runtimes/`.
 *
 * @module
 */
import { fileURLToPath } from "node:url";

/** A runtime's short name, as tests and reports use it. */
export type RuntimeId = "deno" | "bun" | "node22" | "node24" | "node26";

/** How to start a program on a runtime. */
export interface RuntimeCommand {
  /** Which runtime. */
  readonly id: RuntimeId;
  /** Executable and arguments, to be followed by the program's file. */
  readonly command: string[];
}

/** An npm package that carries a runtime's executable. */
interface RuntimePackage {
  readonly id: RuntimeId;
  readonly version: string;
  /** Arguments that come before the program's file. */
  readonly args: readonly string[];
}

const root = fileURLToPath(new URL("../", import.meta.url));

const packages: readonly RuntimePackage[] = [
  { id: "bun", version: "1.4.5", args: [] },
  node("node22", "22.23.3"),
  node("node24", "24.21.0"),
  node("node26", "26.10.0"),
];

/** Every runtime that the library is tested on. */
export const runtimeIds: readonly RuntimeId[] = [
  "deno",
  ...packages.map((runtime) => runtime.id),
];

/**
 * Finds the runtimes, fetching from npm those that are not there yet, and says
 * on stdout what it does. A runtime that cannot be had is said aloud and left
 * out.
 *
 * @param ids Which runtimes; all of them if not given.
 * @returns The runtimes that can be had, Deno first.
 *
 * @example
 * ```ts ignore
 * import { ensureRuntimes } from "./runtimes.ts";
 *
 * for (const { id, command } of await ensureRuntimes(["deno", "bun"])) {
 *   console.log(id, command);
 * }
 * ```
 */
export async function ensureRuntimes(
  ids: readonly RuntimeId[] = runtimeIds,
): Promise<RuntimeCommand[]> {
  const wanted = packages.filter((runtime) => ids.includes(runtime.id));
  const others = await Promise.all(wanted.map(ensurePackage));
  const all = ids.includes("deno") ? [denoCommand(), ...others] : others;
  return all.filter((command) => command !== null);
}

function node(id: RuntimeId, version: string): RuntimePackage {
  return { id, version, args: ["--disable-warning=ExperimentalWarning"] };
}

function denoCommand(): RuntimeCommand {
  say(`deno ${Deno.version.deno} is the one that runs this`);
  return {
    id: "deno",
    command: [Deno.execPath(), "run", "-A", "--no-prompt"],
  };
}

async function ensurePackage(
  runtime: RuntimePackage,
): Promise<RuntimeCommand | null> {
  const folder = `${root}.runtimes/${runtime.id}`;
  try {
    const found = await findExecutable(folder, runtime);
    const path = found ?? await fetchPackage(folder, runtime);
    if (found) say(`${runtime.id} ${runtime.version} is here already`);
    return { id: runtime.id, command: [path, ...runtime.args] };
  } catch (error) {
    say(`${runtime.id} cannot be had: ${(error as Error).message}`);
    return null;
  }
}

async function fetchPackage(
  folder: string,
  runtime: RuntimePackage,
): Promise<string> {
  say(`fetching ${npmName(runtime)} from npm into .runtimes/${runtime.id}`);
  const started = performance.now();
  // Into a folder of our own first: whoever finds `folder` finds it whole.
  const own = `${folder}.${Deno.pid}`;
  try {
    await npmInstall(own, npmName(runtime));
    await moveInto(own, folder, runtime);
  } finally {
    await remove(own);
  }
  const path = await findExecutable(folder, runtime);
  if (path === null) {
    throw new Error(`${npmName(runtime)} does not run on this machine`);
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  say(`${runtime.id} ${runtime.version} is here now, after ${seconds} s`);
  return path;
}

/**
 * The package to install. For Node it is the one that the installer of
 * `node@22` and the like would fetch: taking it directly needs no install
 * script, and npm may have been told to run none.
 */
function npmName({ id, version }: RuntimePackage): string {
  if (id === "bun") return `bun@${version}`;
  const { os } = Deno.build;
  const arch = Deno.build.arch === "aarch64" ? "arm64" : "x64";
  const prefix = os === "darwin" && arch === "arm64" ? "node-bin" : "node";
  return `${prefix}-${os}-${arch}@${version}`;
}

async function npmInstall(folder: string, name: string): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  // Without a manifest of its own, npm would install into a parent folder.
  await Deno.writeTextFile(`${folder}/package.json`, '{ "private": true }\n');
  const { success, stderr } = await new Deno.Command("npm", {
    args: [
      ...["install", name, "--prefix", folder, "--ignore-scripts", "--no-save"],
      ...["--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"],
    ],
    cwd: folder,
    stdout: "null",
    stderr: "piped",
  }).output();
  if (success) return;
  const reason = new TextDecoder().decode(stderr).trim().split("\n")[0];
  throw new Error(`npm install ${name} failed: ${reason}`);
}

async function moveInto(
  own: string,
  folder: string,
  runtime: RuntimePackage,
): Promise<void> {
  // Another run of this script may have been faster; its copy is as good.
  if (await findExecutable(folder, runtime)) return;
  await remove(folder);
  await Deno.rename(own, folder);
}

/** The executable, or null where it is missing or of another version. */
async function findExecutable(
  folder: string,
  runtime: RuntimePackage,
): Promise<string | null> {
  for (const path of await candidates(folder, runtime)) {
    if (await versionOf(path) === runtime.version) return path;
  }
  return null;
}

async function candidates(
  folder: string,
  runtime: RuntimePackage,
): Promise<string[]> {
  const modules = `${folder}/node_modules`;
  if (runtime.id === "bun") {
    const oven = await names(`${modules}/@oven`);
    return oven.map((name) => `${modules}/@oven/${name}/bin/bun`);
  }
  const nodes = (await names(modules)).filter((name) => /^node-/.test(name));
  return nodes.map((name) => `${modules}/${name}/bin/node`);
}

async function versionOf(path: string): Promise<string | null> {
  try {
    const { stdout } = await new Deno.Command(path, {
      args: ["--version"],
      stderr: "null",
    }).output();
    return new TextDecoder().decode(stdout).trim().replace(/^v/, "");
  } catch {
    return null;
  }
}

async function names(folder: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(folder)))
      .map((entry) => entry.name);
  } catch {
    return [];
  }
}

async function remove(path: string): Promise<void> {
  await Deno.remove(path, { recursive: true }).catch(() => undefined);
}

function say(text: string): void {
  console.log(`runtimes: ${text}`);
}

if (import.meta.main) await ensureRuntimes();
