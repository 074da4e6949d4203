import type { MaybePromise } from "../../runtime/types.ts";
import type { Grant } from "./backend.ts";
import { type Deadline, Deadlines } from "./deadlines.ts";
import { LockLostError } from "./errors.ts";
import { giveBack } from "./give_back.ts";
import type { Lease } from "./lease.ts";
import {
  type SleepWatcher,
  unwatchForSleep,
  watchForSleep,
} from "./sleep_watch.ts";
import { kindOf, losses, releases } from "./tracing.ts";
import { runtime } from "../../runtime/mod.ts";

// How often a grant is examined that nothing but a look tells the loss of, such
// as that of a file, in milliseconds.
const CHECK_MS = 1000;

// One unreferenced timer watches over all leases of the process: no lease keeps
// the process alive, and no hung connection can delay the verdict.
const examinations = new Deadlines(
  runtime.timers,
  runtime.clock.monotonic,
  { keepAlive: false },
);

const RELEASED = Promise.resolve();

/** When a lease is examined next. */
class Examination implements Deadline {
  readonly at: number;
  place = -1;
  readonly #due: HeldLease;

  constructor(due: HeldLease, at: number) {
    this.#due = due;
    this.at = at;
  }

  expire(): void {
    this.#due.onExamination();
  }
}

/** Where a grant goes when its lease ends. */
export interface LeaseKeeper {
  /** What the lock is: the backend's key. */
  readonly key: string;
  /** The lease was lost: others may go on. */
  end(): void;
  /**
   * The lease was released.
   *
   * @param grant What was granted.
   * @returns A promise where it is done only once that has settled.
   */
  finish(grant: Grant): MaybePromise<void>;
}

/** A grant in the hands of the caller. */
export class HeldLease implements Lease, SleepWatcher {
  /** The lock's name. */
  readonly lockName: string;
  /** The grant's fencing token; the grant may be passed on with another. */
  readonly fencingToken: bigint | null;
  readonly #grant: Grant;
  readonly #keeper: LeaseKeeper;
  #controller: AbortController | null = null;
  #lost: LockLostError | null = null;
  #released: Promise<void> | null = null;
  #nextExamination: Deadline | null = null;
  #isWatched = false;

  /**
   * @param lockName The lock's name.
   * @param grant What the backend granted.
   * @param keeper Where the grant goes when the lease ends.
   */
  constructor(lockName: string, grant: Grant, keeper: LeaseKeeper) {
    this.lockName = lockName;
    this.fencingToken = grant.fencingToken;
    this.#grant = grant;
    this.#keeper = keeper;
    grant.watch?.((reason, cause) => this.#lose(reason, cause));
  }

  /** Aborts when the lease is lost; made only when somebody asks for it. */
  get signal(): AbortSignal {
    if (this.#released === null) this.#examine();
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#lost) this.#controller.abort(this.#lost);
      else if (this.#grant.check) this.#examineSoon();
      else this.watchOver();
    }
    return this.#controller.signal;
  }

  /**
   * Notices a loss by itself from now on: somebody wants to know. Of most
   * leases nobody does before they are released.
   *
   * @returns Whether it does: of the loss of a file only a look tells.
   */
  watchOver(): boolean {
    if (this.#isWatched || this.#released) return true;
    if (!this.#grant.clock) return this.#grant.check === undefined;
    if (this.#examine() !== null) return true;
    this.#isWatched = true;
    this.#examineSoon();
    watchForSleep(this);
    this.#grant.clock.onShorter = () => this.#examineAnew();
    return true;
  }

  /** Whether the lease has been released by its holder. */
  get released(): boolean {
    return this.#released !== null;
  }

  /** Whether the lease is neither released nor lost, as of now. */
  get live(): boolean {
    return this.#released === null && this.#examine() === null;
  }

  /** Why the lease was lost, or null; examined now unless it was released. */
  get loss(): LockLostError | null {
    return this.#released === null ? this.#examine() : this.#lost;
  }

  /**
   * How long the lease may still be trusted unless it is renewed, in
   * milliseconds, whatever was heard of it; Infinity where the kernel holds it.
   */
  get remainingMs(): number {
    return this.#grant.clock?.remainingMs() ?? Infinity;
  }

  /** Looks whether it was lost; it may have been renewed since that was due. */
  onExamination(): void {
    this.#nextExamination = null;
    if (this.#examine() === null) this.#examineSoon();
  }

  /** Looks whether it was lost while the machine slept, or what is left. */
  onSleep(): void {
    this.#examineAnew();
  }

  /** Throws unless the lease is live. */
  assertHeld(): void {
    const lost = this.loss;
    if (lost) throw lost;
    if (this.#released) {
      throw new LockLostError(
        `Cannot rely on "${this.lockName}": the lease has been released`,
        { lockName: this.lockName },
      );
    }
  }

  /**
   * Gives the lock back, once.
   *
   * @returns A promise that settles when others can take the lock.
   */
  release(): Promise<void> {
    return this.#released ??= this.#tellAndGiveBack();
  }

  /**
   * Gives the lock back at the end of a block.
   *
   * @returns A promise that settles when others can take the lock.
   */
  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  #tellAndGiveBack(): Promise<void> {
    if (!releases.hasSubscribers) return this.#giveBack();
    // A subscriber who releases the lease as well is told that it is.
    this.#released = RELEASED;
    return releases.trace(() => this.#giveBack(), this.#describe());
  }

  #giveBack(): Promise<void> {
    this.#stopExaminations();
    // Once lost, others have gone on and the caller knows: this is a courtesy.
    if (this.#lost) return giveBack(this.#grant);
    return this.#keeper.finish(this.#grant) ?? RELEASED;
  }

  #examine(): LockLostError | null {
    if (this.#lost) return this.#lost;
    if (this.#grant.clock && this.#grant.clock.remainingMs() <= 0) {
      this.#lose("the lease was not renewed in time");
    } else {
      const reason = this.#grant.check?.();
      if (reason) this.#lose(reason);
    }
    return this.#lost;
  }

  #lose(reason: string, cause?: unknown): void {
    if (this.#lost) return;
    const loss = new LockLostError(`Lost "${this.lockName}": ${reason}`, {
      lockName: this.lockName,
      cause,
    });
    this.#lost = loss;
    this.#stopExaminations();
    // A release under way lets others go on by itself.
    if (this.#released === null) this.#keeper.end();
    if (!losses.hasSubscribers) return this.#controller?.abort(loss);
    const event = { ...this.#describe(), reason: loss };
    losses.traceSync(() => this.#controller?.abort(loss), event);
  }

  #describe(): { lockName: string; lockKind: string; lease: Lease } {
    const { lockName } = this;
    return { lockName, lockKind: kindOf(this.#keeper.key), lease: this };
  }

  // The end of the lease has come nearer than when the next look was planned.
  #examineAnew(): void {
    if (this.#examine() !== null) return;
    this.#cancelExamination();
    this.#examineSoon();
  }

  #examineSoon(): void {
    if (this.#released || this.#nextExamination) return;
    const { clock, check } = this.#grant;
    const leftMs = Math.min(
      clock?.remainingMs() ?? Infinity,
      check ? CHECK_MS : Infinity,
    );
    const at = runtime.clock.monotonic() + leftMs;
    this.#nextExamination = new Examination(this, at);
    examinations.add(this.#nextExamination);
  }

  #stopExaminations(): void {
    if (this.#isWatched) {
      unwatchForSleep(this);
      this.#grant.clock!.onShorter = null;
    }
    this.#cancelExamination();
  }

  #cancelExamination(): void {
    if (this.#nextExamination) examinations.cancel(this.#nextExamination);
    this.#nextExamination = null;
  }
}
