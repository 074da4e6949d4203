/**
 * Runs spin, the model checker, and says what it found.
 *
 * @module
 */
import { run, tryRun } from "./run.ts";

/** What to search. */
export interface Search {
  /** The folder of the models. */
  readonly folder: string;
  /** An empty folder to build in. */
  readonly build: string;
  /** The model's file in its folder. */
  readonly model: string;
  /** What is defined for the model, such as `N=2`. */
  readonly defines: readonly string[];
  /** Whether to look long, so that optimizing the search pays. */
  readonly isLong: boolean;
}

/** What a search found. */
export interface SearchResult {
  /** The assertion that does not hold; null if all do. */
  readonly violated: string | null;
  /** Whether every state within the model's bounds was looked at. */
  readonly complete: boolean;
  /** How many different states there were. */
  readonly states: number;
  /** The most steps from the first state to any. */
  readonly depth: number;
  /** For how long it searched. */
  readonly seconds: number;
}

/** The most memory that one search may take. */
const MEMORY_MB = 2000;

/** The longest that one search may take, in milliseconds. */
const LONGEST_MS = 180_000;

// Breadth first finds the shortest counterexample, and needs no bound to its
// depth. Every state is kept whole (no hashing), and none is left out (no
// partial-order reduction).
const OPTIONS = [
  ...["-DSAFETY", "-DBFS", "-DNOREDUCE"],
  `-DMEMLIM=${MEMORY_MB}`,
];

const PACKAGES = ["spin", "gcc", "libc6-dev"];

/**
 * Installs spin and gcc if they are missing and this process may.
 *
 * @throws {Error} If they cannot be had; says how to get them.
 */
export async function ensureSpin(): Promise<void> {
  if (await runs("spin", "-V") && await runs("gcc", "--version")) return;
  if (Deno.uid() === 0 && await runs("apt-get", "--version")) {
    console.log("installing spin by apt-get");
    const update = await runs("apt-get", "update", "-qq");
    const install = ["install", "-qq", "-y", "--no-install-recommends"];
    if (update && await runs("apt-get", ...install, ...PACKAGES)) return;
  }
  throw new Error(
    `The models cannot be checked: run \`apt-get install ${
      PACKAGES.join(" ")
    }\``,
  );
}

/**
 * Searches all states of a model, or those until an assertion fails.
 *
 * @param options What to search.
 * @returns What was found.
 */
export async function search(options: Search): Promise<SearchResult> {
  const { folder, build, model, defines, isLong } = options;
  for await (const { name } of Deno.readDir(folder)) {
    if (name.endsWith(".pml")) {
      await Deno.copyFile(`${folder}/${name}`, `${build}/${name}`);
    }
  }
  const names = defines.map((define) => `-D${define}`);
  await Deno.writeTextFile(`${build}/names`, JSON.stringify([...names, model]));
  await run("spin", { args: ["-a", ...names, model], cwd: build });
  await run("gcc", {
    args: [isLong ? "-O2" : "-O0", "-w", ...OPTIONS, "-o", "pan", "pan.c"],
    cwd: build,
  });
  const started = performance.now();
  const { stdout } = await tryRun(`${build}/pan`, {
    cwd: build,
    signal: AbortSignal.timeout(LONGEST_MS),
  });
  return read(stdout, (performance.now() - started) / 1000);
}

function read(output: string, seconds: number): SearchResult {
  const errors = /errors: (\d+)/.exec(output)?.[1];
  const error = /^pan:1: (.*)$/m.exec(output)?.[1] ?? null;
  const isCut = /not completed|out of memory|too small|aborted/i.test(output);
  return {
    violated: errors === "0" && error === null ? null : error ?? output,
    complete: errors === "0" && !isCut,
    states: Number(/(\d+) states, stored/.exec(output)?.[1] ?? 0),
    depth: Number(/depth reached (\d+)/.exec(output)?.[1] ?? 0),
    seconds,
  };
}

/**
 * The way to the violation that a search found.
 *
 * @param build The folder that it was built in.
 * @returns The steps, one a line.
 */
export async function traceOf(build: string): Promise<string> {
  const args: string[] = JSON.parse(await Deno.readTextFile(`${build}/names`));
  const { stdout } = await tryRun("spin", {
    args: ["-t", ...args],
    cwd: build,
  });
  const [steps = ""] = stdout.split(/^(?:#processes|spin: trail ends)/m);
  return steps.split("\n")
    .filter((line) => line.trim() !== "" && !line.startsWith("spin:"))
    .map((line) => `    ${line.trim().replaceAll(/ {2,}/g, " ")}`)
    .join("\n");
}

async function runs(command: string, ...args: string[]): Promise<boolean> {
  try {
    const env = { DEBIAN_FRONTEND: "noninteractive" };
    return (await tryRun(command, { args, env })).code === 0;
  } catch {
    return false;
  }
}
