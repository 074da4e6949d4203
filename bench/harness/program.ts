/**
 * Processes that measure, each told what to do by lines of JSON.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import { eachLine } from "../../tests/faults/lines.ts";
import type { Orders } from "../programs/contender.ts";

/** A process that says when it is ready, and then answers each line with one. */
export class Program {
  /** What it goes by in the results. */
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #asked: ((answer: Answer) => void)[] = [];
  readonly #end: Promise<string>;
  readonly #ready: Promise<unknown>;
  #says = "";

  constructor(name: string, [file = "", ...args]: readonly string[]) {
    this.name = name;
    this.#child = spawn(file, args, { stdio: ["pipe", "pipe", "pipe"] });
    eachLine(this.#child.stdout!, (line) => {
      this.#asked.shift()?.(JSON.parse(line));
    });
    this.#child.stderr!.on("data", (data) => this.#says += data);
    this.#end = new Promise((resolve) => {
      this.#child.on("error", (error) => resolve(String(error)));
      this.#child.on("close", (code, signal) => {
        resolve(`ended with ${code ?? signal}\n${this.#says}`);
      });
    });
    this.#ready = this.#answer();
    this.#ready.catch(() => {});
  }

  /** Waits until it is ready. */
  async ready(): Promise<void> {
    await this.#ready;
  }

  /**
   * Has the process do something.
   *
   * @param order What.
   * @param what How.
   * @returns What it answered.
   * @throws {Error} If it could not, or ended; says what it said.
   */
  async ask<K extends keyof Orders>(
    order: K,
    what: Parameters<Orders[K]>[0],
  ): Promise<Awaited<ReturnType<Orders[K]>>> {
    const answer = this.#answer();
    this.#child.stdin!.write(`${JSON.stringify({ order, ...what })}\n`);
    return await answer as Awaited<ReturnType<Orders[K]>>;
  }

  /** Ends the process. */
  async end(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#end;
  }

  async #answer(): Promise<Answer> {
    const answer = await Promise.race([
      new Promise<Answer>((resolve) => this.#asked.push(resolve)),
      this.#end.then((error) => ({ error })),
    ]);
    if (answer.error) throw new Error(`${this.name}: ${answer.error}`);
    return answer;
  }
}

/** What a program answers. */
interface Answer {
  readonly error?: string;
}
