/**
 * Puts known faults back one by one, and sees the suite catch each: `deno task
 * mutants`.
 *
 *     deno task mutants --jobs=2 redis- withLock
 *
 * Runs in copies of the project outside of its folder. An argument picks the
 * mutants that have it in their name. A mutant is killed by a test that passes
 * without the fault and fails with it: neither a patch that does not fit any
 * more nor one that breaks the sources kills anything.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { type Mutant, type NamedTests, parseMutant } from "./mutant.ts";
import { tryRun } from "./run.ts";
import { ensureRuntimes, type RuntimeCommand } from "./runtimes.ts";
import { ScratchCopy } from "./scratch_copy.ts";
import { HANGS, runTestFile } from "./test_file.ts";
import type { TestResult } from "./junit.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const folder = `${root}tests/mutants`;

/** With a fault in, what takes longer than this hangs, in milliseconds. */
const LONGEST_MS = 40_000;

/** The same where that is the fault. */
const LONGEST_HANG_MS = 15_000;

/** How often tests may be run until they pass without a fault. */
const MOST_TRIES = 3;

/** What became of a mutant, or of the tests without one. */
interface Verdict {
  readonly killed: boolean;
  /** By which test; or what went wrong. */
  readonly by: string;
}

/** Where and with what mutants are tested. */
interface Bench {
  readonly copy: ScratchCopy;
  readonly runtimes: readonly RuntimeCommand[];
  /** The tests that passed without a fault, by runtime and file. */
  readonly passing: ReadonlyMap<string, ReadonlySet<string>>;
}

/**
 * Tests the mutants.
 *
 * @param args The command line's arguments.
 * @returns How many were killed, and how many were not.
 */
export async function runMutants(
  args: readonly string[],
): Promise<{ killed: number; survived: number }> {
  const jobs = Number(
    args.find((arg) => arg.startsWith("--jobs="))?.slice("--jobs=".length) ?? 1,
  );
  const parts = args.filter((arg) => !arg.startsWith("--"));
  const mutants = await readMutants(parts);
  const runtimes = await ensureRuntimes();
  const copies: ScratchCopy[] = [];
  try {
    for (let i = 0; i < jobs; i++) copies.push(await ScratchCopy.make());
    const passing = await runBaseline(
      copies.map((copy) => ({ copy, runtimes })),
      mutants,
    );
    const benches = copies.map((copy) => ({ copy, runtimes, passing }));
    return await runAll(mutants, benches);
  } finally {
    await Promise.all(copies.map((copy) => copy.remove()));
  }
}

async function readMutants(parts: readonly string[]): Promise<Mutant[]> {
  const mutants: Mutant[] = [];
  for await (const { name: fileName } of Deno.readDir(folder)) {
    const name = fileName.replace(/\.patch$/, "");
    if (parts.length > 0 && !parts.some((part) => name.includes(part))) {
      continue;
    }
    const text = await Deno.readTextFile(`${folder}/${fileName}`);
    mutants.push(parseMutant(name, text));
  }
  return mutants.sort((a, b) => a.name < b.name ? -1 : 1);
}

/** Runs all named tests without a fault, and tells which of them pass. */
async function runBaseline(
  benches: readonly Omit<Bench, "passing">[],
  mutants: readonly Mutant[],
): Promise<Bench["passing"]> {
  const passing = new Map<string, Set<string>>();
  const queue = [...filtersByFile(mutants)];
  await Promise.all(benches.map(async (bench) => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const [place, filtered] = next;
      passing.set(place, await findPassing(bench, place, filtered));
    }
  }));
  return passing;
}

/** Which of the named tests of a file pass; a busy machine gets more tries. */
async function findPassing(
  bench: Omit<Bench, "passing">,
  place: string,
  { filters: filter, ...filtered }: FilteredFile,
): Promise<Set<string>> {
  for (let tries = 1;; tries++) {
    const started = performance.now();
    const tests = await runTests(bench, { ...filtered, filter });
    const failed = tests.filter(({ outcome }) => outcome === "failed");
    const names = tests.filter(({ outcome }) => outcome === "passed")
      .map(({ name }) => name);
    const missing = filter.filter((part) => !hasTest(names, part));
    const sound = failed.length === 0 && missing.length === 0;
    const title = sound ? "sound   " : "UNSOUND ";
    console.log(`${title} ${place} (${secondsSince(started)})`);
    failed.forEach(({ name, detail }) => console.log(`  ${name}\n${detail}`));
    missing.forEach((part) => console.log(`  no test passes: ${part}`));
    if (sound || tries === MOST_TRIES) return new Set(names);
  }
}

function hasTest(names: Iterable<string>, filter: string): boolean {
  return [...names].some((name) => matches(name, filter));
}

interface FilteredFile {
  readonly on: string;
  readonly file: string;
  readonly filters: string[];
}

function filtersByFile(
  mutants: readonly Mutant[],
): Map<string, FilteredFile> {
  const places = new Map<string, FilteredFile>();
  for (const { on, tests } of mutants) {
    for (const { file, filter } of tests) {
      const place = placeOf(on, file);
      if (!places.has(place)) places.set(place, { on, file, filters: [] });
      const { filters } = places.get(place)!;
      if (!filters.includes(filter)) filters.push(filter);
    }
  }
  return places;
}

function placeOf(on: string, file: string): string {
  return `${on}: ${file}`;
}

async function runAll(
  mutants: readonly Mutant[],
  benches: readonly Bench[],
): Promise<{ killed: number; survived: number }> {
  const queue = [...mutants];
  let killed = 0;
  await Promise.all(benches.map(async (bench) => {
    for (let mutant = queue.shift(); mutant; mutant = queue.shift()) {
      const started = performance.now();
      const verdict = await testMutant(bench, mutant);
      if (verdict.killed) killed++;
      const seconds = secondsSince(started);
      const title = `${
        verdict.killed ? "killed  " : "SURVIVED"
      } ${mutant.name}`;
      console.log(`${title} (${seconds}): ${verdict.by}`);
      if (!verdict.killed) console.log(`  ${mutant.fault}`);
    }
  }));
  return { killed, survived: mutants.length - killed };
}

async function testMutant(bench: Bench, mutant: Mutant): Promise<Verdict> {
  const { copy, passing } = bench;
  const unsound = mutant.tests.find(({ file, filter }) =>
    !hasTest(passing.get(placeOf(mutant.on, file))!, filter)
  );
  if (unsound) {
    const { file, filter } = unsound;
    const by = `without the fault, no test of ${file} passes: ${filter}`;
    return { killed: false, by };
  }
  if (!await copy.apply(mutant.files)) {
    return { killed: false, by: "the sources have moved on from the patch" };
  }
  try {
    const fault = await typeFault(copy, mutant);
    if (fault) return { killed: false, by: `it is no program:\n${fault}` };
    return await runKillers(bench, mutant);
  } finally {
    await copy.revert(mutant.files);
  }
}

/** What breaks on every path catches no fault. */
async function typeFault(
  { folder }: ScratchCopy,
  { files }: Mutant,
): Promise<string> {
  const { code, stderr } = await tryRun(Deno.execPath(), {
    args: ["check", "--quiet", ...files.map(({ path }) => path)],
    cwd: folder,
    env: { DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" },
  });
  return code === 0 ? "" : stderr;
}

async function runKillers(bench: Bench, mutant: Mutant): Promise<Verdict> {
  const { on, hangs } = mutant;
  const longestMs = hangs ? LONGEST_HANG_MS : LONGEST_MS;
  let by = "no test fails";
  for (const test of mutant.tests) {
    const tests = await runTests(bench, { on, ...test, longestMs });
    const killer = findKiller(bench, mutant, test, tests);
    if (killer) return { killed: true, by: killer };
    const failure = tests.find(({ outcome }) => outcome === "failed");
    if (failure) by = `no test fails, but ${failure.name}\n${failure.detail}`;
    if (failure?.name !== HANGS) continue;
    if (hangs) return { killed: true, by: `${test.file} hangs` };
  }
  return { killed: false, by };
}

/** What crashes or hangs fails, but as no test that passed without the fault. */
function findKiller(
  { passing }: Bench,
  { on }: Mutant,
  { file, filter }: NamedTests,
  tests: readonly TestResult[],
): string | undefined {
  const known = passing.get(placeOf(on, file))!;
  return tests.find(({ outcome, name }) =>
    outcome === "failed" && known.has(name) && matches(name, filter)
  )?.name;
}

/** Deno picks suites and not tests; every runtime puts the suites' names first. */
function matches(name: string, filter: string): boolean {
  const plain = (text: string): string => text.replaceAll(/[^\w]+/g, " ");
  return plain(name).includes(plain(filter));
}

interface TestRun {
  readonly on: string;
  readonly file: string;
  readonly filter: string | readonly string[];
  readonly longestMs?: number;
}

async function runTests(
  { copy, runtimes }: Omit<Bench, "passing">,
  { on, file, filter, ...limits }: TestRun,
): Promise<TestResult[]> {
  const runtime = runtimes.find(({ id }) => id === on);
  if (!runtime) throw new RangeError(`No runtime "${on}" here`);
  return await runTestFile(runtime, file, {
    ...limits,
    // Deno's filter knows the outermost suites alone.
    filter: on === "deno" || [filter].flat().includes("") ? "" : filter,
    env: {
      DENO_NO_UPDATE_CHECK: "1",
      LOCKING_TEST_RUNTIMES: JSON.stringify(runtimes),
      NO_COLOR: "1",
    },
    report: `${copy.folder}/report.xml`,
    cwd: copy.folder,
  });
}

function secondsSince(started: number): string {
  return `${((performance.now() - started) / 1000).toFixed(1)} s`;
}

if (import.meta.main) {
  const { killed, survived } = await runMutants(Deno.args);
  if (survived > 0 || killed === 0) Deno.exitCode = 1;
  console.log(`${killed} killed, ${survived} survived`);
}
