/** Running the examples, as their readers do. */
import assert from "node:assert/strict";
import type { Child } from "./_child.ts";
import { programFile } from "./_fixture.ts";
import type { Processes } from "./_processes.ts";
import { currentRuntime, type TestRuntime } from "./_runtimes.ts";
import { within } from "./_time.ts";

/**
 * Within how many milliseconds a dead holder's lock is another's: the examples'
 * locks have the default time to live of five seconds, and who waits for one
 * asks again after half a second at the most.
 */
export const TAKEOVER_MS = 10_000;

/** How an example is started. */
export interface ExampleOptions {
  /** Variables of its environment. */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * What it runs on.
   *
   * @default {the runtime of the test}
   */
  readonly runtime?: TestRuntime;
}

/** Starts an example with variables of its own. */
export function startExample(
  { program }: Processes,
  [file = "", ...args]: readonly string[],
  { env = {}, runtime = currentRuntime() }: ExampleOptions = {},
): Child {
  const settings = Object.entries(env).map(([name, value]) =>
    `${name}=${value}`
  );
  const path = programFile(`examples/${file}`);
  return program("env", ...settings, ...runtime.command, path, ...args);
}

/** Waits for an example to end, with the given exit code. */
export async function ends(
  child: Child,
  { expected = 0, ms = 10_000 }: { expected?: number; ms?: number } = {},
): Promise<void> {
  const { code } = await within(ms, child.describe(), child.exited);
  assert.equal(code, expected, child.describe());
}
