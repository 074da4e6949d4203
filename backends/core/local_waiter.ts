import { runtime } from "../../runtime/mod.ts";
import type { Backend, Grant } from "./backend.ts";
import { type Deadline, Deadlines } from "./deadlines.ts";
import type { WaiterLine } from "./waiter_line.ts";

/**
 * One timer for the timeouts of all waiters. It keeps the process alive, and one
 * deadline that never comes stands for those who wait for ever.
 */
export const timeouts: Deadlines = new Deadlines(
  runtime.timers,
  runtime.clock.monotonic,
  { keepAlive: true },
);
const FOR_EVER: Deadline = { at: Number.MAX_SAFE_INTEGER, expire: () => {} };
let waiting = 0;

/** What ends a wait. */
export interface LocalWaiterOptions {
  /** How long to wait, in milliseconds. */
  timeoutMs: number;
  /** The caller's signal. */
  signal: AbortSignal | undefined;
  /** Called once when the wait ends without a grant, before it rejects. */
  onGiveUp: () => void;
  /** Makes the error of a timeout. */
  timeoutError: () => Error;
}

/** One task's wait for a grant. */
export class LocalWaiter {
  /** How the waiter's lock is kept. */
  readonly backend: Backend;
  /** Resolves with the grant; rejects when the wait ends without one. */
  readonly granted: Promise<Grant>;
  /** Where it stands; the line's to write, as are its neighbours. */
  line: WaiterLine | null = null;
  /** Who comes before it. */
  ahead: LocalWaiter | null = null;
  /** Who comes after it. */
  behind: LocalWaiter | null = null;
  readonly #options: LocalWaiterOptions;
  readonly #deadline: Deadline | null;
  #resolve!: (grant: Grant) => void;
  #reject!: (reason: unknown) => void;

  /**
   * @param backend How the waiter's lock is kept.
   * @param options What ends the wait.
   */
  constructor(backend: Backend, options: LocalWaiterOptions) {
    this.backend = backend;
    this.#options = options;
    this.granted = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#deadline = this.#startTimeout(options.timeoutMs);
    options.signal?.addEventListener("abort", this.#onAbort);
    if (waiting++ === 0) timeouts.add(FOR_EVER);
  }

  /**
   * Ends the wait with a grant.
   *
   * @param grant The grant.
   */
  grant(grant: Grant): void {
    this.#settle();
    this.#resolve(grant);
  }

  /**
   * Ends the wait with an error.
   *
   * @param reason The error.
   */
  fail(reason: unknown): void {
    this.#settle();
    this.#reject(reason);
  }

  #startTimeout(timeoutMs: number): Deadline | null {
    if (timeoutMs === Infinity) return null;
    const deadline = {
      at: runtime.clock.monotonic() + timeoutMs,
      expire: () => this.#giveUp(this.#options.timeoutError()),
    };
    timeouts.add(deadline);
    return deadline;
  }

  readonly #onAbort = (): void => this.#giveUp(this.#options.signal!.reason);

  #giveUp(reason: unknown): void {
    this.#options.onGiveUp();
    this.fail(reason);
  }

  #settle(): void {
    if (this.#deadline) timeouts.cancel(this.#deadline);
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    if (--waiting === 0) timeouts.cancel(FOR_EVER);
  }
}
