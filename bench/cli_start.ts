/**
 * How long `locking run` takes to start a command, over the bare start of each
 * runtime: half a minute of `deno run -A bench/cli_start.ts`.
 *
 * The sources are made JavaScript first, as they are in the packages for npm
 * and as Deno caches them: what a package does not ship need not be measured.
 * Both programs are started in turn, so that they meet the same machine.
 *
 * @module
 */
import { stripTypeScriptTypes } from "node:module";
import { fileURLToPath } from "node:url";
import { ensureRuntimes } from "../scripts/runtimes.ts";

const ROUNDS = 41;
const root = fileURLToPath(new URL("../", import.meta.url));
const SHIPPED = /^(?:mod|cli|(?:cli|backends|runtime)\/.*)\.ts$/;
const IMPORT = /((?:from|import)\s*\(?\s*"\.[^"]*)\.ts"/g;

/** Makes the shipped sources JavaScript, in a folder of their own. */
async function build(): Promise<string> {
  const folder = `${root}.runtimes/cli_start.${Deno.pid}`;
  for (const path of await sources(root)) {
    const source = await Deno.readTextFile(root + path);
    const script = stripTypeScriptTypes(source, { mode: "strip" })
      .replace(IMPORT, '$1.js"');
    const target = `${folder}/${path.replace(/\.ts$/, ".js")}`;
    await Deno.mkdir(target.replace(/\/[^/]*$/, ""), { recursive: true });
    await Deno.writeTextFile(target, script);
  }
  await Deno.writeTextFile(`${folder}/package.json`, '{"type":"module"}');
  await Deno.symlink(`${root}node_modules`, `${folder}/node_modules`);
  await Deno.writeTextFile(`${folder}/empty.js`, "");
  return folder;
}

async function sources(folder: string, under = ""): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder + under)) {
    const path = under + name;
    if (isDirectory && /^(?:cli|backends|runtime)/.test(path)) {
      found.push(...await sources(folder, `${path}/`));
    } else if (SHIPPED.test(path)) found.push(path);
  }
  return found;
}

/** How long a program takes until it says something, or ends. */
async function time([file = "", ...args]: readonly string[]): Promise<number> {
  const from = performance.now();
  const child = new Deno.Command(file, {
    args,
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  const ms = performance.now() - from;
  await reader.cancel();
  await child.status;
  return ms;
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? NaN;
}

const folder = await build();
try {
  for (const { id, command } of await ensureRuntimes()) {
    const run = [...command, `${folder}/cli.js`, "run", "bench", "--"];
    const programs = {
      bare: [...command, `${folder}/empty.js`],
      "--file": [...run.toSpliced(-2, 0, `--file=${folder}`), "echo", "up"],
      "--socket": [...run, "echo", "up"],
    };
    const times = Object.entries(programs).map(([name, program]) => ({
      name,
      program,
      ms: [] as number[],
    }));
    for (let i = 0; i < ROUNDS; i++) {
      for (const { program, ms } of times) ms.push(await time(program));
    }
    const bare = median(times[0]!.ms);
    const cells = times.map(({ name, ms }) => {
      const over = name === "bare"
        ? ""
        : ` (+${(median(ms) - bare).toFixed(0)}, ×${
          (median(ms) / bare).toFixed(1)
        })`;
      return `${name} ${median(ms).toFixed(0)} ms${over}`;
    });
    console.log(`${id}: ${cells.join(", ")}`);
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
