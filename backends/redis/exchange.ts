import { runtime } from "../../runtime/mod.ts";
import type { CallOptions } from "../core/call_options.ts";
import { type Deadline, Deadlines } from "../core/deadlines.ts";
import type { Connection } from "./connector.ts";
import { isRefusal, type ServerFault } from "./faults.ts";
import type { Link } from "./link.ts";
import type { Script } from "./scripts.ts";
import { makeStamp } from "./stamp.ts";

/** A script call; the stamp is put before the arguments. */
export interface Call {
  /** The script. */
  readonly script: Script;
  /** Its keys. */
  readonly keys: string[];
  /** Its arguments after the stamp. */
  readonly args: string[];
}

/** A server's answer to a call. */
export interface Answer {
  /** The stamp of the try that it belongs to. */
  readonly stamp: string;
  /** What follows the stamp. */
  readonly values: readonly unknown[];
  /** Whether an earlier try may have had the call's effect already. */
  readonly repeated: boolean;
}

/**
 * Whether a server still had the lock when it was given back, as far as its
 * answer tells: to a call that was repeated, the first try may have been it.
 *
 * @param answer The answer.
 * @returns Whether it had.
 */
export function wasHeld({ values, repeated }: Answer): boolean {
  return repeated || Number(values[0]) === 1;
}

const { monotonic } = runtime.clock;
const awaited = new Deadlines(runtime.timers, monotonic, { keepAlive: true });
const unawaited = new Deadlines(runtime.timers, monotonic, {
  keepAlive: false,
});

/** An open connection and what is under way on it. */
export interface Line {
  /** The connection. */
  readonly connection: Connection;
  /** How many calls are under way. */
  pending: number;
  /** When the last answer came, on the monotonic clock. */
  heardAt: number;
  /** Whether nothing more is sent on it. */
  retired: boolean;
}

/** What becomes of an exchange. */
export interface Outcome {
  /** There is an answer. */
  resolve(answer: Answer): void;
  /** There is none. */
  reject(fault: ServerFault): void;
}

/** One call until its answer, sent as often as it takes. */
export class Exchange {
  readonly #link: Link;
  readonly #call: Call;
  readonly #options: CallOptions;
  readonly #outcome: Outcome;
  readonly #deadlines: Deadlines;
  readonly #stamps: string[] = [];
  readonly #began = monotonic();
  #line: Line | null = null;
  #timer: Deadline | null = null;
  #over = false;

  /**
   * @param link The way to the server.
   * @param call The call.
   * @param options How it is made.
   * @param outcome What to tell.
   */
  constructor(
    link: Link,
    call: Call,
    options: CallOptions,
    outcome: Outcome,
  ) {
    this.#link = link;
    this.#call = call;
    this.#options = options;
    this.#outcome = outcome;
    this.#deadlines = options.keepAlive ? awaited : unawaited;
  }

  /** For how long the call has been under way, in milliseconds. */
  get waitedMs(): number {
    return monotonic() - this.#began;
  }

  /** Makes the first try. */
  start(): void {
    this.#wait(() => this.#onSilence());
    this.#try();
  }

  #try(): void {
    this.#line = null;
    const line = this.#link.line();
    if (!(line instanceof Promise)) return this.#send(line);
    line.then(
      (line) => this.#send(line),
      (error) => this.#onFailure(null, error),
    );
  }

  #send(line: Line): void {
    // The connection was slow to open, and another try has been made since.
    if (this.#over || this.#line !== null) return;
    this.#line = line;
    const { script, keys, args } = this.#call;
    const stamp = makeStamp();
    this.#stamps.push(stamp);
    this.#link.count(line, 1);
    line.connection.run(script, keys, [stamp, ...args]).then(
      (answer) => {
        line.heardAt = monotonic();
        this.#link.count(line, -1);
        this.#onAnswer(line, answer);
      },
      (error) => {
        this.#link.count(line, -1);
        this.#onFailure(line, error);
      },
    );
  }

  #onAnswer(line: Line, answer: unknown): void {
    const [stamp, ...values] = Array.isArray(answer) ? answer : [];
    if (typeof stamp === "string" && this.#stamps.includes(stamp)) {
      const repeated = this.#stamps.length > 1;
      if (this.#end()) this.#outcome.resolve({ stamp, values, repeated });
      return;
    }
    this.#onFailure(line, new Error("an answer that belongs to another call"));
  }

  #onFailure(line: Line | null, error: unknown): void {
    const refused = isRefusal(error);
    if (line && !refused) this.#link.abandon(line);
    // That of an older try is no news: it may have been ended by ourselves.
    if (this.#over || line !== this.#line) return;
    const fault = this.#link.note(error);
    if (refused) return this.#fail(fault);
    if (line === null && !this.#options.persistent) return this.#fail(fault);
    this.#line = null;
    // A connection may have been long dead without our knowing: the first
    // time, a fresh one is tried at once.
    const pauseMs = this.#stamps.length === 1 && line !== null ? 0 : undefined;
    this.#wait(() => this.#retry(fault), pauseMs);
  }

  #onSilence(): void {
    // A connection that brings the answers of others is busy, and not silent.
    const quietMs = monotonic() - (this.#line?.heardAt ?? 0);
    const { paceMs, limitMs } = this.#options;
    if (quietMs < paceMs && this.waitedMs < limitMs) {
      return this.#wait(() => this.#onSilence(), paceMs - quietMs);
    }
    const fault = this.#link.silence(this.waitedMs);
    this.#link.retire(this.#line);
    this.#retry(fault);
  }

  #retry(fault: ServerFault): void {
    if (this.waitedMs >= this.#options.limitMs) return this.#fail(fault);
    this.#wait(() => this.#onSilence());
    this.#try();
  }

  #wait(then: () => void, ms = this.#options.paceMs): void {
    if (this.#timer) this.#deadlines.cancel(this.#timer);
    const left = this.#options.limitMs - this.waitedMs;
    this.#timer = {
      at: monotonic() + Math.max(0, Math.min(ms, left)),
      expire: then,
    };
    this.#deadlines.add(this.#timer);
  }

  #fail(fault: ServerFault): void {
    if (this.#end()) this.#outcome.reject(fault);
  }

  #end(): boolean {
    if (this.#over) return false;
    this.#over = true;
    if (this.#timer) this.#deadlines.cancel(this.#timer);
    return true;
  }
}
