import { runtime } from "../../runtime/mod.ts";
import type { Contention, Grant, Keeper } from "../core/backend.ts";
import { toLockError } from "../core/backend_errors.ts";
import type { Holder } from "../core/holder.ts";
import { Ballot } from "./ballot.ts";
import { Bell } from "./bell.ts";
import { tooSlow } from "./faults.ts";
import { majorityOf } from "./quorum_grant.ts";
import { LOOK } from "./scripts.ts";
import { callOptions, type RedisServer } from "./server.ts";
import { ownerOf, readHolder, type SharedLock } from "./shared_lock.ts";
import type { Listener } from "./wake_ups.ts";

// A waiter votes again this often, in milliseconds, and three times in its time
// to live, in case no message comes.
const PERIOD_MS = 1000;
const VOTES_PER_TTL = 3;

// After a split vote both sides stay away for a random time, below this at
// first, in milliseconds, and below the longest in the end.
const FIRST_BACKOFF_MS = 10;
const LONGEST_BACKOFF_MS = 500;

// From the first server that is free to the others, in milliseconds.
const GATHER_MS = 5;

// For how long a process that has had the lock stays away when it leaves it to
// others, in milliseconds: until they have heard of it, and voted.
const DEFERENCE_MS = 20;

// How often to vote when a majority takes longer than its grant would live.
const MOST_LATE = 3;

// How long a waiter goes on while no majority can be reached.
const OUTAGE_MS = 5000;

/** How a waiter gets on. */
interface Pace {
  /** Below what the next pause after a split vote is. */
  backoffMs: number;
  /** Since when no majority could be reached, on the monotonic clock. */
  outSince: number;
  /** The owners of the votes that were won too late, since another had it. */
  readonly late: Set<string>;
}

/** A lock of the majority of several independent servers. */
export class QuorumKeeper implements Keeper {
  readonly #lock: SharedLock;
  readonly #servers: readonly RedisServer[];
  readonly #majority: number;
  #defers = false;

  /**
   * @param lock The lock.
   * @param servers Its servers.
   */
  constructor(lock: SharedLock, servers: readonly RedisServer[]) {
    this.#lock = lock;
    this.#servers = servers;
    this.#majority = majorityOf(servers.length);
  }

  async tryTake(willWait: boolean, defers = false): Promise<Grant | null> {
    this.#defers = defers;
    if (defers) return null;
    const ballot = new Ballot(this.#lock, this.#servers);
    const grant = await ballot.run(false);
    // A waiter votes again.
    if (ballot.isLate && !willWait) throw this.#toSlowness();
    if (grant === null && this.#isOut(ballot)) throw this.#toOutage(ballot);
    return grant;
  }

  async take(contention: Contention): Promise<Grant | null> {
    const { signal } = contention;
    const bell = new Bell();
    const ring = (): void => bell.ring();
    signal.addEventListener("abort", ring);
    for (const { wakeUps } of this.#servers) void wakeUps.open();
    const pace: Pace = {
      backoffMs: FIRST_BACKOFF_MS,
      outSince: Infinity,
      late: new Set(),
    };
    try {
      if (this.#defers) await bell.wait(DEFERENCE_MS);
      while (!signal.aborted) {
        const grant = await this.#round(contention, bell, pace);
        if (grant) return grant;
      }
      return null;
    } finally {
      signal.removeEventListener("abort", ring);
    }
  }

  async #round(
    contention: Contention,
    bell: Bell,
    pace: Pace,
  ): Promise<Grant | null> {
    const ballot = new Ballot(this.#lock, this.#servers);
    const wake = this.#listen(ballot, bell);
    let grant: Grant | null = null;
    try {
      grant = await ballot.run(true);
      if (grant) return grant;
      this.#noteLateness(ballot, pace);
      contention.lastHolder = lastHolder(ballot) ?? contention.lastHolder;
      const now = runtime.clock.monotonic();
      pace.outSince = this.#isOut(ballot)
        ? Math.min(pace.outSince, now)
        : Infinity;
      if (now - pace.outSince > this.#outageMs) throw this.#toOutage(ballot);
      await wake.wait(this.#pauseMs(ballot, pace));
      return null;
    } finally {
      wake.stop();
      if (grant === null) ballot.withdraw();
    }
  }

  // What was won too late is given back late, too: until then, it is ours that
  // the next votes find.
  #noteLateness({ isLate, owner, heldBy }: Ballot, { late }: Pace): void {
    if (isLate) late.add(owner);
    else if (heldBy !== null && !late.has(heldBy)) late.clear();
    if (late.size >= MOST_LATE) throw this.#toSlowness();
  }

  #pauseMs(ballot: Ballot, pace: Pace): number {
    if (ballot.heldBy !== null) {
      pace.backoffMs = FIRST_BACKOFF_MS;
      return this.#periodMs(ballot);
    }
    pace.backoffMs = Math.min(LONGEST_BACKOFF_MS, 2 * pace.backoffMs);
    return pace.backoffMs * Math.random();
  }

  async holder(): Promise<Holder | null> {
    const looks = await Promise.allSettled(
      this.#servers.map((server) => this.#look(server)),
    );
    const seen = new Map<string, number>();
    let answers = 0;
    for (const look of looks) {
      if (look.status === "rejected") continue;
      answers++;
      const { text, leftMs } = look.value;
      if (text === null) continue;
      // What differs from server to server is when it was granted.
      const owner = ownerOf(text);
      const count = (seen.get(owner) ?? 0) + 1;
      seen.set(owner, count);
      if (count >= this.#majority) return readHolder(text, leftMs);
    }
    // Those that do not answer may keep it for somebody as well.
    const unheard = this.#servers.length - answers;
    const most = Math.max(0, ...seen.values()) + unheard;
    if (most < this.#majority) return null;
    const faults = looks.flatMap((look) =>
      look.status === "rejected" ? [(look.reason as Error).message] : []
    );
    throw toLockError(
      "Cannot find the holder of",
      this.#lock.name,
      new Error(faults.join("; ")),
    );
  }

  trouble(): string | null {
    const troubles = this.#servers.flatMap(({ link }) => link.trouble ?? []);
    if (this.#servers.length - troubles.length >= this.#majority) return null;
    return troubles.map(({ message }) => message).join("; ");
  }

  async #look(
    server: RedisServer,
  ): Promise<{ text: string | null; leftMs: number }> {
    const call = { script: LOOK, keys: [this.#lock.key], args: [] };
    const options = callOptions(this.#lock.terms.ttlMs);
    const { values: [text, leftMs] } = await server.link.call(call, options);
    return {
      text: text === null ? null : String(text),
      leftMs: Number(leftMs),
    };
  }

  // Hears when the lock may be free: when so many servers say so that they are
  // a majority, or a little after the first.
  #listen(
    ballot: Ballot,
    bell: Bell,
  ): { wait(ms: number): Promise<void>; stop(): void } {
    let free = 0;
    const listener: Listener = {
      onMessage: () => {
        free++;
        bell.ring();
      },
      onRecovery: () => {},
    };
    for (const { wakeUps } of this.#servers) {
      wakeUps.listen(ballot.owner, listener);
    }
    return {
      wait: async (ms) => {
        await bell.wait(ms);
        const isEarly = free > 0 && free < this.#majority;
        if (isEarly) await bell.wait(GATHER_MS);
      },
      stop: () => {
        for (const { wakeUps } of this.#servers) wakeUps.forget(ballot.owner);
      },
    };
  }

  get #outageMs(): number {
    return Math.max(OUTAGE_MS, this.#lock.terms.ttlMs);
  }

  // A dead holder's majority is over when the last of its servers needed is.
  #periodMs({ votes }: Ballot): number {
    const { ttlMs } = this.#lock.terms;
    const periodMs = Math.min(PERIOD_MS, ttlMs / VOTES_PER_TTL);
    const left = [...votes.values()]
      .flatMap((vote) => vote.says === "held" ? [vote.leftMs] : [])
      .sort((a, b) => a - b);
    const needed = left[this.#majority - 1] ?? Infinity;
    const jitter = 1 - 0.1 * Math.random();
    return Math.min(periodMs * jitter, needed >= 0 ? needed + 1 : Infinity);
  }

  #isOut(ballot: Ballot): boolean {
    return this.#servers.length - ballot.silent < this.#majority;
  }

  #toSlowness(): Error {
    const labels = this.#servers.map(({ label }) => label).join(", ");
    const fault = tooSlow(`a majority of ${labels}`, this.#lock.terms.ttlMs);
    return toLockError("Cannot acquire", this.#lock.name, fault);
  }

  #toOutage(ballot: Ballot): Error {
    const count = this.#servers.length;
    return toLockError(
      "Cannot acquire",
      this.#lock.name,
      new Error(
        `no majority of ${count} servers answers: ${ballot.describe()}`,
      ),
    );
  }
}

function lastHolder({ votes }: Ballot): Holder | null {
  for (const vote of votes.values()) {
    if (vote.says === "held") return readHolder(vote.by, vote.leftMs);
  }
  return null;
}
