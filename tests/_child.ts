/** A process that a test started: its lines, its end, and the ending of it. */
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { within } from "./_time.ts";

/** How a process ended. */
export interface Exit {
  /** Its exit code; null when a signal ended it. */
  code: number | null;
  /** The signal that ended it. */
  signal: string | null;
}

/** A running process. */
export class Child {
  /** Settles when the process has ended and its output has been read. */
  readonly exited: Promise<Exit>;
  /** The lines written so far. */
  readonly lines: string[] = [];
  /** What came on standard error. */
  errors = "";
  /** The process to signal; not the one started where that is a wrapper. */
  pid: number;
  readonly #process: ChildProcess;
  readonly #listeners = new Set<(line: string) => void>();
  #rest = "";
  #over = false;

  /** Starts a command. */
  constructor(command: readonly string[], environment: object = {}) {
    const [file = "", ...args] = command;
    this.#process = spawn(file, args, {
      stdio: "pipe",
      env: { ...process.env, ...environment },
    });
    this.pid = this.#process.pid ?? 0;
    this.exited = this.#end();
    this.#process.stdout?.on("data", (data) => this.#read(String(data)));
    this.#process.stderr?.on("data", (data) => this.errors += String(data));
    // A process that is gone cannot be written to; its end tells.
    this.#process.stdin?.on("error", () => {});
  }

  /** Whether the process has ended. */
  get over(): boolean {
    return this.#over;
  }

  /** Calls back for each further line. */
  onLine(listener: (line: string) => void): void {
    this.#listeners.add(listener);
  }

  /** Waits for a line; rejects when the process ends without it. */
  line(expected: string, ms = 10_000): Promise<void> {
    if (this.lines.includes(expected)) return Promise.resolve();
    const seen = new Promise<void>((resolve, reject) => {
      this.onLine((line) => line === expected && resolve());
      this.exited.then(() => reject(new Error(this.describe())));
    });
    return within(ms, `"${expected}" from ${this.describe()}`, seen);
  }

  /** Writes a line to the process. */
  write(line: string): void {
    this.#process.stdin?.write(line + "\n");
  }

  /** Lets the process see the end of its input. */
  endInput(): void {
    this.#process.stdin?.end();
  }

  /** Sends a signal. */
  signal(name: NodeJS.Signals): void {
    if (!this.#over) process.kill(this.pid, name);
  }

  /** Ends the process and waits for its end. */
  async end(): Promise<void> {
    this.signal("SIGKILL");
    await within(10_000, "the end of a killed process", this.exited);
  }

  /** The process in a message. */
  describe(): string {
    const command = this.#process.spawnargs.join(" ");
    return `${command}\n${this.lines.join("\n")}\n${this.errors}`;
  }

  #end(): Promise<Exit> {
    return new Promise((resolve, reject) => {
      this.#process.on("error", reject);
      this.#process.on("exit", () => this.#over = true);
      this.#process.on("close", (code, signal) => resolve({ code, signal }));
    });
  }

  #read(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      this.lines.push(line);
      for (const listener of this.#listeners) listener(line);
    }
  }
}
