import { runtime } from "../../runtime/mod.ts";
import type { MaybePromise } from "../../runtime/types.ts";
import type { Backend, Contention, Grant } from "./backend.ts";
import type { Deadline } from "./deadlines.ts";
import { farewell } from "./farewells.ts";
import { giveBack } from "./give_back.ts";
import type { Holder } from "./holder.ts";
import { type LocalWaiter, timeouts } from "./local_waiter.ts";
import { WaiterLine } from "./waiter_line.ts";

/**
 * The first attempt of whoever found the queue idle: its grant, or null when
 * another holds the lock; undefined when there was none.
 */
export type FirstAttempt = MaybePromise<Grant | null> | undefined;

// How often somebody who waits has a lease looked at whose loss nothing tells.
const LOOK_MS = 1000;

const queues = new Map<string, LocalQueue>();

/** A lease, as those see it who wait for its end. */
export interface LeaseOfQueue {
  /**
   * Notices from now on, by itself, when it is lost.
   *
   * @returns Whether it does: of some only a look tells.
   */
  watchOver(): boolean;
  /** Whether it is neither released nor lost, as of now. */
  readonly live: boolean;
}

/** The wait of a queue's process; most end before anybody looks at the signal. */
class QueueContention implements Contention {
  lastHolder: Holder | null = null;
  /** What comes of it. */
  taking: Promise<Grant | null> | null = null;
  #controller: AbortController | null = null;
  #ended = false;

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#ended) this.#controller.abort();
    return this.#controller.signal;
  }

  end(): void {
    this.#ended = true;
    // It may be granted yet, and is given back then.
    if (this.taking) farewell(this.taking);
    this.#controller?.abort();
  }
}

/**
 * Everybody in this process who wants one lock, first come, first served. Only
 * the head of the queue contends outside the process; when the head gives up,
 * the process's place out there passes to the next.
 */
export class LocalQueue {
  /** What the lock is: the backend's key. */
  readonly key: string;
  readonly #waiters = new WaiterLine();
  // From the first attempt until the lock has been given back: nobody else of
  // this process may touch the backend meanwhile.
  #busy = false;
  // Whose attempt it was by which this process has the lock, or may get it.
  #backend: Backend | null = null;
  #contention: QueueContention | null = null;
  // The lease that this process has, as soon as it exists.
  #lease: LeaseOfQueue | null = null;
  // When that lease is looked at, for those who wait.
  #look: Deadline | null = null;

  /**
   * The queue of a lock.
   *
   * @param key The backend's key.
   * @returns The one queue of that key in this process; a new one is known to
   * others as soon as it begins.
   */
  static of(key: string): LocalQueue {
    return queues.get(key) ?? new LocalQueue(key);
  }

  /** @param key The backend's key. */
  constructor(key: string) {
    this.key = key;
  }

  /** Whether nobody of this process has, takes or awaits the lock. */
  get idle(): boolean {
    if (this.#waiters.first !== null) return false;
    // A lease that was lost ends when somebody looks at it.
    if (this.#lease !== null && this.#lease.live) return false;
    return !this.#busy;
  }

  /** Why this process cannot have the lock that it waits for, or null. */
  get trouble(): string | null {
    return this.#contention ? this.#backend?.trouble?.() ?? null : null;
  }

  /** Who was last seen holding the lock, for a message. */
  get lastHolder(): Holder | null {
    if (this.#contention) return this.#contention.lastHolder;
    const { identity } = runtime;
    return this.#busy ? { host: identity.host(), pid: identity.pid } : null;
  }

  /**
   * Tries once to take the lock for this process. Whoever is given null must
   * {@linkcode LocalQueue.end} the attempt or {@linkcode LocalQueue.join} with
   * it.
   *
   * @param backend How the lock is kept.
   * @param willWait Whether the caller joins if it is given null.
   * @returns What came of the attempt.
   * @throws {LockError} If the lock cannot be used; the attempt has ended.
   */
  begin(backend: Backend, willWait: boolean): MaybePromise<Grant | null> {
    // Here, not when it was found: a look at a lease that was lost ends it.
    queues.set(this.key, this);
    this.#busy = true;
    this.#backend = backend;
    try {
      return backend.tryTake(willWait);
    } catch (error) {
      this.end();
      throw error;
    }
  }

  /**
   * Waits for an attempt.
   *
   * @param attempt The attempt.
   * @returns What came of it.
   * @throws {LockError} If the lock cannot be used; the attempt has ended.
   */
  async ended(attempt: Promise<Grant | null>): Promise<Grant | null> {
    try {
      return await attempt;
    } catch (error) {
      this.end();
      throw error;
    }
  }

  /**
   * Lets the next one contend, after an attempt failed or a lease ended.
   *
   * @param defers Whether others are to have their turn first.
   */
  end(defers = false): void {
    this.#busy = false;
    this.#backend = null;
    this.#lease = null;
    if (this.#waiters.first !== null) this.#contend(defers);
    else queues.delete(this.key);
  }

  /**
   * Notes that a grant was made a lease.
   *
   * @param lease The lease; its keeper is this queue.
   */
  hold(lease: LeaseOfQueue): void {
    this.#lease = lease;
    if (this.#waiters.first !== null) this.#watchOver(lease);
  }

  // On the waiters' own timer: there may be ten thousand of them.
  #watchOver(lease: LeaseOfQueue): void {
    if (lease.watchOver() || this.#look !== null) return;
    this.#look = {
      at: runtime.clock.monotonic() + LOOK_MS,
      expire: () => {
        this.#look = null;
        if (this.#lease?.live) this.#watchOver(this.#lease);
      },
    };
    timeouts.add(this.#look);
  }

  #remove(waiter: LocalWaiter): boolean {
    const removed = this.#waiters.remove(waiter);
    if (this.#look && this.#waiters.first === null) {
      timeouts.cancel(this.#look);
      this.#look = null;
    }
    return removed;
  }

  /**
   * Takes a grant whose lease was released: for the next waiter, if that wants
   * it on the same terms, or back.
   *
   * @param grant The grant.
   * @returns A promise where the lock is free only once it has settled.
   */
  finish(grant: Grant): MaybePromise<void> {
    this.#lease = null;
    const backend = this.#backend!;
    if (this.#next(backend) === null || !grant.pass) {
      return this.#release(grant);
    }
    const passed = grant.pass();
    return passed instanceof Promise
      ? passed.then((next) => this.#passOn(grant, next, backend))
      : this.#passOn(grant, passed, backend);
  }

  #passOn(
    grant: Grant,
    next: Grant | null,
    backend: Backend,
  ): MaybePromise<void> {
    if (next === null) return this.#release(grant);
    // Who releases it is told when that is done, or has failed.
    if (this.#next(backend) === null) return this.#release(next);
    this.#deliver(backend, next);
  }

  // Who is next to have what was taken by this backend.
  #next({ terms }: Backend): LocalWaiter | null {
    const head = this.#waiters.first;
    return head?.backend.terms === terms ? head : null;
  }

  #release(grant: Grant): MaybePromise<void> {
    let done: MaybePromise<void>;
    try {
      done = grant.release();
    } catch (error) {
      done = Promise.reject(error);
    }
    if (!(done instanceof Promise)) return this.end(grant.yields);
    return done.then(() => this.end(grant.yields), (error) => {
      this.end();
      throw error;
    });
  }

  /**
   * Adds a waiter: at the end of the queue, unless it found the queue idle and
   * others came while it made its first attempt.
   *
   * @param waiter The waiter; it must leave when it gives up.
   * @param first The waiter's own first attempt, if it found the queue idle.
   */
  join(waiter: LocalWaiter, first?: FirstAttempt): void {
    if (first === undefined) {
      this.#waiters.append(waiter);
      if (this.#lease) this.#watchOver(this.#lease);
      return;
    }
    this.#waiters.prepend(waiter);
    this.#pursue(waiter.backend, first);
  }

  /**
   * Removes a waiter that gave up.
   *
   * @param waiter The waiter.
   */
  leave(waiter: LocalWaiter): void {
    if (!this.#remove(waiter)) return;
    // Whoever comes next, on the same terms, takes over the place out there.
    if (this.#backend !== null && this.#next(this.#backend) === null) {
      this.#contention?.end();
    }
  }

  #contend(defers: boolean): void {
    const { backend } = this.#waiters.first!;
    this.#busy = true;
    this.#backend = backend;
    let first: MaybePromise<Grant | null>;
    try {
      first = backend.tryTake(true, defers);
    } catch (error) {
      first = Promise.reject(error);
    }
    if (first !== null && !(first instanceof Promise)) {
      return this.#deliver(backend, first);
    }
    this.#pursue(backend, first);
  }

  #pursue(backend: Backend, first: MaybePromise<Grant | null>): void {
    const contention = new QueueContention();
    this.#contention = contention;
    contention.taking = takeFrom(backend, first, contention);
    contention.taking.then(
      (grant) => this.#deliver(backend, grant),
      (error) => this.#fail(backend, error),
    );
  }

  #deliver(backend: Backend, grant: Grant | null): void {
    this.#contention = null;
    if (grant === null) return this.end();
    const head = this.#next(backend);
    if (head === null) {
      // Nobody wants it any more: the lock is given back at once, not left to
      // its time to live, and a failure to do so has nobody to be told.
      return void giveBack(grant).finally(() => this.end());
    }
    this.#remove(head);
    head.grant(grant);
  }

  #fail(backend: Backend, error: unknown): void {
    this.#contention = null;
    const head = this.#next(backend);
    if (head !== null) {
      this.#remove(head);
      head.fail(error);
    }
    this.end();
  }
}

async function takeFrom(
  backend: Backend,
  first: MaybePromise<Grant | null>,
  contention: Contention,
): Promise<Grant | null> {
  return await first ?? await backend.take(contention);
}
