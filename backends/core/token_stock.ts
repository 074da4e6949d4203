import { runtime } from "../../runtime/mod.ts";

/** How many fencing tokens are set aside at once. */
export const STOCKED = 1000;

/**
 * The fencing tokens that what keeps a lock has set aside for the process that
 * holds it, so that it can pass the lock on from task to task without asking
 * (lock cohorting: Dice, Marathe, Shavit, "Lock Cohorting", PPoPP 2012): each
 * task with a token of its own, greater than all before it and less than all
 * that others will be given.
 */
export class TokenStock {
  #last: bigint;
  #greatest: bigint;
  #until = Infinity;

  /** @param first The token of the first task; nothing is set aside yet. */
  constructor(first: bigint) {
    this.#last = this.#greatest = first;
  }

  /** The token that was taken last. */
  get last(): bigint {
    return this.#last;
  }

  /**
   * Takes a token.
   *
   * @returns The token; null when what keeps the lock has to be asked for more.
   */
  next(): bigint | null {
    if (this.#last >= this.#greatest) return null;
    if (runtime.clock.monotonic() >= this.#until) return null;
    return ++this.#last;
  }

  /**
   * Notes that more tokens have been set aside.
   *
   * @param greatest The greatest of them.
   * @param until Until when they may be taken, on the monotonic clock.
   */
  fill(greatest: bigint, until = Infinity): void {
    if (greatest > this.#greatest) this.#greatest = greatest;
    this.#until = until;
  }
}
