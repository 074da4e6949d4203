/**
 * What a command line tool asks of a JavaScript runtime besides what a lock
 * does: arguments, streams, signals and other programs. `mod.ts` loads none of
 * it.
 *
 * @module
 */

/** A JavaScript runtime, as far as a command line tool needs one. */
export interface CommandLine {
  /** The arguments after the program's name. */
  readonly args: readonly string[];
  /** The operating system's files and their kin in `/proc`. */
  readonly files: Files;
  /**
   * All variables of the environment.
   *
   * @returns A copy.
   */
  environment(): Record<string, string>;
  /**
   * Writes to standard output, at once.
   *
   * @param text What to write.
   */
  print(text: string): void;
  /**
   * Writes to standard error, at once.
   *
   * @param text What to write.
   */
  report(text: string): void;
  /**
   * Ends this process.
   *
   * @param code Its exit code.
   */
  exit(code: number): never;
  /**
   * Starts a program, without a shell.
   *
   * @param command The program, looked up in `PATH`, and its arguments.
   * @param options With what it runs.
   * @returns The running program.
   * @throws {RuntimeFault} If it cannot be started.
   */
  start(command: readonly string[], options: StartOptions): Program;
  /**
   * Calls back for a signal instead of what the system would do.
   *
   * @param name The signal.
   * @param callback What to call.
   */
  onSignal(name: Signal, callback: () => void): void;
  /**
   * Sends a signal to a process that may have ended.
   *
   * @param pid The process.
   * @param name The signal.
   */
  kill(pid: number, name: Signal): void;
  /**
   * The number of a signal on this system.
   *
   * @param name The signal's name.
   * @returns The number; 0 where there is no such signal.
   */
  signalNumber(name: string): number;
}

/** A signal that a tool sends or receives. */
export type Signal =
  | "SIGHUP"
  | "SIGINT"
  | "SIGQUIT"
  | "SIGKILL"
  | "SIGTERM"
  | "SIGUSR1"
  | "SIGUSR2";

/** Options of {@linkcode CommandLine.start}. */
export interface StartOptions {
  /** All variables of its environment. */
  readonly environment: Readonly<Record<string, string>>;
  /**
   * Its standard streams: this process's own; or, for a program that watches
   * over this process, an input that ends when this process does, however it
   * ends, and no output.
   */
  readonly streams: "inherited" | "watching";
}

/** A program that this process has started. */
export interface Program {
  /** Its process id. */
  readonly pid: number;
  /** Settles when it has ended; rejects if it could not be started. */
  readonly ended: Promise<End>;
  /**
   * Sends it a signal; does nothing once it has ended.
   *
   * @param name The signal.
   */
  kill(name: Signal): void;
}

/** How a program ended. */
export interface End {
  /** Its exit code; null where a signal ended it. */
  readonly code: number | null;
  /** The name of the signal that ended it, or null. */
  readonly signal: string | null;
}

/** Files, as far as a command line tool looks at them. */
export interface Files {
  /**
   * The names in a directory.
   *
   * @param path The directory.
   * @returns The names, in no order.
   * @throws {RuntimeFault} If it cannot be read.
   */
  names(path: string): string[];
  /**
   * A file's text.
   *
   * @param path The file.
   * @returns The text; null where it cannot be read.
   */
  text(path: string): string | null;
  /**
   * Whether a file can be run as a program.
   *
   * @param path The file.
   * @returns `"no"` also for a directory; `"missing"` where there is no file.
   */
  executable(path: string): "yes" | "no" | "missing";
  /**
   * A path without symbolic links.
   *
   * @param path The path.
   * @returns Where it leads, or the path itself where that cannot be told.
   */
  real(path: string): string;
}
