import { toReleaseError } from "../core/backend_errors.ts";
import { type CallOptions, releaseOptions } from "../core/call_options.ts";
import { farewell } from "../core/farewells.ts";
import type { Moment } from "../core/lease_clock.ts";
import { stayAlive } from "../core/stay_alive.ts";
import { type Answer, type Call, wasHeld } from "./exchange.ts";
import type { ServerFault } from "./faults.ts";
import { firstMajority } from "./first_majority.ts";
import { majorityOf, QuorumGrant } from "./quorum_grant.ts";
import { ACQUIRE, LEAVE, RAISE, type Script } from "./scripts.ts";
import { callOptions, type RedisServer } from "./server.ts";
import {
  grantedFence,
  keysOf,
  newOwner,
  ownerOf,
  type SharedLock,
  whoWeAre,
} from "./shared_lock.ts";

// A server that takes longer than half of the time to live is left out of a
// vote, but none is before or after so many milliseconds: the first vote may
// have to connect, and who waits for a second is better off without an answer.
const SHORTEST_VOTE_MS = 500;
const LONGEST_VOTE_MS = 1000;

// For how long the place of a waiter counts, that votes about once a second.
const ALIVE_MS = 2500;

// For how long servers that do not answer are waited for when what they gave is
// given back: by whoever failed to win a vote, and by the end of the process.
const GIVE_BACK_MS = 100;

/** What one server said. */
export type Vote =
  | {
    readonly says: "granted";
    readonly sentAt: Moment;
    readonly fence: bigint;
  }
  | { readonly says: "held"; readonly by: string; readonly leftMs: number }
  | { readonly says: "nothing"; readonly fault: ServerFault };

/**
 * One attempt to take a lock from a majority of independent servers: the
 * Redlock algorithm of the Redis documentation ("Distributed Locks with
 * Redis"), with all servers asked at once, and fencing tokens.
 *
 * All tokens of a majority are raised to the greatest among them before the
 * holder has it. The next majority shares a server with this one, whose next
 * token is greater than that.
 */
export class Ballot {
  readonly owner: string = newOwner();
  readonly votes: Map<RedisServer, Vote> = new Map();
  readonly #lock: SharedLock;
  readonly #servers: readonly RedisServer[];
  readonly #majority: number;
  #grant: QuorumGrant | null = null;
  #over = false;
  #isLate = false;

  /**
   * @param lock The lock.
   * @param servers All its servers.
   */
  constructor(lock: SharedLock, servers: readonly RedisServer[]) {
    this.#lock = lock;
    this.#servers = servers;
    this.#majority = majorityOf(servers.length);
  }

  /**
   * Asks all servers.
   *
   * @param enqueue Whether a server that has given the lock to another is to
   * send a message when it is free.
   * @returns The grant, or null as soon as a majority is impossible.
   */
  async run(enqueue: boolean): Promise<QuorumGrant | null> {
    await this.#decide(enqueue);
    const won = this.#granted();
    const isWon = this.#has(won.size);
    const grant = isWon ? await this.#raise() : null;
    this.#over = true;
    // Where it is over, its servers may have nothing left to raise.
    this.#isLate = isWon &&
      (grant ?? this.#makeGrant(won, 0n)).remainingMs() <= 0;
    if (grant === null || this.#isLate) {
      await this.#giveBack();
      return null;
    }
    this.#grant = grant;
    // Those that granted it while the tokens were raised.
    for (const [server, sentAt] of this.#granted()) {
      if (!grant.isFrom(server)) this.#strengthen(grant, server, sentAt);
    }
    return grant;
  }

  /** How many servers did not answer the question. */
  get silent(): number {
    return [...this.votes.values()].filter(({ says }) => says === "nothing")
      .length;
  }

  /** Whether a majority granted it, but too late to be trusted. */
  get isLate(): boolean {
    return this.#isLate;
  }

  /** Who has a majority; null where the votes were split. */
  get heldBy(): string | null {
    const counts = new Map<string, number>();
    for (const vote of this.votes.values()) {
      if (vote.says !== "held") continue;
      const owner = ownerOf(vote.by);
      counts.set(owner, (counts.get(owner) ?? 0) + 1);
    }
    for (const [owner, count] of counts) if (this.#has(count)) return owner;
    return null;
  }

  /**
   * What each server said, for a message.
   *
   * @returns One server after another.
   */
  describe(): string {
    const describe = (server: RedisServer): string => {
      const vote = this.votes.get(server);
      if (vote?.says === "nothing") return vote.fault.message;
      return `${server.label}: ${vote?.says ?? "not answered yet"}`;
    };
    return this.#servers.map(describe).join("; ");
  }

  /** Gives up all places and grants, without waiting for the answers. */
  withdraw(): void {
    this.#over = true;
    for (const server of this.#servers) farewell(this.#dropAt(server));
  }

  #decide(enqueue: boolean): Promise<void> {
    return new Promise((resolve) => {
      for (const server of this.#servers) {
        this.#ask(server, enqueue).then((vote) => {
          this.votes.set(server, vote);
          this.#onLate(server, vote);
          if (this.#isDecided()) resolve();
        });
      }
    });
  }

  // Where a majority is impossible, it is also to be known whether one answers:
  // else the lock would seem to be held where servers are gone.
  #isDecided(): boolean {
    const granted = this.#granted().size;
    const open = this.#servers.length - this.votes.size;
    if (this.#has(granted)) return true;
    if (this.#has(granted + open)) return false;
    const answered = this.votes.size - this.silent;
    return this.#has(answered) || !this.#has(answered + open);
  }

  async #ask(server: RedisServer, enqueue: boolean): Promise<Vote> {
    const { ttlMs } = this.#lock.terms;
    const args = [this.owner, String(ttlMs), whoWeAre(), "any"];
    if (enqueue) args.push(server.wakeUps.channel, String(ALIVE_MS), "0", "");
    try {
      const late = ({ values }: Answer): void => {
        // It is too late to be a vote.
        if (values[0] === "granted") farewell(this.#dropAt(server));
      };
      const options = this.#options;
      return readVote(await this.#call(server, ACQUIRE, args, options, late));
    } catch (fault) {
      return { says: "nothing", fault: fault as ServerFault };
    }
  }

  // A grant that comes after the verdict strengthens it, or is given back.
  #onLate(server: RedisServer, vote: Vote): void {
    if (!this.#over || vote.says !== "granted") return;
    if (this.#grant && !this.#grant.over) {
      this.#strengthen(this.#grant, server, vote.sentAt);
    } else farewell(this.#dropAt(server));
  }

  #strengthen(grant: QuorumGrant, server: RedisServer, sentAt: Moment): void {
    void this.#raiseAt(server, grant.fencingToken).then((raised) => {
      if (raised) grant.join(server, sentAt);
    });
  }

  #granted(): Map<RedisServer, Moment> {
    const granted = new Map<RedisServer, Moment>();
    for (const [server, vote] of this.votes) {
      if (vote.says === "granted") granted.set(server, vote.sentAt);
    }
    return granted;
  }

  #has(votes: number): boolean {
    return votes >= this.#majority;
  }

  async #raise(): Promise<QuorumGrant | null> {
    const granted = this.#granted();
    const fence = this.#greatestFence();
    const isRaised = await this.#majorityDoes(async (server) => {
      const done = granted.has(server) && await this.#raiseAt(server, fence);
      if (!done) granted.delete(server);
      return done;
    });
    return isRaised ? this.#makeGrant(granted, fence) : null;
  }

  // Whoever waits is seen by a majority; what only one has seen is gone.
  async #setAside(
    grant: QuorumGrant,
    first: bigint,
    last: bigint,
  ): Promise<boolean> {
    return await this.#majorityDoes(async (server) =>
      grant.isFrom(server) && await this.#raiseAt(server, first, last)
    );
  }

  // Resolves as soon as that is known; must not reject.
  #majorityDoes(
    act: (server: RedisServer) => Promise<boolean>,
  ): Promise<boolean> {
    return new Promise((resolve) => {
      let done = 0;
      let open = this.#servers.length;
      for (const server of this.#servers) {
        act(server).then((did) => {
          open--;
          if (did) done++;
          if (this.#has(done)) resolve(true);
          else if (!this.#has(done + open)) resolve(false);
        });
      }
    });
  }

  #greatestFence(): bigint {
    let greatest = 0n;
    for (const vote of this.votes.values()) {
      if (vote.says === "granted" && vote.fence > greatest) {
        greatest = vote.fence;
      }
    }
    return greatest;
  }

  async #raiseAt(
    server: RedisServer,
    ...tokens: readonly bigint[]
  ): Promise<boolean> {
    try {
      const args = [this.owner, ...tokens.map(String)];
      return Number((await this.#call(server, RAISE, args)).values[0]) === 1;
    } catch {
      return false;
    }
  }

  #makeGrant(
    granted: ReadonlyMap<RedisServer, Moment>,
    fencingToken: bigint,
  ): QuorumGrant {
    return new QuorumGrant({
      lock: this.#lock,
      owner: this.owner,
      fencingToken,
      servers: this.#servers,
      granted,
      setAside: (grant, ...tokens) => this.#setAside(grant, ...tokens),
      leave: (grant) => this.#release(grant),
    });
  }

  // Free for others as soon as a majority is; those that do not answer are
  // told in the background, even if they never granted it.
  async #release(grant: QuorumGrant): Promise<boolean> {
    const options = releaseOptions(
      callOptions(this.#lock.terms.ttlMs),
      grant.clock.remainingMs(),
    );
    const asked = this.#servers.map((server) =>
      this.#call(server, LEAVE, [this.owner, "wake"], {
        ...options,
        keepAlive: false,
      })
    );
    const majority = firstMajority(asked);
    void stayAlive(majority, options.limitMs)
      .then(() => stayAlive(Promise.allSettled(asked), GIVE_BACK_MS));
    try {
      const answers = await majority;
      const held = answers.filter(wasHeld).length;
      return this.#couldHold(held, answers.length);
    } catch (error) {
      throw toReleaseError(this.#lock, error);
    }
  }

  // Those that have not answered yet may have held it.
  #couldHold(held: number, answers: number): boolean {
    return this.#has(held + this.#servers.length - answers);
  }

  // Also where the answer has not come yet: nothing is to be left behind. Those
  // that do not answer are not waited for.
  async #giveBack(): Promise<void> {
    const drops: Promise<void>[] = [];
    for (const server of this.#servers) {
      const vote = this.votes.get(server);
      if (vote === undefined || vote.says === "granted") {
        drops.push(this.#dropAt(server));
      } else if (vote.says === "nothing" && vote.fault.kind === "silent") {
        farewell(this.#dropAt(server));
      }
    }
    await stayAlive(Promise.all(drops), GIVE_BACK_MS);
  }

  async #dropAt(server: RedisServer): Promise<void> {
    // Where it cannot be told, the lock frees itself.
    await this.#call(server, LEAVE, [this.owner, "drop"]).catch(() => {});
  }

  #call(
    server: RedisServer,
    script: Script,
    args: string[],
    options: CallOptions = this.#options,
    late?: Call["late"],
  ): Promise<Answer> {
    const keys = keysOf(this.#lock);
    return server.link.call({ script, keys, args, late }, options);
  }

  get #options(): CallOptions {
    const { ttlMs } = this.#lock.terms;
    const limitMs = Math.max(SHORTEST_VOTE_MS, ttlMs / 2);
    return {
      ...callOptions(ttlMs),
      limitMs: Math.min(LONGEST_VOTE_MS, limitMs),
    };
  }
}

function readVote({ sentAt, values }: Answer): Vote {
  const [what, text, leftMs = -1] = values;
  if (what === "granted") {
    return { says: "granted", sentAt, fence: grantedFence(text) };
  }
  return { says: "held", by: String(text), leftMs: Number(leftMs) };
}
