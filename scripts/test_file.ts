/**
 * Runs one file of the suite on one runtime.
 *
 * @module
 */
import { parseJunit, type TestResult } from "./junit.ts";
import type { RuntimeCommand } from "./runtimes.ts";

/** How to run a file of the suite. */
export interface TestFileOptions {
  /**
   * Only tests whose name has this text, or one of these, in it; all if empty.
   */
  readonly filter: string | readonly string[];
  /** The environment of the tests, added to our own. */
  readonly env: Record<string, string>;
  /** Where the runtime's report goes. */
  readonly report: string;
  /** The folder to run it in. */
  readonly cwd: string;
  /**
   * A file that takes longer than this hangs, and is killed, in milliseconds.
   *
   * @default {150_000}
   */
  readonly longestMs?: number;
}

const LONGEST_MS = 150_000;

/** The name of the failure of a file that hangs. */
export const HANGS = "hangs, and was killed";

/**
 * Runs one file of the suite on one runtime.
 *
 * @param runtime The runtime.
 * @param file The file's path.
 * @param options What to run of it, and how.
 * @returns What became of its tests; a crash counts as one more, failed.
 */
export async function runTestFile(
  runtime: RuntimeCommand,
  file: string,
  options: TestFileOptions,
): Promise<TestResult[]> {
  await Deno.remove(options.report).catch(() => undefined);
  const [executable = "", ...args] = testCommand(runtime, file, options);
  const { output, failure } = await run(executable, args, options);
  const tests = await readReport(options.report);
  // Bun calls it an error when the filter leaves nothing of a file.
  if (tests.length === 0 && options.filter.length > 0 && failure !== HANGS) {
    return [];
  }
  const tail = output.trimEnd().split("\n").slice(-60).join("\n");
  const known = tests.map((test) => explain(test, file, tail));
  if (!failure && tests.length === 0) {
    return [{ name: "reports nothing", outcome: "failed", detail: tail }];
  }
  if (!failure || known.some(({ outcome }) => outcome === "failed")) {
    return known;
  }
  return [...known, { name: failure, outcome: "failed", detail: tail }];
}

/** Node makes a test of a file that crashes, and reports nothing of why. */
function explain(test: TestResult, file: string, tail: string): TestResult {
  if (test.outcome !== "failed" || test.name !== file) return test;
  return { ...test, detail: `${test.detail}\n${tail}` };
}

function testCommand(
  { id, command }: RuntimeCommand,
  file: string,
  { filter, report }: TestFileOptions,
): string[] {
  const [executable = "", ...args] = command;
  if (id === "deno") {
    const only = filter.length > 0 ? [`--filter=/${pattern(filter)}/`] : [];
    const flags = ["--allow-all", "--no-check", `--junit-path=${report}`];
    return [executable, "test", ...flags, ...only, file];
  }
  if (id === "bun") {
    const only = filter.length > 0 ? [`${BY_NAME}${pattern(filter)}`] : [];
    const flags = ["--timeout=60000", "--isolate", "--reporter=junit"];
    const to = `--reporter-outfile=${report}`;
    return [executable, "test", ...flags, to, ...only, `./${file}`];
  }
  const only = filter.length > 0 ? [`${BY_NAME}${pattern(filter)}`] : [];
  const flags = [
    ...["--test-reporter=spec", "--test-reporter-destination=stdout"],
    ...["--test-reporter=junit", `--test-reporter-destination=${report}`],
  ];
  return [executable, ...args, "--test", ...flags, ...only, file];
}

const BY_NAME = "--test-name-pattern=";

function pattern(filter: string | readonly string[]): string {
  return [filter].flat().map(escape).join("|");
}

function escape(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

interface Run {
  /** What it wrote to stdout and stderr. */
  readonly output: string;
  /** Why the run as a whole failed, or an empty text. */
  readonly failure: string;
}

async function run(
  executable: string,
  args: string[],
  { env, cwd, longestMs = LONGEST_MS }: TestFileOptions,
): Promise<Run> {
  const child = new Deno.Command(executable, {
    args,
    cwd,
    env,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const reads = [collect(child.stdout), collect(child.stderr)];
  const { hung, code } = await settled(child, longestMs);
  // A process that a test left behind may keep the pipes open for ever.
  await Promise.race([Promise.all(reads.map(({ done }) => done)), wait(1000)]);
  const output = reads.map(({ text }) => text()).join("\n");
  if (hung) return { output, failure: HANGS };
  return { output, failure: code === 0 ? "" : `exits with code ${code}` };
}

async function settled(
  child: Deno.ChildProcess,
  longestMs: number,
): Promise<{ hung: boolean; code: number }> {
  let hung = false;
  const kill = (signal: Deno.Signal) => () => {
    hung = true;
    child.kill(signal);
  };
  // Node passes SIGTERM on to the process of the test file.
  const timers = [
    setTimeout(kill("SIGTERM"), longestMs),
    setTimeout(kill("SIGKILL"), longestMs + 2000),
  ];
  const { code } = await child.status;
  timers.forEach(clearTimeout);
  return { hung, code };
}

function collect(
  stream: ReadableStream<Uint8Array>,
): { done: Promise<void>; text: () => string } {
  let text = "";
  const sink = new WritableStream<string>({
    write: (chunk) => void (text += chunk),
  });
  const done = stream.pipeThrough(new TextDecoderStream()).pipeTo(sink);
  return { done, text: () => text };
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => {
    Deno.unrefTimer(setTimeout(resolve, ms));
  });
}

async function readReport(path: string): Promise<TestResult[]> {
  try {
    return parseJunit(await Deno.readTextFile(path));
  } catch {
    return [];
  }
}
