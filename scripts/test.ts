/**
 * Runs the one suite on every runtime: `deno task test`.
 *
 *     deno task test --on=deno,npm-node24 --filter="a test's name" file_lock
 *
 * On Deno and Bun it runs from the sources, and again, compiled, on Bun and
 * Node against the npm package, installed from its tarball. `--on` picks from
 * these and from Node with the sources, `--filter` tests by their names (on
 * Deno by those of the outermost suites), and every other argument picks the
 * files whose path has it in it; so does `tests`, which is all of them.
 *
 * @module
 */
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { DynamoServer, noDynamoLocal } from "../tests/_dynamo.ts";
import config from "../deno.json" with { type: "json" };
import { ensureDynamoDbLocal } from "./dynamodb_local.ts";
import type { TestResult } from "./junit.ts";
import { makeSuite, packPackage } from "./npm_project.ts";
import { ensurePostgres } from "./postgres_server.ts";
import { ensureRuntimes, type RuntimeCommand, runtimeIds } from "./runtimes.ts";
import { ensureRedis } from "./redis_server.ts";
import { conclude, countsLine, type Row, sum, type Tally } from "./tally.ts";
import { runTestFile } from "./test_file.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const reports = `${root}.runtimes/reports`;

/** Files whose tests measure processes against each other: one at a time. */
const ALONE =
  /\/(?:crash|fairness|faults\/faults|host_hand_over|(?:file|socket)_strangers|processes|redis_quorum\w*|shortest_lease)_test\./;

/** Files whose tests time closely, but hardly load the machine: apart. */
const QUIET =
  /\/(?:dynamo_(?:faults|lease|repeats|strangers)|redis_(?:faults|lease|strangers))_test\./;

/**
 * What is run on those below, unless files are named: each lock's contract, and
 * what goes by the kernel's sockets, files and processes. All is run on another
 * version of the same runtime, or from the sources.
 */
const MAIN =
  /\/(?:claim|cli_run|crash|dynamo|exit|file|host_hand_over|lease_processes|names|otel\w*|processes|redis|socket|socket_strangers|tracing)_test\.js$/;

/** Files that take the longest: they begin first, so that none ends alone. */
const LONG =
  /\/(?:cli_loss|dynamo|dynamo_matrix|examples|exit|lease_processes|redis|redis_clients)_test\./;

/** How many of the others run side by side: mostly they let time pass. */
const LANES = 4;

/** What the tests of the package itself go by. */
const PACKAGE = "npm";

/** What tests can run on: a runtime with the sources, or with the package. */
const subjects: readonly string[] = [
  ...runtimeIds,
  PACKAGE,
  ...runtimeIds.slice(1).map((id) => `${PACKAGE}-${id}`),
];

/**
 * Where tests between processes have processes of all runtimes: once with the
 * sources, once with the package. Elsewhere they have those of one, but for the
 * tests of the package itself, which install it for each.
 */
const MIXED: readonly string[] = ["deno", PACKAGE, `${PACKAGE}-node24`];

/** Where the main files will do. */
const MAINLY: readonly string[] = ["bun", "node22", "node26"].map((id) =>
  `${PACKAGE}-${id}`
);

/** Whoever uses the library on Node has the package. */
const usual = subjects.filter((id) => !id.startsWith("node"));

interface Selection {
  readonly subjects: readonly string[];
  readonly filter: string;
  /** Parts of the files' paths; all files if there are none. */
  readonly parts: readonly string[];
}

/** What to run the files on. */
interface Subject {
  readonly title: string;
  readonly runtime: RuntimeCommand;
  /** The folder in which the suite is, from its sources or compiled. */
  readonly cwd: string;
  readonly files: readonly string[];
}

/**
 * Runs the suite, and shows how it goes.
 *
 * @param args The command line's arguments.
 * @returns A row for each runtime.
 * @throws {RangeError} If an argument names nothing that tests can run on.
 */
export async function runTests(args: readonly string[]): Promise<Row[]> {
  const selection = select(args);
  await ensureDependencies();
  await ensureRedis();
  await ensurePostgres();
  await ensureDynamoDbLocal();
  const here = await ensureRuntimes();
  await Deno.mkdir(reports, { recursive: true });
  const packed = await pack(selection);
  const rows: Row[] = [];
  try {
    for (const id of selection.subjects) {
      const subject = await findSubject(id, here, { ...selection, ...packed });
      rows.push(
        subject ? await runSuite(subject, here, selection) : missing(id),
      );
    }
  } finally {
    if (packed.tarball) {
      await Deno.remove(dirname(packed.tarball), { recursive: true });
    }
  }
  return rows;
}

function select(args: readonly string[]): Selection {
  const option = (name: string): string =>
    args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3) ??
      "";
  const wanted = option("on").split(",").filter(Boolean);
  for (const id of wanted) {
    if (subjects.includes(id)) continue;
    throw new RangeError(
      `Cannot test on "${id}", only on ${subjects.join(", ")}`,
    );
  }
  return {
    subjects: wanted.length > 0 ? wanted : usual,
    filter: option("filter"),
    parts: args.filter((arg) => !arg.startsWith("--")),
  };
}

interface Packed {
  readonly tarball: string;
  readonly suite: string;
}

async function pack({ subjects }: Selection): Promise<Packed> {
  if (!subjects.some((id) => id.startsWith(PACKAGE))) {
    return { tarball: "", suite: "" };
  }
  console.log("npm: building the package, and installing it for its tests");
  const tarball = await packPackage();
  return { tarball, suite: await makeSuite(tarball) };
}

async function findSubject(
  id: string,
  here: readonly RuntimeCommand[],
  { parts, suite, tarball }: Selection & Packed,
): Promise<Subject | null> {
  const isPacked = id.startsWith(`${PACKAGE}-`);
  const name = isPacked ? id.slice(PACKAGE.length + 1) : id;
  const wanted = id === PACKAGE ? "deno" : name;
  const runtime = here.find((command) => command.id === wanted);
  if (!runtime) return null;
  Deno.env.set("LOCKING_TEST_TARBALL", tarball);
  const cwd = isPacked ? `${suite}/` : root;
  const folder = id === PACKAGE ? "tests/npm" : "tests";
  const isWanted = (file: string): boolean =>
    parts.length > 0
      ? parts.some((part) => file.includes(part))
      : !MAINLY.includes(id) || MAIN.test(file);
  const files = (await testFiles(cwd, folder)).filter(isWanted);
  return { title: id, runtime, cwd, files };
}

async function testFiles(cwd: string, folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(cwd + folder)) {
    const path = `${folder}/${name}`;
    if (!isDirectory && /_test\.[jt]s$/.test(name)) found.push(path);
    else if (isDirectory && name !== PACKAGE) {
      found.push(...await testFiles(cwd, path));
    }
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

function missing(id: string): Row {
  return { title: `${id} (missing)`, ...tally([]), failed: 1, seconds: 0 };
}

async function runSuite(
  subject: Subject,
  here: readonly RuntimeCommand[],
  { filter }: Selection,
): Promise<Row> {
  const started = performance.now();
  const { title, files, runtime } = subject;
  const others = MIXED.includes(title) ? here : [runtime];
  const dynamo = noDynamoLocal() ? null : await DynamoServer.start("local");
  const env = {
    DENO_NO_UPDATE_CHECK: "1",
    LOCKING_TEST_DYNAMODB: dynamo?.endpoint ?? "",
    LOCKING_TEST_RUNTIMES: JSON.stringify(others),
    NO_COLOR: "1",
  };
  console.log(`\n${title}: ${files.length} files`);
  const tallies: Tally[] = [];
  const run = async (queue: string[]): Promise<void> => {
    for (let file = queue.shift(); file; file = queue.shift()) {
      const name = file.replaceAll("/", "-");
      const report = `${reports}/${title}-${name}.xml`;
      const options = { env, filter, report, cwd: subject.cwd };
      tallies.push(await runFile(subject, file, options));
    }
  };
  for (const { queue, lanes } of stages(files)) {
    await Promise.all(Array.from({ length: lanes }, () => run(queue)));
  }
  await dynamo?.end();
  const seconds = (performance.now() - started) / 1000;
  return { title, ...sum(tallies), seconds };
}

interface Stage {
  readonly queue: string[];
  /** How many of them run side by side. */
  readonly lanes: number;
}

/** What is run one after another. */
function stages(files: readonly string[]): Stage[] {
  const rest = files.filter((file) => !ALONE.test(file) && !QUIET.test(file));
  const long = rest.filter((file) => LONG.test(file));
  const short = rest.filter((file) => !LONG.test(file));
  return [
    { queue: files.filter((file) => ALONE.test(file)), lanes: 1 },
    { queue: files.filter((file) => QUIET.test(file)), lanes: LANES },
    { queue: [...long, ...alternate(short)], lanes: LANES },
  ];
}

/** From both ends in turn: files of one backend load the machine alike. */
function alternate(files: readonly string[]): string[] {
  return files.map((_, i) => files.at(i % 2 === 0 ? i / 2 : -(i + 1) / 2)!);
}

async function runFile(
  subject: Subject,
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
  const tests = await runTestFile(subject.runtime, file, options);
  clearInterval(progress);
  console.log(`  ${file}: ${countsLine(tally(tests))} (${seconds()})`);
  tests.filter(isFailure).forEach((test) => show(subject, file, test));
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

function show({ title }: Subject, file: string, test: TestResult): void {
  const detail = test.detail.replace(/^/gm, "      ");
  console.log(`    FAILED on ${title}: ${file}: ${test.name}\n${detail}`);
}

if (import.meta.main) conclude(await runTests(Deno.args));
