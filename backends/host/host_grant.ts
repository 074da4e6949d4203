import type { MaybePromise } from "../../runtime/types.ts";
import type { Grant } from "../core/backend.ts";
import type { Hold } from "./gate.ts";
import { STARVATION_MS } from "./periods.ts";
import { lately, note } from "./recent.ts";
import type { Room } from "./room.ts";
import { cancelTurn, nextTurn, onNextTurn, starvedMs } from "./turns.ts";

// Rooms whose holder has freed the lock while newcomers may still overtake.
const left = new Map<string, Room>();

/**
 * The room that a process left its waiters in a moment ago, to go on with when
 * it has taken the lock again.
 *
 * @param key The lock.
 * @returns The room, or undefined; it is the caller's now.
 */
export function reenter(key: string): Room | undefined {
  if (left.size === 0) return undefined;
  const room = left.get(key);
  left.delete(key);
  return room;
}

/** A lock of this host, held by the kernel for this process. */
export class HostGrant implements Grant {
  /** None: the kernel excludes. */
  readonly fencingToken = null;
  readonly #key: string;
  readonly #hold: Hold;
  readonly #room: Room;
  readonly #open = (): void => this.#hold.open();

  /**
   * @param key The lock.
   * @param hold The kernel's part.
   * @param room The waiters.
   */
  constructor(key: string, hold: Hold, room: Room) {
    this.#key = key;
    this.#hold = hold;
    this.#room = room;
    room.taken();
    onNextTurn(this.#open);
  }

  /**
   * Looks whether the lock is still what was taken.
   *
   * @returns Why it is lost, or null.
   */
  check(): string | null {
    return this.#hold.check?.() ?? null;
  }

  /**
   * Lets waiters in at once, not only in the next turn.
   */
  open(): void {
    cancelTurn(this.#open);
    this.#hold.open();
  }

  /**
   * Notes how many waiters are to follow from the former holder.
   *
   * @param followers How many there were besides this process.
   */
  expect(followers: number): void {
    this.#room.expect(followers);
  }

  /**
   * Frees the lock and wakes who is next.
   *
   * @returns A promise where the lock is free only once it has settled.
   */
  release(): MaybePromise<void> {
    // The end of the listener throws out who has knocked but was not yet let
    // in: first those are let in who are on their way, or may be.
    if (this.#room.incomplete) {
      return this.#room.completed().then(() => this.#free());
    }
    if (starvedMs() < STARVATION_MS) return this.#free();
    return nextTurn().then(() => this.#free());
  }

  /**
   * Frees the lock for the first waiter, before anybody was told of the grant.
   *
   * @returns A promise that settles when it is free.
   */
  async cede(): Promise<void> {
    cancelTurn(this.#open);
    await this.#hold.release();
    this.#room.dissolve();
  }

  #free(): MaybePromise<void> {
    cancelTurn(this.#open);
    const freed = this.#hold.release();
    return freed ? freed.then(() => this.#ring()) : this.#ring();
  }

  #ring(): void {
    if (this.#room.empty) return;
    if (this.#room.settled) {
      note(this.#key, "handed over");
      return this.#room.dissolve();
    }
    note(this.#key, "ours");
    // Newcomers may overtake: this process, if it comes back before its event
    // loop turns. If not, the first waiter is woken then; and if it never
    // turns, the waiters look for themselves when their time has come.
    left.set(this.#key, this.#room);
    onNextTurn(() => {
      if (left.get(this.#key) !== this.#room) return;
      left.delete(this.#key);
      this.#room.dissolve();
    });
  }
}
