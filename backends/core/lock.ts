import type { Backend, Grant, Survey } from "./backend.ts";
import { LockBackendError, LockError, LockTimeoutError } from "./errors.ts";
import { farewell } from "./farewells.ts";
import { HeldLease } from "./held_lease.ts";
import { describeHolder, type Holder } from "./holder.ts";
import type { Lease } from "./lease.ts";
import { giveBack } from "./give_back.ts";
import { type FirstAttempt, LocalQueue } from "./local_queue.ts";
import { LocalWaiter } from "./local_waiter.ts";
import { checkName } from "./names.ts";
import {
  type AcquireOptions,
  checkAcquireOptions,
  checkOptions,
  type TryAcquireOptions,
} from "./options.ts";
import { type AcquireEvent, acquires, kindOf } from "./tracing.ts";

/**
 * How a lock is looked at together with others.
 *
 * @param lock The lock; it may come from another copy of this package.
 * @returns How; undefined where an attempt costs no more.
 */
export let surveyOf: (lock: Lock) => Survey | undefined;

/**
 * Mutual exclusion between processes under a name. Not reentrant: whoever
 * acquires a lock that they hold waits for themselves. Several acquires of one
 * name in one process queue in the order of their calls, whichever objects
 * they came through.
 *
 * @example Run a function while holding a lock
 * ```ts
 * import { type Lock, SocketLock } from "@x/locking";
 *
 * const lock: Lock = new SocketLock("lock-example");
 * const sum = await lock.withLock(() => 1 + 1);
 * console.log(sum, lock.locked); // 2 false
 * ```
 */
export abstract class Lock {
  /** The lock's name. */
  readonly name: string;
  readonly #backend: Backend;
  #lease: HeldLease | null = null;

  /**
   * For locks that are kept in some way of their own.
   *
   * @param name The lock's name.
   * @param backend How the lock is kept.
   */
  constructor(name: string, backend: Backend) {
    checkName(name);
    this.name = name;
    this.#backend = backend;
  }

  static {
    surveyOf = (lock) => #backend in lock ? lock.#backend.survey : undefined;
  }

  /** Whether this object holds a live lease, as of now. */
  get locked(): boolean {
    return this.#lease !== null && this.#lease.live;
  }

  /**
   * Takes the lock, waiting for it as long as the options allow.
   *
   * @param options How long to wait, and what ends the wait.
   * @returns The lease.
   * @throws {RangeError} If `timeoutMs` is not from 0 to Infinity.
   * @throws {LockTimeoutError} If the time ran out.
   * @throws {LockBackendError} If what keeps the lock cannot be used.
   * @throws {LockUnsupportedError} If this runtime or platform cannot.
   */
  acquire(options: AcquireOptions = {}): Promise<Lease> {
    if (!acquires.hasSubscribers) return this.#acquire(options);
    const event = this.#describeAcquire(options?.timeoutMs ?? Infinity);
    return acquires.trace(() => this.#acquire(options, event), event);
  }

  /**
   * Tries once to take the lock, and never waits for its holder.
   *
   * @param options What ends the attempt.
   * @returns The lease, or null when the lock is held or others of this
   * process wait for it.
   * @throws {LockBackendError} If what keeps the lock cannot be used.
   * @throws {LockUnsupportedError} If this runtime or platform cannot.
   */
  tryAcquire(options: TryAcquireOptions = {}): Promise<Lease | null> {
    if (!acquires.hasSubscribers) return this.#tryAcquire(options);
    const event = this.#describeAcquire(0);
    return acquires.trace(() => this.#tryAcquire(options, event), event);
  }

  /**
   * Runs a function while holding the lock. The function's error wins over the
   * loss of the lock, and that over a failed release.
   *
   * @typeParam T What the function returns.
   * @param fn The critical section; it is given the lease.
   * @param options How long to wait for the lock.
   * @returns What the function returned.
   * @throws {LockLostError} If the lock was lost while the function ran.
   * @throws {LockTimeoutError} If the time to acquire ran out.
   */
  async withLock<T>(
    fn: (lease: Lease) => T | Promise<T>,
    options: AcquireOptions = {},
  ): Promise<T> {
    if (typeof fn !== "function") {
      throw new TypeError(`withLock needs a function, got ${typeof fn}`);
    }
    const lease = await this.acquire(options) as HeldLease;
    let result: T;
    try {
      result = await fn(lease);
    } catch (error) {
      await lease.release().catch(() => {});
      throw error;
    }
    await finish(lease);
    return result;
  }

  /**
   * Releases the lease that this object holds.
   *
   * @returns A promise that settles when others can take the lock.
   * @throws {LockError} If this object holds none; code `"LOCK_NOT_HELD"`.
   * @throws {LockLostError} If the lease has been lost.
   */
  async release(): Promise<void> {
    const lease = this.#lease;
    if (lease === null || lease.released) {
      throw new LockError(
        `Cannot release "${this.name}": this object does not hold it`,
        { lockName: this.name, code: "LOCK_NOT_HELD" },
      );
    }
    await finish(lease);
  }

  /**
   * Tells who holds the lock, in whatever process or host they are.
   *
   * @returns The holder, or null when the lock is free.
   * @throws {LockBackendError} If what keeps the lock cannot be asked.
   */
  holder(): Promise<Holder | null> {
    return this.#backend.holder();
  }

  /**
   * Describes the lock.
   *
   * @returns Such as `SocketLock("report", locked)`.
   */
  toString(): string {
    const state = this.locked ? "locked" : "unlocked";
    return `${this.constructor.name}(${JSON.stringify(this.name)}, ${state})`;
  }

  #describeAcquire(timeoutMs: number): AcquireEvent {
    const lockKind = kindOf(this.#backend.key);
    return { lockName: this.name, lockKind, timeoutMs, contended: false };
  }

  async #acquire(
    options: AcquireOptions,
    event?: AcquireEvent,
  ): Promise<Lease> {
    checkOptions("acquire", options, ["timeoutMs", "signal"]);
    checkAcquireOptions(options);
    const { timeoutMs = Infinity, signal } = options;
    if (signal?.aborted) throw signal.reason;
    const queue = LocalQueue.of(this.#backend.key);
    if (timeoutMs === 0) {
      const lease = await this.#attempt(signal, event);
      if (lease !== null) return lease;
      throw this.#timeoutError(timeoutMs, queue);
    }
    let first = queue.idle ? queue.begin(this.#backend, true) : undefined;
    // Where nothing can end the wait, the first attempt is worth no place in
    // the queue: mostly it is all there is.
    const mayEnd = signal !== undefined || timeoutMs !== Infinity;
    if (first instanceof Promise && !mayEnd) first = await queue.ended(first);
    if (first && !(first instanceof Promise)) return this.#hold(queue, first);
    if (event) noteContention(event, first);
    return await this.#wait(queue, first, options);
  }

  async #tryAcquire(
    options: TryAcquireOptions,
    event?: AcquireEvent,
  ): Promise<Lease | null> {
    checkOptions("tryAcquire", options, ["signal"]);
    checkAcquireOptions(options);
    if (options.signal?.aborted) throw options.signal.reason;
    return await this.#attempt(options.signal, event);
  }

  async #attempt(
    signal: AbortSignal | undefined,
    event: AcquireEvent | undefined,
  ): Promise<Lease | null> {
    const queue = LocalQueue.of(this.#backend.key);
    if (event) event.contended = true;
    if (!queue.idle) return null;
    if (event) event.contended = false;
    const first = queue.begin(this.#backend, false);
    const grant = first instanceof Promise
      ? await attemptOrAbort(queue, first, signal)
      : first;
    if (event) event.contended = grant === null;
    if (grant !== null) return this.#hold(queue, grant);
    queue.end();
    return null;
  }

  async #wait(
    queue: LocalQueue,
    first: FirstAttempt,
    options: AcquireOptions,
  ): Promise<Lease> {
    const { timeoutMs = Infinity, signal } = options;
    const waiter: LocalWaiter = new LocalWaiter(this.#backend, {
      timeoutMs,
      signal,
      timeoutError: () => this.#timeoutError(timeoutMs, queue),
      onGiveUp: () => queue.leave(waiter),
    });
    queue.join(waiter, first);
    return this.#hold(queue, await waiter.granted);
  }

  #hold(queue: LocalQueue, grant: Grant): Lease {
    const lease = new HeldLease(this.name, grant, queue);
    queue.hold(lease);
    return this.#lease = lease;
  }

  #timeoutError(timeoutMs: number, queue: LocalQueue): LockError {
    // Another object of this process may be the one that asks outside.
    const trouble = queue.trouble ?? this.#backend.trouble?.();
    if (trouble) {
      return new LockBackendError(
        `Cannot acquire "${this.name}" within ${timeoutMs} ms: ${trouble}`,
        { lockName: this.name },
      );
    }
    const holder = queue.lastHolder;
    const held = holder ? `, held by ${describeHolder(holder)}` : "";
    return new LockTimeoutError(
      `Cannot acquire "${this.name}": timed out after ${timeoutMs} ms${held}`,
      { lockName: this.name },
    );
  }
}

function noteContention(event: AcquireEvent, first: FirstAttempt): void {
  event.contended = !(first instanceof Promise);
  if (!(first instanceof Promise)) return;
  first.then((grant) => event.contended = grant === null, () => {});
}

// Before the release the clocks tell of a loss; in the course of it, what keeps
// the lock may do so.
async function finish(lease: HeldLease): Promise<void> {
  const lost = lease.loss;
  await lease.release();
  if (lost ?? lease.loss) throw lost ?? lease.loss;
}

// An attempt that is still under way when the caller gives up settles later;
// what it takes is given back at once, and only then do others go on.
function attemptOrAbort(
  queue: LocalQueue,
  attempt: Promise<Grant | null>,
  signal: AbortSignal | undefined,
): Promise<Grant | null> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      farewell(attempt);
      reject(signal!.reason);
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    attempt.then(async (grant) => {
      signal?.removeEventListener("abort", onAbort);
      if (!signal?.aborted) return resolve(grant);
      if (grant !== null) await giveBack(grant);
      queue.end();
    }, (error) => {
      signal?.removeEventListener("abort", onAbort);
      queue.end();
      reject(error);
    });
  });
}
