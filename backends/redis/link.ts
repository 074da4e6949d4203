import { runtime } from "../../runtime/mod.ts";
import type { MaybePromise } from "../../runtime/types.ts";
import { type Deadline, Deadlines } from "../core/deadlines.ts";
import type { Connection, Connector } from "./connector.ts";
import { isRefusal, ServerFault, toServerFault } from "./faults.ts";
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

/** How a call is made. */
export interface CallOptions {
  /** For how long to go on, in milliseconds. */
  readonly limitMs: number;
  /** After how many silent milliseconds to send the call again. */
  readonly paceMs: number;
  /** Whether to go on when the server cannot be reached at all. */
  readonly persistent: boolean;
  /** Whether the process stays alive for the answer. */
  readonly keepAlive: boolean;
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

const { monotonic } = runtime.clock;
const awaited = new Deadlines(runtime.timers, monotonic, { keepAlive: true });
const unawaited = new Deadlines(runtime.timers, monotonic, {
  keepAlive: false,
});

// Connections that were given up as silent, but may still bring an answer.
const MOST_RETIRED = 4;

/** An open connection and what is under way on it. */
interface Line {
  readonly connection: Connection;
  pending: number;
  /** When the last answer came, on the monotonic clock. */
  heardAt: number;
  retired: boolean;
}

/**
 * The way to one server: one connection, opened on first use, shared by all
 * locks, and replaced when it breaks or falls silent.
 *
 * A call whose answer does not come is sent again, on a fresh connection; the
 * scripts are made for it. The silent connection sends nothing more, but its
 * answers are still heard: a slow server is no lost one.
 */
export class Link {
  readonly connector: Connector;
  #line: Line | null = null;
  #opening: Promise<Line> | null = null;
  readonly #retired: Line[] = [];
  readonly #exchanges = new Set<Exchange>();
  #fault: ServerFault | null = null;
  #prepared = false;

  /** @param connector How the server is reached. */
  constructor(connector: Connector) {
    this.connector = connector;
  }

  /**
   * What is wrong with the server now: the last failure since it last answered,
   * or that a call has been waiting for long.
   */
  get trouble(): ServerFault | null {
    if (this.#fault) return this.#fault;
    for (const { waitedMs } of this.#exchanges) {
      if (waitedMs > NOTICEABLE_MS) return this.silence(waitedMs);
    }
    return null;
  }

  /**
   * Calls a script.
   *
   * @param call The call.
   * @param options How it is made.
   * @returns The server's answer.
   * @throws {ServerFault} If there is none.
   */
  call(call: Call, options: CallOptions): Promise<Answer> {
    // The time to load the driver is not the server's.
    if (this.#prepared) return this.#exchange(call, options);
    return this.connector.prepare().then(
      () => {
        this.#prepared = true;
        return this.#exchange(call, options);
      },
      (error) => {
        throw toServerFault(this.connector.label, error);
      },
    );
  }

  #exchange(call: Call, options: CallOptions): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const exchange: Exchange = new Exchange(this, call, options, {
        resolve: (answer) => {
          this.#exchanges.delete(exchange);
          this.#fault = null;
          resolve(answer);
        },
        reject: (fault) => {
          this.#exchanges.delete(exchange);
          reject(fault);
        },
      });
      this.#exchanges.add(exchange);
      exchange.start();
    });
  }

  /**
   * The open connection, or a new one.
   *
   * @returns It, at once where it is open.
   */
  line(): MaybePromise<Line> {
    return this.#line ?? (this.#opening ??= this.#open());
  }

  /**
   * Sends nothing more on a connection that stays silent.
   *
   * @param line The connection; null while it is being opened.
   */
  retire(line: Line | null): void {
    // Somebody else's connection is theirs to replace; and one that is being
    // opened ends by its own limit.
    if (line === null || !this.connector.replaceable || line.retired) return;
    line.retired = true;
    if (this.#line === line) this.#line = null;
    this.#retired.push(line);
    if (this.#retired.length > MOST_RETIRED) this.#drop(this.#retired[0]!);
  }

  /**
   * Ends a connection that broke, or whose answers are out of order.
   *
   * @param line The connection.
   */
  abandon(line: Line): void {
    if (this.connector.replaceable) this.#drop(line);
  }

  /**
   * Counts the calls under way on a connection.
   *
   * @param line The connection.
   * @param change 1 for a call that begins, -1 for one that ends.
   */
  count(line: Line, change: 1 | -1): void {
    line.pending += change;
    if (line.retired && line.pending === 0) this.#drop(line);
  }

  /**
   * Notes what went wrong. What the server refuses concerns one call alone.
   *
   * @param error What was thrown.
   * @returns The fault.
   */
  note(error: unknown): ServerFault {
    const fault = toServerFault(this.connector.label, error);
    if (fault.kind !== "refused") this.#fault = fault;
    return fault;
  }

  /**
   * Says that there was no answer.
   *
   * @param ms For how long.
   * @returns The fault.
   */
  silence(ms: number): ServerFault {
    return new ServerFault(
      "silent",
      `${this.connector.label}: no answer for ${Math.round(ms)} ms`,
    );
  }

  async #open(): Promise<Line> {
    try {
      let line: Line | null = null;
      const connection = await this.connector.connect((error) => {
        this.note(error);
        if (line) this.#drop(line);
      });
      line = { connection, pending: 0, heardAt: 0, retired: false };
      return this.#line = line;
    } finally {
      this.#opening = null;
    }
  }

  #drop(line: Line): void {
    if (this.#line === line) this.#line = null;
    const index = this.#retired.indexOf(line);
    if (index >= 0) this.#retired.splice(index, 1);
    line.connection.close();
  }
}

// How long a call may take before its silence is worth a word, in milliseconds.
const NOTICEABLE_MS = 250;

interface Outcome {
  resolve(answer: Answer): void;
  reject(fault: ServerFault): void;
}

/** One call until its answer, sent as often as it takes. */
class Exchange {
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

  get waitedMs(): number {
    return monotonic() - this.#began;
  }

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
    if (this.#stamps.includes(String(stamp))) {
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
