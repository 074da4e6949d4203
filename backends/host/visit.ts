import { runtime } from "../../runtime/mod.ts";
import type { Connection, Timer } from "../../runtime/types.ts";
import { DEFERENCE_MS } from "./periods.ts";
import {
  type Hello,
  LineReader,
  parseReply,
  type Reply,
  toLine,
} from "./wire.ts";

/** How a visit ended. */
export interface VisitEnd {
  /** Whether anybody took the connection. */
  readonly answered: boolean;
  /** The last that the holder said, or null. */
  readonly reply: Reply | null;
  /** Whether the holder has gone, as opposed to it being time to look. */
  readonly gone: boolean;
}

/** What a visit needs. */
export interface VisitOptions {
  /** What to say. */
  hello: Hello;
  /** Ends the visit early. */
  signal?: AbortSignal;
  /**
   * When to look although the holder is still there, in milliseconds: as long as
   * it says nothing, and after it has said the first thing.
   */
  pollMs: { readonly deaf: number; readonly answered: number };
  /** Called with each thing that the holder says. */
  onReply(reply: Reply): void;
}

/**
 * Visits the holder: connects, says what is wanted, and stays until the holder
 * goes, by release or death, or it is time to look.
 *
 * @param bell The holder's address.
 * @param options What the visit needs.
 * @returns How it ended.
 * @throws {RuntimeFault} If the system refuses.
 */
export async function visit(
  bell: string,
  options: VisitOptions,
): Promise<VisitEnd> {
  const visitor = new Visitor(options);
  const connection = await runtime.sockets.connect(bell, visitor);
  if (connection === null) return { answered: false, reply: null, gone: true };
  visitor.enter(connection);
  return await visitor.ended;
}

class Visitor {
  readonly ended: Promise<VisitEnd>;
  readonly #options: VisitOptions;
  readonly #reader = new LineReader();
  #connection: Connection | null = null;
  #reply: Reply | null = null;
  #timer: Timer | null = null;
  // When to look at the latest, on the monotonic clock. Whatever is said later
  // does not put that off: a stranger may be talking.
  #lookBy: number | null = null;
  #over = false;
  #resolve!: (end: VisitEnd) => void;

  constructor(options: VisitOptions) {
    this.#options = options;
    this.ended = new Promise((resolve) => this.#resolve = resolve);
  }

  enter(connection: Connection): void {
    const { hello, signal, pollMs } = this.#options;
    this.#connection = connection;
    if (signal?.aborted) this.#end(false);
    if (this.#over) return connection.close();
    signal?.addEventListener("abort", this.#onAbort);
    this.#lookIn(pollMs.deaf);
    connection.send(toLine(hello));
  }

  onData(bytes: Uint8Array): void {
    const lines = this.#reader.push(bytes);
    if (lines === null) return this.#end(false);
    for (const line of lines) {
      const reply = parseReply(line);
      if (reply) this.#hear(reply);
    }
  }

  onClose(): void {
    this.#end(true);
  }

  readonly #onAbort = (): void => this.#end(false);

  // As long as newcomers may overtake, a release may pass in silence, and with
  // it the holder may stop for ever. So each waiter looks once when that time
  // is over, the first one first; from then on every release rings.
  #hear(reply: Reply): void {
    this.#reply = reply;
    const now = runtime.clock.monotonic();
    this.#lookBy ??= now + this.#options.pollMs.answered;
    const margin = (reply.ahead === 0 ? 1 : 3) * DEFERENCE_MS;
    const settledMs = reply.settlesInMs > 0
      ? reply.settlesInMs + margin
      : Infinity;
    this.#lookIn(Math.min(settledMs, Math.max(0, this.#lookBy - now)));
    this.#options.onReply(reply);
  }

  #lookIn(ms: number): void {
    if (this.#over) return;
    if (ms === 0) return this.#end(false);
    this.#timer?.cancel();
    this.#timer = ms === Infinity
      ? null
      : runtime.timers.after(ms, () => this.#end(false), { keepAlive: true });
  }

  #end(gone: boolean): void {
    this.#over = true;
    this.#timer?.cancel();
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    this.#resolve({ answered: true, reply: this.#reply, gone });
    this.#connection?.close();
  }
}
