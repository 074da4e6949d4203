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

const encoder = new TextEncoder();

/**
 * The adapter to Deno's own APIs. `node:child_process` will not do: it gives a
 * Deno that it starts permissions which nobody has asked for.
 *
 * @returns The adapter.
 */
export function createDenoCommandLine(): CommandLine {
  return {
    args: Deno.args,
    files,
    environment: () => Deno.env.toObject(),
    print,
    report,
    exit: (code) => Deno.exit(code),
    start,
    onSignal: (name, callback) => Deno.addSignalListener(name, callback),
    kill(pid, name): void {
      try {
        Deno.kill(pid, name);
      } catch {
        // It has ended, or is not ours.
      }
    },
    signalNumber: (name) => signals()[name] ?? 0,
  };
}

function signals(): Record<string, number> {
  return builtin<typeof import("node:os")>("node:os").constants.signals;
}

function print(text: string): void {
  let bytes = encoder.encode(text);
  try {
    while (bytes.length > 0) {
      bytes = bytes.subarray(Deno.stdout.writeSync(bytes));
    }
  } catch {
    // Nobody reads it any more.
  }
}

function start(
  [file = "", ...args]: readonly string[],
  { environment, streams }: StartOptions,
): Program {
  const stdin = streams === "inherited" ? "inherit" : "piped";
  const output = streams === "inherited" ? "inherit" : "null";
  try {
    const child = new Deno.Command(file, {
      args,
      env: { ...environment },
      clearEnv: true,
      stdin,
      stdout: output,
      stderr: output,
      detached: streams === "watching",
    }).spawn();
    return new DenoProgram(child);
  } catch (error) {
    throw toFault(`run "${file}"`, error);
  }
}

class DenoProgram implements Program {
  readonly ended: Promise<End>;
  // Held as long as the program is: its input would end with it.
  readonly #child: Deno.ChildProcess;

  constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.ended = child.status.then(({ code, signal }) => ({
      code: signal === null ? code : null,
      signal,
    }));
  }

  get pid(): number {
    return this.#child.pid;
  }

  kill(name: Signal): void {
    try {
      this.#child.kill(name);
    } catch {
      // It has ended.
    }
  }
}

const files: Files = {
  names(path): string[] {
    try {
      return [...Deno.readDirSync(path)].map(({ name }) => name);
    } catch (error) {
      throw toFault(`read the directory "${path}"`, error);
    }
  },

  text(path): string | null {
    try {
      return Deno.readTextFileSync(path);
    } catch {
      return null;
    }
  },

  executable(path): "yes" | "no" | "missing" {
    try {
      const { isFile, mode } = Deno.statSync(path);
      return isFile && (mode === null || (mode & 0o111) !== 0) ? "yes" : "no";
    } catch (error) {
      const missing = ["ENOENT", "ENOTDIR"].includes(systemCode(error));
      return missing ? "missing" : "no";
    }
  },

  real(path): string {
    try {
      return Deno.realPathSync(path);
    } catch {
      return path;
    }
  },
};
