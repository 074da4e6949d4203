/**
 * Runs the one suite on every runtime: `deno task test`.
 *
 *     deno task test --runtime=deno,node24 --filter="a test's name" file_lock
 *
 * `--runtime` picks runtimes, `--filter` tests by their names (on Deno by
 * those of the outermost suites), and every other argument picks the files
 * whose path has it in it.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import config from "../deno.json" with { type: "json" };
import { ensureDynamoDbLocal } from "./dynamodb_local.ts";
import type { TestResult } from "./junit.ts";
import {
  ensureRuntimes,
  type RuntimeCommand,
  type RuntimeId,
  runtimeIds,
} from "./runtimes.ts";
import { ensureRedis } from "./redis_server.ts";
import { conclude, countsLine, type Row, sum, type Tally } from "./tally.ts";
import { runTestFile } from "./test_file.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const reports = `${root}.runtimes/reports`;

/** Files whose tests measure processes against each other, or time closely. */
const ALONE =
  /\/(?:crash|fairness|host_hand_over|(?:file|socket)_strangers|processes|shortest_lease)_/;

/** How many of the other files run side by side: mostly they let time pass. */
const LANES = 3;

interface Selection {
  readonly runtimes: readonly RuntimeId[];
  readonly filter: string;
  readonly files: readonly string[];
}

/**
 * Runs the suite, and shows how it goes.
 *
 * @param args The command line's arguments.
 * @returns A row for each runtime.
 * @throws {RangeError} If an argument names no runtime.
 */
export async function runTests(args: readonly string[]): Promise<Row[]> {
  const selection = await select(args);
  await ensureDependencies();
  await ensureRedis();
  await ensureDynamoDbLocal();
  const here = await ensureRuntimes();
  await Deno.mkdir(reports, { recursive: true });
  const rows: Row[] = [];
  for (const id of selection.runtimes) {
    const runtime = here.find((command) => command.id === id);
    rows.push(
      runtime ? await runSuite(runtime, here, selection) : missing(id),
    );
  }
  return rows;
}

async function select(args: readonly string[]): Promise<Selection> {
  const option = (name: string): string =>
    args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3) ??
      "";
  const parts = args.filter((arg) => !arg.startsWith("--"));
  const files = (await testFiles("tests")).filter((file) =>
    parts.length === 0 || parts.some((part) => file.includes(part))
  );
  const runtimes = option("runtime").split(",").filter(Boolean).map(runtimeId);
  return {
    runtimes: runtimes.length > 0 ? runtimes : runtimeIds,
    filter: option("filter"),
    files,
  };
}

function runtimeId(text: string): RuntimeId {
  const id = runtimeIds.find((id) => id === text);
  if (id) return id;
  throw new RangeError(
    `Cannot test on "${text}": the runtimes are ${runtimeIds.join(", ")}`,
  );
}

async function testFiles(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(root + folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) found.push(...await testFiles(path));
    else if (path.endsWith("_test.ts")) found.push(path);
  }
  return found.sort();
}

/** `deno task` has installed them already, unless it was not `deno task`. */
async function ensureDependencies(): Promise<void> {
  const packages = Object.entries(config.imports)
    .filter(([, from]) => from.startsWith("npm:"))
    .map(([name]) => Deno.stat(`${root}node_modules/${name}`));
  try {
    await Promise.all(packages);
  } catch {
    console.log("installing the npm packages of deno.json in node_modules/");
    await new Deno.Command(Deno.execPath(), { args: ["install"], cwd: root })
      .spawn().status;
  }
}

function missing(id: RuntimeId): Row {
  return { title: `${id} (missing)`, ...tally([]), failed: 1, seconds: 0 };
}

async function runSuite(
  runtime: RuntimeCommand,
  here: readonly RuntimeCommand[],
  { files, filter }: Selection,
): Promise<Row> {
  const started = performance.now();
  const env = {
    DENO_NO_UPDATE_CHECK: "1",
    LOCKING_TEST_RUNTIMES: JSON.stringify(here),
    NO_COLOR: "1",
  };
  console.log(`\n${runtime.id}: ${files.length} files`);
  const tallies: Tally[] = [];
  const run = async (queue: string[]): Promise<void> => {
    for (let file = queue.shift(); file; file = queue.shift()) {
      const name = file.replaceAll("/", "-");
      const report = `${reports}/${runtime.id}-${name}.xml`;
      const options = { env, filter, report };
      tallies.push(await runFile(runtime, file, options));
    }
  };
  await run(files.filter((file) => ALONE.test(file)));
  const others = alternate(files.filter((file) => !ALONE.test(file)));
  await Promise.all(Array.from({ length: LANES }, () => run(others)));
  const seconds = (performance.now() - started) / 1000;
  return { title: runtime.id, ...sum(tallies), seconds };
}

/** From both ends in turn: files of one backend load the machine alike. */
function alternate(files: readonly string[]): string[] {
  return files.map((_, i) => files.at(i % 2 === 0 ? i / 2 : -(i + 1) / 2)!);
}

async function runFile(
  runtime: RuntimeCommand,
  file: string,
  options: Parameters<typeof runTestFile>[2],
): Promise<Tally> {
  const started = performance.now();
  const seconds = (): string =>
    `${((performance.now() - started) / 1000).toFixed(1)} s`;
  const progress = setInterval(
    () => console.log(`  ${file}: still running after ${seconds()}`),
    15_000,
  );
  const tests = await runTestFile(runtime, file, options);
  clearInterval(progress);
  console.log(`  ${file}: ${countsLine(tally(tests))} (${seconds()})`);
  tests.filter(isFailure).forEach((test) => show(runtime, file, test));
  return tally(tests);
}

function isFailure({ outcome }: TestResult): boolean {
  return outcome === "failed";
}

function tally(tests: readonly TestResult[]): Tally {
  const count = (outcome: TestResult["outcome"]): number =>
    tests.filter((test) => test.outcome === outcome).length;
  return {
    passed: count("passed"),
    failed: count("failed"),
    skipped: count("skipped"),
  };
}

function show(runtime: RuntimeCommand, file: string, test: TestResult): void {
  const detail = test.detail.replace(/^/gm, "      ");
  console.log(`    FAILED on ${runtime.id}: ${file}: ${test.name}\n${detail}`);
}

if (import.meta.main) conclude(await runTests(Deno.args));
