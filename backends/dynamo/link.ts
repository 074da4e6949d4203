import { runtime } from "../../runtime/mod.ts";
import type { CallOptions } from "../core/call_options.ts";
import { type Moment, readMoment } from "../core/lease_clock.ts";
import {
  type Driver,
  type DynamoClient,
  loadDriver,
  type RawResponse,
  type Request,
} from "./driver.ts";
import { Exchange } from "./exchange.ts";
import { isConditionFailed, TableFault, toTableFault } from "./faults.ts";
import type { Item } from "./item.ts";
import { TableClock } from "./table_clock.ts";

/** What the service answers, as far as it matters. */
export interface Output {
  /** The item that was read; that stood there when a condition failed. */
  readonly Item?: Item;
  /** What was written. */
  readonly Attributes?: Item;
  /** One page of what a scan found. */
  readonly Items?: readonly Item[];
  /** What a batch found, by tables. */
  readonly Responses?: Readonly<Record<string, readonly Item[]>>;
  /** What of a batch has not been read, by tables. */
  readonly UnprocessedKeys?: Readonly<Record<string, { Keys?: Item[] }>>;
  /** Where the next page begins; undefined on the last one. */
  readonly LastEvaluatedKey?: Item;
  /** About the request. */
  readonly $metadata?: {
    /** How often the driver sent it. */
    readonly attempts?: number;
  };
}

/** Makes a request, for a try that is sent now. */
export type MakeRequest = (sentAt: Moment) => Request;

/** What a {@linkcode Link} is made of. */
export interface LinkOptions {
  /** The table's name. */
  readonly table: string;
  /** The table, for messages. */
  readonly label: string;
  /** Gives the client; called once, on first use. */
  connect(driver: Driver): DynamoClient;
}

const { monotonic } = runtime.clock;

// How long a request may take before its silence is worth a word, besides twice
// what the last answer took.
const NOTICEABLE_MS = 250;

// How long a failure is what is wrong now, while nothing more is asked.
const STALE_MS = 2000;

// How long the first answer of all may take before the question is asked again:
// it needs credentials, the address of a name, and a handshake.
const FIRST_PACE_MS = 2000;

// How long the service's time is taken for known.
const CLOCK_MS = 60_000;

/** The way to a table's service. */
export class Link {
  /** The service's time. */
  readonly clock: TableClock = new TableClock();
  readonly #options: LinkOptions;
  readonly #exchanges = new Set<Exchange<Output>>();
  #driver: Driver | null = null;
  #client: DynamoClient | null = null;
  #fault: TableFault | null = null;
  #failedAt = -Infinity;
  #heardAt = -Infinity;
  #latencyMs = 0;
  #clockHeardAt = -Infinity;

  /** @param options What it is made of. */
  constructor(options: LinkOptions) {
    this.#options = options;
  }

  /** When the service last answered, on the monotonic clock. */
  get heardAt(): number {
    return this.#heardAt;
  }

  /**
   * What is wrong now: the last failure since the service last answered, or
   * that a request has been waiting for long.
   */
  get trouble(): string | null {
    const isNews = this.#exchanges.size > 0 ||
      monotonic() - this.#failedAt < STALE_MS;
    if (this.#fault && isNews) return this.#fault.message;
    const noticeableMs = NOTICEABLE_MS + 2 * this.#latencyMs;
    for (const { waitedMs } of this.#exchanges) {
      if (waitedMs > noticeableMs) return this.#silence(waitedMs).message;
    }
    return null;
  }

  /**
   * Asks the service, as often as it takes to get an answer.
   *
   * @param make Makes the request, anew for each try.
   * @param options How it is asked.
   * @returns The answer.
   * @throws {TableFault} If there is none, or it is a refusal; what the driver
   * threw where a write's condition did not hold.
   */
  async ask(make: MakeRequest, options: CallOptions): Promise<Output> {
    if (this.#client === null) await this.#prepare();
    const isFirst = this.#heardAt === -Infinity;
    const exchange = new Exchange<Output>({
      ...options,
      paceMs: Math.max(options.paceMs, isFirst ? FIRST_PACE_MS : 0),
      send: (signal) => this.#send(make, signal),
      note: (error) => this.#note(error),
      silence: (ms) => this.#silence(ms),
    });
    this.#exchanges.add(exchange);
    try {
      return await exchange.answer;
    } finally {
      this.#exchanges.delete(exchange);
    }
  }

  async #send(make: MakeRequest, signal: AbortSignal): Promise<Output> {
    const sentAt = readMoment(runtime.clock);
    const request = make(sentAt);
    try {
      const output = await this.#sendOnce(request, sentAt, signal);
      this.#hear(sentAt);
      return output;
    } catch (error) {
      if (!isConditionFailed(error)) throw this.#toFault(error, request);
      this.#hear(sentAt);
      throw error;
    }
  }

  async #sendOnce(
    request: Request,
    sentAt: Moment,
    abortSignal: AbortSignal,
  ): Promise<Output> {
    const isOld = monotonic() - this.#clockHeardAt > CLOCK_MS;
    if (isOld || !this.clock.known) {
      return await this.#sendForTime(request, sentAt, abortSignal);
    }
    const command = this.#driver!.command(request);
    return await this.#client!.send(command, { abortSignal }) as Output;
  }

  async #sendForTime(
    request: Request,
    sentAt: Moment,
    abortSignal: AbortSignal,
  ): Promise<Output> {
    let response: RawResponse | undefined;
    const command = this.#driver!.command(request, (raw) => response = raw);
    const hear = (): void => {
      this.#clockHeardAt = monotonic();
      const { date, Date: upper } = response?.headers ?? {};
      this.clock.hear(date ?? upper, sentAt);
    };
    try {
      const output = await this.#client!.send(command, { abortSignal });
      hear();
      return output as Output;
    } catch (error) {
      if (response) hear();
      throw error;
    }
  }

  async #prepare(): Promise<void> {
    try {
      this.#driver = await loadDriver();
      this.#client ??= this.#options.connect(this.#driver);
    } catch (error) {
      throw this.#note(error);
    }
  }

  #hear(sentAt?: Moment): void {
    this.#fault = null;
    this.#heardAt = monotonic();
    if (sentAt) this.#latencyMs = this.#heardAt - sentAt.monotonic;
  }

  // What the service refuses concerns one request alone.
  #note(error: unknown): TableFault {
    const fault = this.#toFault(error);
    const { kind } = fault;
    if (kind === "refused" || kind === "missing") this.#hear();
    else this.#fail(fault);
    if (kind === "busy") this.#heardAt = monotonic();
    return fault;
  }

  #fail(fault: TableFault): void {
    this.#fault = fault;
    this.#failedAt = monotonic();
  }

  #toFault(error: unknown, request?: Request): TableFault {
    const { table, label } = this.#options;
    const operation = request && { operation: request.operation };
    return toTableFault({ table, label, ...operation }, error);
  }

  #silence(ms: number): TableFault {
    return new TableFault(
      "silent",
      `${this.#options.label}: no answer for ${Math.round(ms)} ms; is the ` +
        "endpoint right, and are there credentials?",
    );
  }
}
