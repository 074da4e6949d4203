/** Starting fixtures, and ending every one that was started. */
import { Child, type Exit } from "./_child.ts";
import { fixture } from "./_fixture.ts";
import { currentRuntime, type TestRuntime } from "./_runtimes.ts";
import { within } from "./_time.ts";
import { Worker } from "./_worker.ts";

/** What starts processes that end with the test. */
export interface Processes {
  /** Starts a worker and waits until it obeys. */
  worker(runtime?: TestRuntime): Promise<Worker>;
  /** Starts a fixture. */
  script(runtime: TestRuntime, file: string, ...args: string[]): Child;
  /** Starts any program. */
  program(command: string, ...args: string[]): Child;
}

/** Runs a test with processes, and ends them all, however it goes. */
export async function withProcesses<T>(
  run: (processes: Processes) => Promise<T>,
): Promise<T> {
  const children: Child[] = [];
  const keep = (child: Child): Child => {
    children.push(child);
    return child;
  };
  try {
    return await run({
      async worker(runtime = currentRuntime()): Promise<Worker> {
        const worker = new Worker(runtime);
        keep(worker.child);
        await worker.start();
        return worker;
      },
      script: (runtime, file, ...args) =>
        keep(new Child([...runtime.command, fixture(file), ...args])),
      program: (...command) => keep(new Child(command)),
    });
  } finally {
    await Promise.all(children.map((child) => child.end()));
  }
}

/** Runs a fixture to its end. */
export async function runScript(
  runtime: TestRuntime,
  file: string,
  ...args: string[]
): Promise<Exit & { output: string; errors: string }> {
  return await withProcesses(async ({ script }) => {
    const child = script(runtime, file, ...args);
    const exit = await within(20_000, file, child.exited);
    return { ...exit, output: child.lines.join("\n"), errors: child.errors };
  });
}
