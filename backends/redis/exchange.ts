import { runtime } from "../../runtime/mod.ts";
import type { CallOptions } from "../core/call_options.ts";
import { type Deadline, Deadlines } from "../core/deadlines.ts";
import { type Moment, readMoment } from "../core/lease_clock.ts";
import type { Connection } from "./connector.ts";
import { isRefusal, isUnknownScript, type ServerFault } from "./faults.ts";
import type { Link } from "./link.ts";
import type { Script } from "./scripts.ts";
import { makeStamp } from "./stamp.ts";

/** A script call; a stamp is put before the arguments. */
export interface Call {
  /** The script. */
  readonly script: Script;
  /** Its keys. */
  readonly keys: string[];
  /** Its arguments after the stamp. */
  readonly args: string[];
  /** Called with what is answered after the call has failed. */
  readonly late?: ((answer: Answer) => void) | undefined;
}

/** A server's answer to a call. */
export interface Answer {
  /** When the try was sent that it belongs to. */
  readonly sentAt: Moment;
  /** What the server says. */
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

/** What a call is made of. */
export interface ExchangeOptions {
  /** The call. */
  readonly call: Call;
  /** How it is made. */
  readonly options: CallOptions;
  /** Called with the answer. */
  resolve(answer: Answer): void;
  /** Called when there is none. */
  reject(fault: ServerFault): void;
}

interface Try {
  readonly stamp: string;
  readonly sentAt: Moment;
}

/** One call until its answer, sent as often as it takes. */
export class Exchange implements Deadline {
  /** When to go on unless there is an answer, on the monotonic clock. */
  at = 0;
  place = -1;
  readonly #link: Link;
  readonly #made: ExchangeOptions;
  readonly #deadlines: Deadlines;
  readonly #tries: Try[] = [];
  readonly #began = monotonic();
  #line: Line | null = null;
  // What went wrong with the last try, while the next one is put off.
  #fault: ServerFault | null = null;
  #over = false;
  #failed = false;

  /**
   * @param link The way to the server.
   * @param made What it is made of.
   */
  constructor(link: Link, made: ExchangeOptions) {
    this.#link = link;
    this.#made = made;
    this.#deadlines = made.options.keepAlive ? awaited : unawaited;
  }

  /** For how long the call has been under way, in milliseconds. */
  get waitedMs(): number {
    return monotonic() - this.#began;
  }

  /** Makes the first try. */
  start(): void {
    this.#wait(this.#made.options.paceMs);
    this.#try();
  }

  /** Nothing was heard in time, or it is time for another try. */
  expire(): void {
    const fault = this.#fault;
    this.#fault = null;
    if (fault === null) this.#onSilence();
    else this.#retry(fault);
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
    const sentAt = readMoment(runtime.clock);
    const stamp = makeStamp(sentAt);
    this.#tries.push({ stamp, sentAt });
    this.#run(line, stamp, false);
  }

  #run(line: Line, stamp: string, byText: boolean): void {
    this.#link.count(line, 1);
    let answered: Promise<unknown>;
    try {
      answered = line.connection.run(this.#made.call, stamp, byText);
    } catch (error) {
      // A client that the caller brought may be of any make.
      answered = Promise.reject(error);
    }
    answered.then(
      (answer) => {
        line.heardAt = monotonic();
        this.#link.count(line, -1);
        this.#onAnswer(line, answer);
      },
      (error) => {
        this.#link.count(line, -1);
        if (!byText && isUnknownScript(error)) this.#run(line, stamp, true);
        else this.#onFailure(line, error);
      },
    );
  }

  #onAnswer(line: Line, answer: unknown): void {
    const values = Array.isArray(answer) ? answer : [];
    for (const { stamp, sentAt } of this.#tries) {
      if (stamp !== values[0]) continue;
      const repeated = this.#tries.length > 1;
      const whole = { sentAt, values: values.slice(1), repeated };
      if (this.#end(true)) this.#made.resolve(whole);
      else if (this.#failed) this.#made.call.late?.(whole);
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
    if (line === null && !this.#made.options.persistent) {
      return this.#fail(fault);
    }
    this.#line = null;
    this.#fault = fault;
    // A connection may have been long dead without our knowing: the first
    // time, a fresh one is tried at once.
    const isFirst = this.#tries.length === 1 && line !== null;
    this.#wait(isFirst ? 0 : this.#made.options.paceMs);
  }

  #onSilence(): void {
    // A connection that brings the answers of others is busy, and not silent.
    const quietMs = monotonic() - (this.#line?.heardAt ?? 0);
    const { paceMs, limitMs } = this.#made.options;
    if (quietMs < paceMs && this.waitedMs < limitMs) {
      return this.#wait(paceMs - quietMs);
    }
    const fault = this.#link.silence(this.waitedMs);
    this.#link.retire(this.#line);
    this.#retry(fault);
  }

  #retry(fault: ServerFault): void {
    const { paceMs, limitMs } = this.#made.options;
    if (this.waitedMs >= limitMs) return this.#fail(fault);
    this.#wait(paceMs);
    this.#try();
  }

  #wait(ms: number): void {
    this.#deadlines.cancel(this);
    const now = monotonic();
    const leftMs = this.#made.options.limitMs - (now - this.#began);
    this.at = now + Math.max(0, Math.min(ms, leftMs));
    this.#deadlines.add(this);
  }

  #fail(fault: ServerFault): void {
    if (this.#end(false)) this.#made.reject(fault);
  }

  #end(answered: boolean): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.#failed = !answered;
    this.#deadlines.cancel(this);
    this.#link.onEnd(this, answered);
    return true;
  }
}
