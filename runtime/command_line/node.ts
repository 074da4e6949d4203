import type * as ChildProcesses from "node:child_process";
import type * as Fs from "node:fs";
import type * as Os from "node:os";
import { systemCode, toFault } from "../fault.ts";
import { builtin } from "../process.ts";
import { report } from "./report.ts";
import type {
  CommandLine,
  End,
  Files,
  Program,
  Signal,
  StartOptions,
} from "./types.ts";

/**
 * The adapter to Node, and to Bun, which has the same modules.
 *
 * @returns The adapter.
 */
export function createNodeCommandLine(): CommandLine {
  const process = builtin<NodeJS.Process>("node:process");
  return {
    args: process.argv.slice(2),
    files,
    environment: () => ({ ...process.env }) as Record<string, string>,
    print: (text) => write(1, text),
    report,
    exit: (code) => process.exit(code),
    start,
    onSignal: (name, callback) => void process.on(name, callback),
    kill(pid, name): void {
      try {
        process.kill(pid, name);
      } catch {
        // It has ended, or is not ours.
      }
    },
    signalNumber: (name) => signals()[name] ?? 0,
  };
}

function fs(): typeof Fs {
  return builtin<typeof Fs>("node:fs");
}

function signals(): Record<string, number> {
  return builtin<typeof Os>("node:os").constants.signals;
}

// process.stdout would buffer what a pipe does not take at once, and an exit
// would cut it off.
function write(descriptor: number, text: string): void {
  let bytes = new TextEncoder().encode(text);
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(fs().writeSync(descriptor, bytes));
    } catch (error) {
      // A full pipe that does not block: whoever reads it makes room.
      if (systemCode(error) !== "EAGAIN") return;
    }
  }
}

function start(
  [file = "", ...args]: readonly string[],
  { environment, streams }: StartOptions,
): Program {
  const { spawn } = builtin<typeof ChildProcesses>("node:child_process");
  const stdio: ChildProcesses.StdioOptions = streams === "inherited"
    ? "inherit"
    : ["pipe", "ignore", "ignore"];
  try {
    return new NodeProgram(
      file,
      spawn(file, args, {
        env: environment,
        stdio,
        detached: streams === "watching",
      }),
    );
  } catch (error) {
    throw toFault(`run "${file}"`, error);
  }
}

class NodeProgram implements Program {
  readonly ended: Promise<End>;
  // Held as long as the program is: its input would end with it.
  readonly #child: ChildProcesses.ChildProcess;

  constructor(file: string, child: ChildProcesses.ChildProcess) {
    this.#child = child;
    this.ended = new Promise((resolve, reject) => {
      // Also what cannot be signalled tells of it so: it runs on all the same.
      child.on("error", (error) => {
        if (child.pid === undefined) reject(toFault(`run "${file}"`, error));
      });
      child.on("exit", (code, signal) => resolve({ code, signal }));
    });
    child.stdin?.on("error", () => {});
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  kill(name: Signal): void {
    this.#child.kill(name);
  }
}

const files: Files = {
  names(path): string[] {
    try {
      return fs().readdirSync(path);
    } catch (error) {
      throw toFault(`read the directory "${path}"`, error);
    }
  },

  text(path): string | null {
    try {
      return fs().readFileSync(path, "utf8");
    } catch {
      return null;
    }
  },

  executable(path): "yes" | "no" | "missing" {
    try {
      const info = fs().statSync(path);
      return info.isFile() && (info.mode & 0o111) !== 0 ? "yes" : "no";
    } catch (error) {
      const missing = ["ENOENT", "ENOTDIR"].includes(systemCode(error));
      return missing ? "missing" : "no";
    }
  },

  real(path): string {
    try {
      return fs().realpathSync(path);
    } catch {
      return path;
    }
  },
};
