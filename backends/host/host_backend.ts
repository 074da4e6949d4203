import { runtime } from "../../runtime/mod.ts";
import type { MaybePromise } from "../../runtime/types.ts";
import type { Backend, Contention } from "../core/backend.ts";
import type { Holder } from "../core/holder.ts";
import { toHolder } from "./ask_holder.ts";
import { toLockError } from "./fault_error.ts";
import type { Gate, Hold } from "./gate.ts";
import { HostGrant, reenter } from "./host_grant.ts";
import { pause } from "../core/pause.ts";
import {
  CLAIM_MS,
  DEFERENCE_MS,
  FOLLOWING_MS,
  MOST_CEDED,
  MOST_TURNS,
  NEXT,
  SLOW_POLL_MS,
} from "./periods.ts";
import { lately, note } from "./recent.ts";
import { Room } from "./room.ts";
import { nextTurn } from "./turns.ts";
import { visit, type VisitEnd } from "./visit.ts";
import type { Hello, Reply } from "./wire.ts";

/**
 * By what right a process tries to take a lock: as the first waiter of a holder
 * that has gone; as a newcomer; out of turn, because another may be next; or
 * behind one that is, as the last holder said.
 */
type Right = "first" | "newcomer" | "out of turn" | "behind";

/** How a process stands to a lock that it tries to take. */
interface Standing {
  readonly right: Right;
  /** How many come before it, as the last holder said; 0 if nobody did. */
  readonly ahead: number;
  /** How long it has been waiting, in milliseconds. */
  readonly waitedMs: number;
}

/**
 * A lock of one host: a gate that the kernel gives to one process, and the
 * hand-over between those who want it.
 */
export class HostBackend implements Backend {
  /** One kind only. */
  readonly terms = "";
  readonly #lockName: string;
  readonly #gate: Gate;
  readonly #findHolder: () => Promise<Holder | null>;

  /**
   * @param lockName The lock's name, for messages.
   * @param gate What the kernel excludes by.
   * @param findHolder Tells who holds the lock.
   */
  constructor(
    lockName: string,
    gate: Gate,
    findHolder: () => Promise<Holder | null>,
  ) {
    this.#lockName = lockName;
    this.#gate = gate;
    this.#findHolder = findHolder;
  }

  /**
   * The lock's identity in this process.
   *
   * @throws {LockError} If it cannot be told, as in a directory that is gone.
   */
  get key(): string {
    try {
      return this.#gate.key;
    } catch (error) {
      throw this.#toError("Cannot use", error);
    }
  }

  /**
   * Tries once to take the lock.
   *
   * @param willWait Whether the caller waits if the lock cannot be had.
   * @returns The grant or null; at once where nobody else was seen of late.
   */
  tryTake(willWait: boolean): MaybePromise<HostGrant | null> {
    const state = lately(this.key)?.state ?? "ours";
    if (state === "ours") return this.#try(NEWCOMER);
    if (state === "others") return this.#try(OUT_OF_TURN);
    if (willWait) return null;
    return pause(DEFERENCE_MS).then(() => this.#try(OUT_OF_TURN));
  }

  /**
   * Waits for the lock: visits whoever holds it, and tries when they have gone.
   *
   * @param contention Ends the wait.
   * @returns The grant, or null when the wait was ended.
   */
  async take(contention: Contention): Promise<HostGrant | null> {
    const { signal } = contention;
    const began = runtime.clock.monotonic();
    const waitedMs = (): number => runtime.clock.monotonic() - began;
    const seen = lately(this.key);
    // Who has just handed the lock over knows how many come first.
    let right: Right = seen?.state === "handed over" ? "behind" : "newcomer";
    let unheard = 0;
    let ahead = seen?.waiters ?? 0;
    let others = ahead;
    let aheadBefore: number | null = null;
    let ceded = 0;
    let triedAt = began;
    while (!signal.aborted) {
      const pauseMs = this.#pauseMs(right, unheard, unheard === 0 ? ahead : 0);
      if (pauseMs > 0) await pause(pauseMs, { signal });
      const claim = right === "first";
      const hello = { waitedMs: waitedMs(), claim, aheadBefore };
      const end = await this.#visit(contention, hello);
      if (signal.aborted) break;
      right = rightAfter(end, right);
      unheard = end.reply ? 0 : unheard + 1;
      ahead = end.reply?.ahead ?? ahead;
      others = end.reply?.others ?? others;
      if (end.reply && end.gone) aheadBefore = ahead;
      if (end.reply && end.gone && right === "behind") {
        // Somebody else is next: to be found where the lock is, not raced. But
        // at a lobby a stranger may say so, and say it again and again.
        const lookBy = triedAt + SLOW_POLL_MS;
        if (!end.atLobby || runtime.clock.monotonic() < lookBy) continue;
        await pause(this.#pauseMs(right, 0, ahead), { signal });
        if (signal.aborted) break;
      }
      triedAt = runtime.clock.monotonic();
      const tries = right === "first" && end.gone ? TRIES_OF_THE_FIRST : 1;
      // Who only looks may have been told of a better right by now.
      let by = right === "first" && !end.gone ? "out of turn" : right;
      // Those who claimed it have not taken it since.
      if (ceded >= MOST_CEDED) by = "newcomer";
      const standing = { right: by, ahead, waitedMs: waitedMs() };
      const grant = await this.#tryTimes(tries, standing);
      if (grant === null) {
        ceded = lately(this.key)?.state === "handed over" ? ceded + 1 : 0;
        continue;
      }
      if (end.reply && end.gone) grant.expect(others, true);
      // Nobody said how many there are now: whoever had the lock a moment ago
      // may be back.
      else grant.expect(Math.max(1, others), false);
      return grant;
    }
    return null;
  }

  /**
   * Tells who holds the lock.
   *
   * @returns The holder, or null.
   */
  async holder(): Promise<Holder | null> {
    try {
      return await this.#findHolder();
    } catch (error) {
      throw this.#toError("Cannot find the holder of", error);
    }
  }

  async #visit(
    contention: Contention,
    hello: Omit<Hello, "want">,
  ): Promise<Call> {
    const { door, lobby, pollMs } = this.#gate;
    const options = {
      hello: { want: "turn", ...hello },
      signal: contention.signal,
      pollMs,
      onReply: (reply: Reply) => contention.lastHolder = toHolder(reply),
    } as const;
    try {
      const end = door === null ? UNANSWERED : await visit(door, options);
      // Thrown out unheard: the holder takes and frees the lock faster than it
      // can hear us; then it has a lobby, or will have in a moment.
      if (end.reply || !end.gone || lobby === null) {
        return { ...end, atLobby: false };
      }
      // A lobby may be that of a process that no longer holds the lock, and
      // does not get round to closing it: nobody may hang on that.
      const deaf = Math.min(pollMs.deaf, FOLLOWING_MS);
      const answered = Math.min(pollMs.answered, SLOW_POLL_MS);
      const pollAt = { ...options, pollMs: { deaf, answered } };
      return { ...await visit(lobby, pollAt), atLobby: true };
    } catch (error) {
      // Where there is no door, the lock can be had without a visit.
      if (door === null) return UNANSWERED;
      throw this.#toError("Cannot wait for", error);
    }
  }

  // Unheard for the second time: the lock is taken and freed faster than we
  // knock, or held by somebody who does not listen.
  #pauseMs(right: Right, unheard: number, ahead: number): number {
    if (unheard < 2) {
      // The next two come at once, in case one of them is dead. Those behind
      // have time: each hand-over takes longer than two deferences.
      const turns = Math.min(MOST_TURNS, Math.max(1, 2 * ahead - 3));
      return isDeferent(right) ? turns * DEFERENCE_MS : 0;
    }
    const { door, pollMs } = this.#gate;
    const longest = door === null ? pollMs.deaf : LONGEST_KNOCK_MS;
    return Math.min(longest, 2 ** (unheard - 2));
  }

  async #tryTimes(
    tries: number,
    standing: Standing,
  ): Promise<HostGrant | null> {
    for (let i = 1; i < tries; i++) {
      const grant = await this.#try(standing);
      if (grant !== null) return grant;
      await nextTurn();
    }
    return await this.#try(standing);
  }

  #try(standing: Standing): MaybePromise<HostGrant | null> {
    const room = reenter(this.key) ?? new Room();
    const refuse = (error: unknown): never => {
      void room.dissolve();
      throw this.#toError("Cannot acquire", error);
    };
    try {
      const hold = this.#gate.tryHold(room.admit);
      return hold instanceof Promise
        ? hold.then((h) => this.#settle(h, room, standing), refuse)
        : this.#settle(hold, room, standing);
    } catch (error) {
      return refuse(error);
    }
  }

  #settle(
    hold: Hold | null,
    room: Room,
    standing: Standing,
  ): MaybePromise<HostGrant | null> {
    if (hold === null) {
      void room.dissolve();
      note(this.key, "others");
      return null;
    }
    const grant = new HostGrant(this.#gate, hold, room);
    if (isDeferent(standing.right)) return this.#offer(grant, room, standing);
    // Whoever comes from waiting leaves others behind, who follow now.
    if (standing.right === "first") grant.open();
    return this.#own(grant);
  }

  #own(grant: HostGrant): HostGrant {
    if (lately(this.key) !== null) note(this.key, "ours");
    return grant;
  }

  // The lock is ours unless waiters with the better right show up in time: as
  // many as there are, lest the second of them be told that it is the first.
  async #offer(
    grant: HostGrant,
    room: Room,
    { right, ahead, waitedMs }: Standing,
  ): Promise<HostGrant | null> {
    grant.open();
    const claimed = await room.claimed({
      waitedMs,
      claimants: Math.max(1, Math.min(NEXT, ahead)),
      ms: right === "behind" ? FOLLOWING_MS : CLAIM_MS,
    });
    // Unlinked or replaced meanwhile: others lock another file by now.
    const isStale = Boolean(grant.check?.());
    if (!claimed && !isStale) {
      room.settle();
      return this.#own(grant);
    }
    if (claimed) note(this.key, "handed over", room.waiters);
    await grant.cede();
    return null;
  }

  #toError(action: string, error: unknown): unknown {
    const { advice } = this.#gate;
    const what = `${action} "${this.#lockName}"`;
    return toLockError(what, this.#lockName, error, advice);
  }
}

const NEWCOMER: Standing = { right: "newcomer", ahead: 0, waitedMs: 0 };
const OUT_OF_TURN: Standing = { ...NEWCOMER, right: "out of turn" };

/** How a visit ended, and where it was. */
interface Call extends VisitEnd {
  /** Whether it was at the lobby, where anybody may listen. */
  readonly atLobby: boolean;
}

const UNANSWERED: Call = {
  answered: false,
  reply: null,
  gone: true,
  atLobby: false,
};

// A process that dies does not close everything at once: its connection to the
// first waiter may end some microseconds before its hold on the lock. Somebody
// behind may have been faster, too: they wait for a claim, not for more tries.
const TRIES_OF_THE_FIRST = 3;

// The longest pause before somebody who was not heard knocks at a door again.
const LONGEST_KNOCK_MS = 8;

function rightAfter(end: VisitEnd, before: Right): Right {
  // The right of the first goes with the news that the holder has gone.
  if (end.reply === null) return before === "first" ? "newcomer" : before;
  return end.reply.ahead === 0 ? "first" : "behind";
}

function isDeferent(right: Right): boolean {
  return right === "out of turn" || right === "behind";
}
