import { runtime } from "../../runtime/mod.ts";
import { FOLLOWED_MS, FOLLOWING_MS, NEXT, RETURNING_MS } from "./periods.ts";

/**
 * The waiters who were at the former holder of a lock, and come to this one. It
 * is known how many they were, and not whether all of them still wait.
 */
export class Followers {
  #count = 0;
  #told = true;
  #nextBy = 0;
  #allBy = 0;

  /**
   * Notes how many there are.
   *
   * @param count How many.
   * @param told Whether the former holder said so when it went; else whoever
   * comes may be one of them, such as the former holder itself.
   */
  expect(count: number, told: boolean): void {
    const now = runtime.clock.monotonic();
    this.#count = count;
    this.#told = told;
    this.#nextBy = now + (told ? FOLLOWING_MS : RETURNING_MS);
    this.#allBy = now + FOLLOWED_MS;
  }

  /**
   * Whether somebody who has come is one of them.
   *
   * @param aheadBefore How many came before it at the former holder, or null if
   * it was not there.
   */
  include(aheadBefore: number | null): boolean {
    return aheadBefore !== null || !this.#told;
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
   * How many are still on the way. Where the next of them have not come in
   * time, nobody is: what one holder says of them the others say after it, and
   * newcomers would wait for those who have gone as long as they do.
   *
   * @param came How many have come.
   */
  missing(came: number): number {
    if (this.#count <= came) return 0;
    const endsAt = came < NEXT ? this.#nextBy : this.#allBy;
    return runtime.clock.monotonic() < endsAt ? this.#count - came : 0;
  }
}
