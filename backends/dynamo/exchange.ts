import { runtime } from "../../runtime/mod.ts";
import type { CallOptions } from "../core/call_options.ts";
import { type Deadline, Deadlines } from "../core/deadlines.ts";
import { isConditionFailed, type TableFault } from "./faults.ts";

const { monotonic } = runtime.clock;
const awaited = new Deadlines(runtime.timers, monotonic, { keepAlive: true });
const unawaited = new Deadlines(runtime.timers, monotonic, {
  keepAlive: false,
});

// How many tries may be under way at once.
const MOST_TRIES = 4;

// By how much longer each try may be silent than the one before.
const PATIENCE = 1.5;

/**
 * What an {@linkcode Exchange} is about.
 *
 * @typeParam T What an answer is.
 */
export interface ExchangeOptions<T> extends CallOptions {
  /** Makes a try. */
  send(signal: AbortSignal): Promise<T>;
  /** Notes what went wrong with a try. */
  note(error: unknown): TableFault;
  /** Says that there was no answer for so many milliseconds. */
  silence(ms: number): TableFault;
}

/**
 * One question until its answer, asked as often as it takes. A try that stays
 * silent is still heard when the next one is made: a slow service is no lost
 * one. So everything that is asked must be safe to be asked more than once.
 *
 * @typeParam T What an answer is.
 */
export class Exchange<T> {
  /** Resolves with the answer; rejects when there is none. */
  readonly answer: Promise<T>;
  readonly #options: ExchangeOptions<T>;
  readonly #deadlines: Deadlines;
  readonly #began = monotonic();
  readonly #tries = new Set<AbortController>();
  #timer: Deadline | null = null;
  #fault: TableFault | null = null;
  #made = 0;
  #failures = 0;
  #over = false;
  #resolve!: (answer: T) => void;
  #reject!: (error: unknown) => void;

  /** @param options What it is about. */
  constructor(options: ExchangeOptions<T>) {
    this.#options = options;
    this.#deadlines = options.keepAlive ? awaited : unawaited;
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#try();
  }

  /** For how long it has been under way, in milliseconds. */
  get waitedMs(): number {
    return monotonic() - this.#began;
  }

  #try(): void {
    const controller = new AbortController();
    this.#tries.add(controller);
    this.#limitTries();
    // Ever more patiently: a busy service is not to be asked ever more.
    this.#wait(this.#options.paceMs * PATIENCE ** this.#made++);
    this.#options.send(controller.signal).then(
      (answer) => {
        if (this.#end()) this.#resolve(answer);
      },
      (error) => this.#onError(controller, error),
    );
  }

  // The oldest may still be answered by a slow service, the newest by one that
  // has come back.
  #limitTries(): void {
    if (this.#tries.size <= MOST_TRIES) return;
    const [, second] = this.#tries;
    this.#tries.delete(second!);
    second!.abort();
  }

  #onError(controller: AbortController, error: unknown): void {
    // One that was given up is no news.
    if (!this.#tries.delete(controller) || this.#over) return;
    if (isConditionFailed(error)) return this.#fail(error);
    this.#fault = this.#options.note(error);
    if (!this.#isWorthAnother(this.#fault)) return this.#fail(this.#fault);
    this.#wait(backoffMs(this.#failures++, this.#options.paceMs));
  }

  #isWorthAnother({ kind }: TableFault): boolean {
    if (kind === "unreachable") return this.#options.persistent;
    return kind === "silent" || kind === "busy";
  }

  #wait(ms: number): void {
    if (this.#timer) this.#deadlines.cancel(this.#timer);
    const leftMs = this.#options.limitMs - this.waitedMs;
    this.#timer = {
      at: monotonic() + Math.max(0, Math.min(ms, leftMs)),
      expire: () => this.#onTime(),
    };
    this.#deadlines.add(this.#timer);
  }

  #onTime(): void {
    if (this.waitedMs < this.#options.limitMs) {
      return this.#isToRest() ? this.#rest() : this.#try();
    }
    const { note, silence } = this.#options;
    this.#fail(this.#fault ?? note(silence(this.waitedMs)));
  }

  #isToRest(): boolean {
    const { restsAfterMs = Infinity } = this.#options;
    return this.#tries.size > 0 && this.waitedMs > restsAfterMs;
  }

  // A process that has nothing else to do ends meanwhile.
  #rest(): void {
    const tries = [...this.#tries];
    this.#tries.clear();
    for (const controller of tries) controller.abort();
    this.#wait(this.#options.paceMs);
  }

  #fail(error: unknown): void {
    if (this.#end()) this.#reject(error);
  }

  #end(): boolean {
    if (this.#over) return false;
    this.#over = true;
    if (this.#timer) this.#deadlines.cancel(this.#timer);
    for (const controller of this.#tries) controller.abort();
    return true;
  }
}

// Full jitter, so that those who were turned away together do not come back
// together. (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog,
// 2015.)
function backoffMs(failures: number, longestMs: number): number {
  return Math.random() * Math.min(longestMs, 25 * 2 ** failures);
}
