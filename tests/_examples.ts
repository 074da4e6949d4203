/** Running the examples, as their readers do. */
import type { Child } from "./_child.ts";
import { programFile } from "./_fixture.ts";
import type { Processes } from "./_processes.ts";
import { currentRuntime, type TestRuntime } from "./_runtimes.ts";

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
