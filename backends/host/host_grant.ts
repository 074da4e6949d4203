import type { MaybePromise } from "../../runtime/types.ts";
import type { Grant } from "../core/backend.ts";
import type { Gate, Hold } from "./gate.ts";
import { MOST_PASSES, STARVATION_MS } from "./periods.ts";
import { note } from "./recent.ts";
import type { Room } from "./room.ts";
import { cancelTurn, nextTurn, onNextTurn, starvedMs } from "./turns.ts";

// Rooms whose holder has freed the lock while newcomers may still overtake.
const left = new Map<string, Room>();

function leave(key: string, room: Room): void {
  // That of another file, which was at the same path.
  const before = left.get(key);
  if (before !== room) void before?.dissolve();
  left.set(key, room);
  // A turn that has already begun may end before the process has come back.
  onNextTurn(() => {
    if (left.get(key) === room) onNextTurn(() => expel(key, room));
  });
}

function expel(key: string, room: Room): void {
  if (left.get(key) !== room) return;
  left.delete(key);
  void room.dissolve();
}

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
  /** Looks whether the lock is still what was taken, where that can change. */
  readonly check?: () => string | null;
  readonly #gate: Gate;
  readonly #hold: Hold;
  readonly #room: Room;
  readonly #passes: number;
  readonly #open = (): void => this.open();

  /**
   * @param gate What the kernel excludes by.
   * @param hold The kernel's part.
   * @param room The waiters.
   * @param passes How often the hold was passed on within this process.
   */
  constructor(gate: Gate, hold: Hold, room: Room, passes = 0) {
    this.#gate = gate;
    this.#hold = hold;
    this.#room = room;
    this.#passes = passes;
    if (hold.check) this.check = () => hold.check!();
    room.taken();
    onNextTurn(this.#open);
  }

  /**
   * Lets waiters in at once, not only in the next turn.
   */
  open(): void {
    cancelTurn(this.#open);
    this.#hold.open();
    if (this.#gate.door === null) this.#room.openLobby(this.#gate.lobby);
  }

  /**
   * Notes how many waiters are to follow from the former holder.
   *
   * @param followers How many there were besides this process.
   * @param told Whether the former holder said so when it went.
   */
  expect(followers: number, told: boolean): void {
    this.#room.expect(followers, told);
  }

  /**
   * Frees the lock and wakes who is next.
   *
   * @returns A promise where the lock is free only once it has settled.
   */
  release(): MaybePromise<void> {
    // The end of the listener throws out who has knocked but was not yet let
    // in: first those are let in who are on their way, or may be.
    const room = this.#room;
    if (room.incomplete) return room.completed().then(() => this.release());
    if (room.settled) return this.#handOver();
    if (starvedMs() < STARVATION_MS) return this.#free();
    // In such a loop the door is hardly ever open: the lobby is.
    room.openLobby(this.#gate.lobby);
    return this.#handOver();
  }

  /**
   * Passes the lock on within this process, unless a waiter of another process
   * is next.
   *
   * @returns The next grant, or null if the lock is to be freed.
   */
  pass(): MaybePromise<HostGrant | null> {
    cancelTurn(this.#open);
    if (starvedMs() < STARVATION_MS) return this.#again();
    return nextTurn().then(() => this.#again());
  }

  #again(): HostGrant | null {
    if (this.#room.settled || this.check?.()) return null;
    // Strangers who want a file are not seen: they get their chance.
    const unseen = this.#gate.door === null;
    if (unseen && this.#passes >= MOST_PASSES) return null;
    const passes = this.#passes + 1;
    return new HostGrant(this.#gate, this.#hold, this.#room, passes);
  }

  /**
   * Frees the lock for the first waiter, before anybody was told of the grant.
   *
   * @returns A promise that settles when it is free.
   */
  async cede(): Promise<void> {
    cancelTurn(this.#open);
    this.#room.freed();
    await this.#hold.release();
    await this.#room.dissolve();
  }

  async #handOver(): Promise<void> {
    await this.#room.hearAll(this.#gate.door);
    await this.#free();
  }

  #free(): MaybePromise<void> {
    cancelTurn(this.#open);
    this.#room.freed();
    const freed = this.#hold.release();
    return freed ? freed.then(() => this.#ring()) : this.#ring();
  }

  #ring(): MaybePromise<void> {
    const room = this.#room;
    // Who has been told nothing would not know to look.
    if (!room.settled) room.dismissSilent();
    if (room.empty) return;
    const { key, lobby } = this.#gate;
    if (room.settled || !room.openLobby(lobby)) {
      note(key, "handed over", room.waiters);
      return room.dissolve();
    }
    // Newcomers may overtake: this process, if it comes back before its event
    // loop turns. If not, the first waiter is woken then; and if it never
    // turns, the waiters look for themselves when their time has come.
    note(key, "ours");
    leave(key, room);
  }
}
