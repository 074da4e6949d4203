import { runtime } from "../../runtime/mod.ts";
import { FOLLOWED_MS, NEXT } from "./periods.ts";

/**
 * The waiters who were at the former holder of a lock, and come to this one. It
 * is known how many they were, and not whether all of them still wait.
 */
export class Followers {
  #count = 0;
  #nextBy = 0;
  #allBy = 0;

  /**
   * Notes how many there are.
   *
   * @param count How many.
   * @param ms How long the next of them may take.
   */
  expect(count: number, ms: number): void {
    const now = runtime.clock.monotonic();
    this.#count = count;
    this.#nextBy = now + ms;
    this.#allBy = now + FOLLOWED_MS;
  }

  /** Expects nobody any more. */
  clear(): void {
    this.#count = 0;
  }

  /** Notes that one who had come has given up. */
  leave(): void {
    if (this.#count > 0) this.#count--;
  }

  /** How long the next of them still have, in milliseconds. */
  get nextInMs(): number {
    return this.#nextBy - runtime.clock.monotonic();
  }

  /**
   * Whether the next of them have not come yet, but still may.
   *
   * @param came How many of these have come.
   */
  areAwaited(came: number): boolean {
    return came < Math.min(NEXT, this.#count) && this.nextInMs > 0;
  }

  /**
   * Takes those who have not come when the time of the next is up for gone.
   *
   * @param came How many have come.
   */
  settle(came: number): void {
    if (came < NEXT) this.#count = came;
  }

  /**
   * How many are still on the way.
   *
   * @param came How many have come.
   */
  missing(came: number): number {
    if (this.#count <= came) return 0;
    return runtime.clock.monotonic() < this.#allBy ? this.#count - came : 0;
  }
}
