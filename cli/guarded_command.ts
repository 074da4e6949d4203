import { pause } from "../backends/core/pause.ts";
import { commandLine } from "../runtime/command_line/mod.ts";
import type { End, Program, Signal } from "../runtime/command_line/types.ts";
import { runtime } from "../runtime/mod.ts";
import { EXIT_CODES } from "./exit_codes.ts";
import { Failure } from "./failure.ts";
import { findProgram } from "./find_program.ts";
import { Guard } from "./guard.ts";
import { markedProcesses, sharesForeground } from "./processes.ts";
import { say } from "./say.ts";

// How often to look whether what the command has left behind has ended.
const LOOK_MS = 20;

// What tells a program to end, and is not in use for anything else.
const ENDING: ReadonlySet<Signal> = new Set(["SIGINT", "SIGQUIT", "SIGTERM"]);

// Some cannot be killed: another user's, or one that waits for a disk.
const PATIENCE_MS = 1000;

/** A command that is run while a lock is held, and what it has started. */
export class GuardedCommand {
  readonly #guard: Guard;
  readonly #program: Program;
  readonly #graceMs: number;
  #killAt = Infinity;
  #isTold = false;

  /**
   * Starts it.
   *
   * @param command The command.
   * @param variables What to add to its environment; null takes away.
   * @param graceMs How long what it has started may go on after a signal has
   * ended it, in milliseconds.
   * @throws {Failure} If it cannot be run or found.
   */
  constructor(
    command: readonly string[],
    variables: Readonly<Record<string, string | null>>,
    graceMs: number,
  ) {
    this.#graceMs = graceMs;
    checkProgram(command[0] ?? "");
    this.#guard = new Guard();
    const environment = commandLine.environment();
    // One locking may run another: each finds its own.
    const marks = [environment.LOCKING_RUN, this.#guard.mark].filter(Boolean);
    environment.LOCKING_RUN = marks.join(":");
    for (const [name, value] of Object.entries(variables)) {
      if (value === null) delete environment[name];
      else environment[name] = value;
    }
    const options = { environment, streams: "inherited" } as const;
    this.#program = this.#start(command, options);
  }

  /**
   * Waits for its end, and that of all that it has started if that was ended
   * before its time.
   *
   * @returns How it ended.
   * @throws {Failure} If it could not be run.
   */
  async end(): Promise<End> {
    try {
      const end = await this.#program.ended;
      // A shell that a signal ends leaves what it was waiting for behind: the
      // work itself, which the lock is for.
      const isCutOff = end.signal !== null || this.#isTold;
      if (isCutOff && this.#killAt === Infinity) {
        this.#killAt = runtime.clock.monotonic() + this.#graceMs;
      }
      if (this.#killAt < Infinity) await this.#endRest();
      return end;
    } catch (error) {
      throw toFailure(error);
    } finally {
      this.#guard.dismiss();
    }
  }

  /**
   * Passes a signal on.
   *
   * @param name The signal.
   */
  forward(name: Signal): void {
    this.#isTold ||= ENDING.has(name);
    // To many programs the second Ctrl-C means: at once.
    const isKey = name === "SIGINT" || name === "SIGQUIT";
    if (isKey && sharesForeground(this.#program.pid)) return;
    this.#program.kill(name);
  }

  /**
   * Has it end, and all that it has started: by itself, and then by force.
   *
   * @param afterMs When force is used, in milliseconds from now.
   */
  stop(afterMs: number): void {
    // What a signal has cut off may be ending already, and no later for this.
    const at = runtime.clock.monotonic() + afterMs;
    this.#killAt = Math.min(this.#killAt, at);
    if (afterMs <= 0) return this.#kill();
    this.#program.kill("SIGTERM");
    runtime.timers.after(afterMs, () => this.#kill(), { keepAlive: true });
  }

  #start(
    command: readonly string[],
    options: Parameters<typeof commandLine.start>[1],
  ): Program {
    try {
      return commandLine.start(this.#guard.tie(command), options);
    } catch (error) {
      this.#guard.dismiss();
      throw toFailure(error);
    }
  }

  // The command first: then nobody starts more of them.
  #kill(): void {
    this.#program.kill("SIGKILL");
    for (const pid of this.#rest()) commandLine.kill(pid, "SIGKILL");
  }

  // What it has left behind gets the rest of the time.
  async #endRest(): Promise<void> {
    for (const pid of this.#rest()) commandLine.kill(pid, "SIGTERM");
    let rest = this.#rest();
    for (; rest.length > 0; rest = this.#rest()) {
      const lateMs = runtime.clock.monotonic() - this.#killAt;
      if (lateMs > PATIENCE_MS) break;
      if (lateMs >= 0) this.#kill();
      await pause(LOOK_MS);
    }
    if (rest.length > 0) say(`Cannot kill process ${rest.join(", ")}`);
  }

  #rest(): number[] {
    return markedProcesses(this.#guard.mark);
  }
}

function checkProgram(name: string): void {
  const { path, exists } = findProgram(name);
  if (path !== null) return;
  throw exists
    ? new Failure(
      EXIT_CODES.notExecutable,
      `Cannot run "${name}": it is not executable`,
    )
    : new Failure(EXIT_CODES.notFound, `Cannot run "${name}": not found`);
}

function toFailure(error: unknown): Failure {
  return new Failure(EXIT_CODES.notExecutable, (error as Error).message);
}
