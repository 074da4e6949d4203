import type { LocalWaiter } from "./local_waiter.ts";

/**
 * Waiters in their order, any of whom may leave at any time: a linked list. A
 * `Set` would do, but whoever asks for its first member steps over all that
 * were taken out before.
 */
export class WaiterLine {
  #first: LocalWaiter | null = null;
  #last: LocalWaiter | null = null;

  /** The waiter whose turn is next, or null. */
  get first(): LocalWaiter | null {
    return this.#first;
  }

  /**
   * Adds a waiter at the end.
   *
   * @param waiter The waiter; in no line.
   */
  append(waiter: LocalWaiter): void {
    waiter.line = this;
    waiter.ahead = this.#last;
    if (this.#last === null) this.#first = waiter;
    else this.#last.behind = waiter;
    this.#last = waiter;
  }

  /**
   * Adds a waiter before all others.
   *
   * @param waiter The waiter; in no line.
   */
  prepend(waiter: LocalWaiter): void {
    waiter.line = this;
    waiter.behind = this.#first;
    if (this.#first === null) this.#last = waiter;
    else this.#first.ahead = waiter;
    this.#first = waiter;
  }

  /**
   * Takes a waiter out.
   *
   * @param waiter The waiter.
   * @returns Whether it was in this line.
   */
  remove(waiter: LocalWaiter): boolean {
    if (waiter.line !== this) return false;
    const { ahead, behind } = waiter;
    if (ahead === null) this.#first = behind;
    else ahead.behind = behind;
    if (behind === null) this.#last = ahead;
    else behind.ahead = ahead;
    waiter.line = waiter.ahead = waiter.behind = null;
    return true;
  }
}
