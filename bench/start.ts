/**
 * What a program pays at its start for the library: half a minute of
 * `deno task bench:start`.
 *
 * Each program is started right after an empty one of the same runtime, so that
 * both meet the same machine, and what counts is the difference of each pair.
 * Deno and Bun start from the sources, Bun and Node from the npm package. Deno
 * has a lock file, as it has in every project of its own: without one, it looks
 * for versions of both drivers at each start.
 *
 * @module
 */
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import config from "../deno.json" with { type: "json" };
import { spreadOf } from "./harness/statistics.ts";
import { makeProject, packPackage } from "../scripts/npm_project.ts";
import { ensureRuntimes, type RuntimeCommand } from "../scripts/runtimes.ts";

const PAIRS = 41;

/** The most that a start may take over an empty one's, in milliseconds. */
const BARS = { lock: 15, run: 60 };

const sources = fileURLToPath(new URL("../", import.meta.url));

/** A way to start programs with the library. */
interface Setting {
  readonly title: string;
  readonly command: readonly string[];
  /** What an import names. */
  readonly module: string;
  /** The program of `locking`. */
  readonly cli: string;
}

function settings(
  { id, command }: RuntimeCommand,
  { project, remote }: Folders,
): Setting[] {
  const source = {
    title: `${id}, sources`,
    command,
    module: `${sources}mod.ts`,
    cli: `${sources}cli.ts`,
  };
  const packed = {
    title: `${id}, package`,
    command,
    module: "@x/locking",
    cli: `${project}/node_modules/@x/locking/esm/cli.js`,
  };
  if (id === "bun") return [source, packed];
  if (id !== "deno") return [packed];
  const flags = ["--no-check", `--config=${remote}/deno.json`];
  return [{ ...source, command: [...command, ...flags] }];
}

interface Folders {
  /** Where the npm package is installed. */
  readonly project: string;
  /** What makes Deno start our sources as it starts those of a registry. */
  readonly remote: string;
}

async function makeFolders(tarball: string): Promise<Folders> {
  const remote = `${dirname(tarball)}/remote`;
  const { commander, redis, ...others } = config.imports;
  const driver = others["@aws-sdk/client-dynamodb"];
  const imports = { commander, redis, "@aws-sdk/client-dynamodb": driver };
  await Deno.mkdir(remote);
  await Deno.writeTextFile(
    `${remote}/deno.json`,
    JSON.stringify({ imports, nodeModulesDir: "none" }),
  );
  return { project: await makeProject("start", tarball), remote };
}

async function measure(setting: Setting, folder: string): Promise<string> {
  const { title, command, module, cli } = setting;
  const empty = `${folder}/empty.mjs`;
  const lock = `${folder}/lock.mjs`;
  await Deno.writeTextFile(empty, "");
  await Deno.writeTextFile(
    lock,
    `import { SocketLock } from "${module}";
const lease = await new SocketLock("bench/start").acquire();
await lease.release();
`,
  );
  const bare = [...command, empty];
  const run = [...command, cli, "run", "bench/start", "--", "true"];
  const over = {
    lock: await compare(bare, [...command, lock]),
    run: await compare(bare, run),
  };
  const cells = Object.entries(BARS).map(([name, bar]) => {
    const ms = over[name as keyof typeof BARS];
    const verdict = ms <= bar ? "holds" : "MISSED";
    return `${name} +${ms.toFixed(1)} ms (bar ${bar}: ${verdict})`;
  });
  return `${title.padEnd(16)} ${cells.join("   ")}`;
}

/** By how much the second program takes longer than the first. */
async function compare(
  first: readonly string[],
  second: readonly string[],
): Promise<number> {
  await timeOf(second);
  const differences: number[] = [];
  for (let i = 0; i < PAIRS; i++) {
    const ms = await timeOf(first);
    differences.push(await timeOf(second) - ms);
  }
  return spreadOf(differences).median;
}

async function timeOf(
  [file = "", ...args]: readonly string[],
): Promise<number> {
  const from = performance.now();
  const { code, stderr } = await new Deno.Command(file, { args }).output();
  const ms = performance.now() - from;
  if (code === 0) return ms;
  throw new Error(`${file} failed: ${new TextDecoder().decode(stderr)}`);
}

const tarball = await packPackage();
try {
  const folders = await makeFolders(tarball);
  for (const runtime of await ensureRuntimes()) {
    for (const setting of settings(runtime, folders)) {
      console.log(await measure(setting, folders.project));
    }
  }
} finally {
  await Deno.remove(dirname(tarball), { recursive: true });
}
