/** The runtimes that fixtures are started in. */
import process from "node:process";

/** A way to run a TypeScript file. */
export interface TestRuntime {
  /** Such as `deno` or `node-24`. */
  id: string;
  /** The command that a file's path is appended to. */
  command: string[];
}

/** The runtime that runs this test. */
export function currentRuntime(): TestRuntime {
  const { deno, bun, node } = process.versions;
  if (deno) {
    return { id: "deno", command: [process.execPath, "run", "-A", "-q"] };
  }
  if (bun) return { id: "bun", command: [process.execPath] };
  return { id: `node-${node.split(".")[0]}`, command: [process.execPath] };
}

/**
 * The runtimes to try with one another: those of `LOCKING_TEST_RUNTIMES`, a
 * JSON array of {@linkcode TestRuntime}; else the current one alone.
 */
export function testRuntimes(): TestRuntime[] {
  const given = process.env.LOCKING_TEST_RUNTIMES;
  return given ? JSON.parse(given) as TestRuntime[] : [currentRuntime()];
}

/** The runtime for the n-th of some processes: each in turn. */
export function nthRuntime(n: number): TestRuntime {
  const runtimes = testRuntimes();
  return runtimes[n % runtimes.length] ?? currentRuntime();
}

/** Whether the run is a long one, for measuring rather than for checking. */
export function longRun(): boolean {
  return Boolean(process.env.LOCKING_LONG);
}
