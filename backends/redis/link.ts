import type { MaybePromise } from "../../runtime/types.ts";
import type { CallOptions } from "../core/call_options.ts";
import type { Connector } from "./connector.ts";
import { type Answer, type Call, Exchange, type Line } from "./exchange.ts";
import { ServerFault, toServerFault } from "./faults.ts";

// Connections that were given up as silent, but may still bring an answer.
const MOST_RETIRED = 4;

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
      const made = { call, options, resolve, reject };
      const exchange = new Exchange(this, made);
      this.#exchanges.add(exchange);
      exchange.start();
    });
  }

  /**
   * Notes that a call is over.
   *
   * @param exchange The call.
   * @param answered Whether the server answered it.
   */
  onEnd(exchange: Exchange, answered: boolean): void {
    this.#exchanges.delete(exchange);
    if (answered) this.#fault = null;
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
