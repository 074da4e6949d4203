import { farewells } from "../backends/core/farewells.ts";
import { stayAlive } from "../backends/core/stay_alive.ts";
import { commandLine } from "../runtime/command_line/mod.ts";
import { splitArguments } from "./arguments.ts";
import { EXIT_CODES } from "./exit_codes.ts";
import { Failure } from "./failure.ts";
import { parse } from "./program.ts";
import { say } from "./say.ts";

// How long to wait for that, in milliseconds.
const FAREWELL_MS = 2000;

/** Runs the program, and ends the process with its exit code. */
export async function main(): Promise<void> {
  let code: number;
  try {
    const { own, command } = splitArguments(commandLine.args);
    code = await parse(own, command);
  } catch (error) {
    code = explain(error);
  }
  // A connection that is still open need not be waited for; but what was asked
  // for in vain may be granted yet, and nobody would give it back.
  await stayAlive(farewells(), FAREWELL_MS);
  commandLine.exit(code);
}

const CODES: Readonly<Record<string, number>> = {
  LOCK_TIMEOUT: EXIT_CODES.conflict,
  LOCK_LOST: EXIT_CODES.lost,
  LOCK_BACKEND: EXIT_CODES.backend,
  LOCK_UNSUPPORTED: EXIT_CODES.backend,
};

function explain(error: unknown): number {
  const { message, stack } = error as Error;
  const code = codeOf(error);
  const text = code === EXIT_CODES.internal ? stack ?? message : message;
  if (text) say(text);
  return code;
}

function codeOf(error: unknown): number {
  if (error instanceof Failure) return error.exitCode;
  return CODES[(error as { code?: string }).code ?? ""] ?? EXIT_CODES.internal;
}
