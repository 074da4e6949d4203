/** The command `locking`, as tests run it. */
import type { Child } from "./_child.ts";
import { programFile } from "./_fixture.ts";
import { type Processes, withProcesses } from "./_processes.ts";
import { currentRuntime } from "./_runtimes.ts";
import { within } from "./_time.ts";
import type { LockSpec } from "./fixtures/protocol.ts";

const cli = programFile("cli.ts");

/** The whole command line of `locking` in the current runtime. */
export function commandLine(...args: readonly string[]): string[] {
  return [...currentRuntime().command, cli, ...args];
}

/** Starts `locking` in the current runtime. */
export function startLocking(
  { program }: Processes,
  ...args: readonly string[]
): Child {
  const [command = "", ...rest] = commandLine(...args);
  return program(command, ...rest);
}

/** What came of a `locking` that has ended. */
export interface Outcome {
  /** Its exit code; null where a signal ended it. */
  code: number | null;
  /** What it wrote on standard output. */
  output: string;
  /** What it wrote on standard error. */
  errors: string;
}

/** Runs `locking` to its end. */
export function runLocking(...args: readonly string[]): Promise<Outcome> {
  return withProcesses((processes) =>
    outcome(startLocking(processes, ...args))
  );
}

/** Waits for the end of a `locking`. */
export async function outcome(child: Child): Promise<Outcome> {
  const { code } = await within(15_000, child.describe(), child.exited);
  return { code, output: child.lines.join("\n"), errors: child.errors };
}

/** The options of `locking` that mean where a lock is kept. */
export function optionsFor({ kind, options = {} }: LockSpec): string[] {
  const { directory, hosts, endpoint } = options as Record<string, string>;
  switch (kind) {
    case "FileLock":
      return [`--file=${directory}`];
    case "RedisLock":
      return [`--redis=${hosts}`];
    case "DynamoLock":
      return ["--dynamo=locks", `--endpoint=${endpoint}`];
    default:
      return [];
  }
}
