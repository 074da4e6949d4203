import { runtime } from "../../runtime/mod.ts";
import type { Contention } from "../core/backend.ts";
import { toReleaseError } from "../core/backend_errors.ts";
import { type CallOptions, releaseOptions } from "../core/call_options.ts";
import { farewell } from "../core/farewells.ts";
import type { Holder } from "../core/holder.ts";
import { Bell } from "./bell.ts";
import type { Answer, Call } from "./exchange.ts";
import { FairGrant, type Holding, type Passing } from "./fair_grant.ts";
import { ServerFault, tooSlow } from "./faults.ts";
import { ACQUIRE, LEAVE, PASS } from "./scripts.ts";
import { callOptions, type RedisServer } from "./server.ts";
import {
  grantedFence,
  keysOf,
  newOwner,
  readFence,
  readHolder,
  type SharedLock,
  whoWeAre,
} from "./shared_lock.ts";
import { isPast, readStamp } from "./stamp.ts";
import type { Listener } from "./wake_ups.ts";

// A waiter refreshes its place this often, in milliseconds, and three times in
// its time to live; and is taken for dead after two and a half such periods.
const REFRESH_MS = 1000;
const REFRESHES_PER_TTL = 3;
const ALIVE_PERIODS = 2.5;

// How long a waiter goes on while its server cannot be reached.
const OUTAGE_MS = 5000;

// How long to wait for the channel before the place is taken without it.
const CHANNEL_MS = 100;

// How often to ask for a lock when the answers take longer than it would live.
const MOST_TRIES = 3;

/**
 * One attempt of this process to take a lock of one server: the owner, and its
 * place in the server's queue.
 *
 * Why a grant that comes by message may be believed without asking again: the
 * server sent it from the script that gave this owner the key, with the full
 * time to live, and put in the stamp of the last refresh that it had then
 * processed. That refresh was sent before it was processed, and it was
 * processed before the grant: the key lives at least until the stamp's moment
 * and one time to live. Validity is counted from that moment, on our clocks, so
 * neither the message's delay nor anybody else's clock matters. A message that
 * comes after all that carries an old stamp, and is not believed; a message
 * that does not come is made up for by the next refresh, whose answer tells of
 * the grant and renews it.
 */
export class Place implements Holding, Listener {
  /** The lock. */
  readonly lock: SharedLock;
  /** The server. */
  readonly server: RedisServer;
  /** Whoever takes the lock by this attempt. */
  readonly owner: string = newOwner();
  readonly #periodMs: number;
  readonly #bell = new Bell();
  #grant: FairGrant | null = null;
  #fault: unknown = null;
  #over = false;
  #ticket = "";
  // How many grants in a row came too late to be trusted.
  #late = 0;
  // When to refresh next, on the monotonic clock.
  #due = 0;
  #contention: Contention | null = null;
  #holder: Holder | null = null;

  /**
   * @param lock The lock.
   * @param server The server that keeps it.
   */
  constructor(lock: SharedLock, server: RedisServer) {
    this.lock = lock;
    this.server = server;
    const { ttlMs } = lock.terms;
    this.#periodMs = Math.min(REFRESH_MS, ttlMs / REFRESHES_PER_TTL);
  }

  /**
   * Tries once; where the channel is open already, it takes a place in the
   * queue in the same step.
   *
   * @param willWait Whether {@linkcode Place.wait} follows if this gives null.
   * @returns The grant or null.
   */
  async attempt(willWait: boolean): Promise<FairGrant | null> {
    const enqueue = willWait && this.server.wakeUps.heard;
    if (enqueue) this.server.wakeUps.listen(this.owner, this);
    let waits = false;
    try {
      // What came too late to be trusted is still ours, and is renewed.
      for (let i = 0; i < MOST_TRIES; i++) {
        const answer = await this.#ask(enqueue, this.#options);
        const grant = this.#read(answer);
        waits = willWait && grant === null;
        if (grant === null || grant.remainingMs() > 0) return grant;
      }
      throw tooSlow(this.server.label, this.lock.terms.ttlMs);
    } catch (error) {
      // It may have come to pass all the same.
      farewell(this.#leave());
      throw error;
    } finally {
      if (!waits) this.server.wakeUps.forget(this.owner);
    }
  }

  /**
   * Waits for the lock in the server's queue.
   *
   * @param contention Ends the wait.
   * @returns The grant, or null when the wait was ended.
   */
  async wait(contention: Contention): Promise<FairGrant | null> {
    const { signal } = contention;
    this.#contention = contention;
    this.#see(this.#holder);
    const ring = (): void => this.#bell.ring();
    signal.addEventListener("abort", ring);
    try {
      await this.#listen();
      while (!signal.aborted) {
        if (this.#grant) return this.#grant;
        if (this.#fault) throw this.#fault;
        if (runtime.clock.monotonic() >= this.#due) this.#refresh();
        await this.#bell.wait(this.#due - runtime.clock.monotonic());
      }
      // Nobody wants what comes from now on.
      this.#over = true;
      this.#grant = null;
      await this.#leave();
      return null;
    } catch (error) {
      farewell(this.#leave());
      throw error;
    } finally {
      this.#over = true;
      this.#contention = null;
      signal.removeEventListener("abort", ring);
      this.server.wakeUps.forget(this.owner);
    }
  }

  pass({ noted, used, last }: Passing): Promise<Answer> {
    const tokens = [noted, used, used + 1n, last].map(String);
    const args = [this.owner, String(this.lock.terms.ttlMs), ...tokens];
    return this.#call(PASS, args, this.#options);
  }

  release(leftMs: number, used: bigint | null): Promise<Answer> {
    return this.#leave(releaseOptions(this.#options, leftMs), used);
  }

  toReleaseError(error: unknown): Error {
    return toReleaseError(this.lock, error);
  }

  // What makes no sense, or tells of a refresh that has not been, is no grant,
  // whoever sent it: the server is asked.
  onMessage([fence = "", stamp = ""]: readonly string[]): void {
    if (this.#grant !== null || this.#over) return;
    const token = readFence(fence);
    if (token === null || !isPast(stamp)) return this.onRecovery();
    this.#accept(new FairGrant(this, token, readStamp(stamp)));
  }

  onRecovery(): void {
    this.#due = 0;
    this.#bell.ring();
  }

  get #options(): CallOptions {
    return callOptions(this.lock.terms.ttlMs);
  }

  // Without its channel a place is still a place: its refreshes tell.
  async #listen(): Promise<void> {
    const { wakeUps } = this.server;
    wakeUps.listen(this.owner, this);
    if (wakeUps.heard) return;
    void wakeUps.open().then(() => this.onRecovery());
    await this.#bell.wait(CHANNEL_MS);
  }

  #refresh(): void {
    this.#due = Infinity;
    const options = {
      ...this.#options,
      limitMs: Math.max(OUTAGE_MS, this.lock.terms.ttlMs),
      persistent: true,
      keepAlive: false,
    };
    this.#ask(true, options).then((answer) => this.#onAnswer(answer)).catch(
      (error) => {
        this.#fault = error;
        this.#bell.ring();
      },
    );
  }

  #onAnswer(answer: Answer): void {
    const grant = this.#read(answer);
    if (this.#over) return this.#leaveUnlessHeld();
    if (grant === null) this.#late = 0;
    else if (this.#grant === null) this.#accept(grant);
    this.#bell.ring();
  }

  // An answer that comes after the end may tell of a place, or of a lock, that
  // nobody wants any more.
  #leaveUnlessHeld(): void {
    if (this.#grant !== null && !this.#grant.over) return;
    farewell(this.#leave());
  }

  // A grant that comes too late to be trusted is asked for again: the server
  // renews what is still ours, and has kept our ticket where it is not.
  #accept(grant: FairGrant): void {
    if (grant.remainingMs() > 0) this.#grant = grant;
    else if (++this.#late < MOST_TRIES) this.#due = 0;
    else this.#fault = tooSlow(this.server.label, this.lock.terms.ttlMs);
    this.#bell.ring();
  }

  #read({ sentAt, values }: Answer): FairGrant | null {
    const [what, text] = values;
    if (what === "granted") {
      return new FairGrant(this, grantedFence(text), sentAt);
    }
    if (what !== "waiting" && what !== "held") {
      // Else nobody would ask it again.
      const { label } = this.server;
      throw new ServerFault(
        "refused",
        `${label}: it answers what is no answer`,
      );
    }
    const [, , leftMs = -1, ahead, ticket] = values;
    this.#see(readHolder(String(text), Number(leftMs)));
    if (what === "waiting") {
      this.#ticket = String(ticket);
      this.#plan(Number(ahead), Number(leftMs));
    }
    return null;
  }

  #see(holder: Holder | null): void {
    this.#holder = holder;
    if (this.#contention) this.#contention.lastHolder = holder;
  }

  // A dead holder's lock is free when its time to live is over: whoever is
  // first looks then.
  #plan(ahead: number, leftMs: number): void {
    let ms = this.#periodMs * (1 - 0.1 * Math.random());
    if (ahead === 0 && leftMs >= 0) ms = Math.min(ms, leftMs + 1);
    this.#due = runtime.clock.monotonic() + ms;
  }

  #ask(enqueue: boolean, options: CallOptions): Promise<Answer> {
    const { ttlMs } = this.lock.terms;
    const args = [this.owner, String(ttlMs), whoWeAre(), "fifo"];
    if (enqueue) {
      const { wakeUps, link } = this.server;
      const isCounted = wakeUps.heard && link.connector.counts;
      const aliveMs = Math.ceil(ALIVE_PERIODS * this.#periodMs);
      args.push(wakeUps.channel, String(aliveMs));
      args.push(isCounted ? "1" : "0", this.#ticket);
    }
    return this.#call(ACQUIRE, args, options, () => this.#leaveUnlessHeld());
  }

  #leave(
    options: CallOptions = this.#options,
    used: bigint | null = null,
  ): Promise<Answer> {
    const args = [this.owner, "hand over"];
    if (used !== null) args.push(String(used));
    return this.#call(LEAVE, args, options);
  }

  #call(
    script: Call["script"],
    args: string[],
    options: CallOptions,
    late?: Call["late"],
  ): Promise<Answer> {
    const keys = keysOf(this.lock);
    return this.server.link.call({ script, keys, args, late }, options);
  }
}
