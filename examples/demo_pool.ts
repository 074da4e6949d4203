/** The demo's worker processes: started, listened to, killed. */
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Plan, WorkerEvent } from "./demo_events.ts";

/** A way to run a TypeScript file. */
export interface RuntimeCommand {
  /** Which runtime it is. */
  readonly id: string;
  /** The command, to be followed by the file and its arguments. */
  readonly command: readonly string[];
}

/** A worker process. */
export interface Worker {
  /** Its name in this demo. */
  readonly id: string;
  /** Its runtime and version, once it has told them. */
  runtime: string;
  /** Its process id; 0 until it has told it. */
  pid: number;
  /** Whether it has ended. */
  ended: boolean;
  /** The process. */
  readonly process: ChildProcess;
}

/** What happens to the workers of a pool. */
export interface PoolHandlers {
  /** A worker reports. */
  onEvent(worker: Worker, event: WorkerEvent): void;
  /** A worker has ended. */
  onEnd(worker: Worker, how: string): void;
}

const workerFile = fileURLToPath(new URL("./demo_worker.ts", import.meta.url));

/**
 * Starts a worker on each of some runtimes.
 *
 * @param runtimes One for each worker.
 * @param plan What the workers are given.
 * @param handlers What to call.
 * @returns The workers.
 */
export function startWorkers(
  runtimes: readonly RuntimeCommand[],
  plan: Plan,
  handlers: PoolHandlers,
): Worker[] {
  return runtimes.map((runtime, index) => {
    const [file = "", ...args] = [
      ...runtime.command,
      workerFile,
      JSON.stringify(plan),
    ];
    const child = spawn(file, args, { stdio: ["ignore", "pipe", "inherit"] });
    const worker = {
      id: `w${index + 1}`,
      runtime: runtime.id,
      pid: 0,
      ended: false,
      process: child,
    };
    listen(worker, handlers);
    return worker;
  });
}

function listen(worker: Worker, handlers: PoolHandlers): void {
  const end = (how: string): void => {
    if (worker.ended) return;
    worker.ended = true;
    handlers.onEnd(worker, how);
  };
  const output = worker.process.stdout;
  if (output === null) throw new Error("A worker's output is not a pipe");
  createInterface({ input: output }).on("line", (line) => {
    const event = JSON.parse(line) as WorkerEvent;
    if (event.type === "ready") {
      worker.pid = event.pid;
      worker.runtime = event.runtime;
    }
    handlers.onEvent(worker, event);
  });
  worker.process.on("error", (error) => end(error.message));
  // "close", not "exit": by then every line has been read.
  worker.process.on("close", (code, signal) => end(signal ?? `exit ${code}`));
}

/**
 * Kills a worker with SIGKILL: it cannot release anything.
 *
 * @param worker The worker.
 */
export function killWorker(worker: Worker): void {
  if (worker.ended) return;
  // Its own word first: the child may be a launcher.
  if (worker.pid > 0) killProcess(worker.pid);
  worker.process.kill("SIGKILL");
}

function killProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself in this moment.
  }
}
