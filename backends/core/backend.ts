/**
 * The seam between what a lock is and how one is kept. The core knows queues,
 * timeouts, cancellation and leases; a backend knows one kernel object or
 * server.
 *
 * @module
 */
import type { MaybePromise } from "../../runtime/types.ts";
import type { Holder } from "./holder.ts";
import type { LeaseClock } from "./lease_clock.ts";

/** How one lock is kept outside this process. */
export interface Backend extends Keeper {
  /**
   * What the lock is: two backends with one key are one lock, and share one
   * queue in this process.
   */
  readonly key: string;
  /**
   * On what terms it is taken, such as its time to live. A waiter may use a
   * grant that another one of its queue asked for on the same terms.
   */
  readonly terms: string;
  /**
   * How many locks are looked at together; absent where a look at each costs as
   * much as an attempt to take it.
   */
  readonly survey?: Survey;
}

/**
 * A look at many locks at once, to find those that are worth an attempt.
 *
 * @typeParam Item What stands for a lock.
 */
export interface Survey<Item = unknown> {
  /** Locks of one group can be looked at together. */
  readonly group: string;
  /** This lock. */
  readonly item: Item;
  /**
   * Looks at locks of the group.
   *
   * @param items The locks.
   * @param options How they are looked at.
   * @returns For each lock, whether nobody held it when it was looked at, or
   * that is not known.
   * @throws {Error} If there was no answer.
   */
  look(items: readonly Item[], options: LookOptions): Promise<boolean[]>;
}

/** Options of {@linkcode Survey.look}. */
export interface LookOptions {
  /** How many requests may be under way at once. */
  readonly concurrency: number;
  /** After it has aborted, nothing more is asked. */
  readonly signal: AbortSignal | undefined;
}

/** What takes one lock from whatever keeps it. */
export interface Keeper {
  /**
   * Tries once to take the lock, and never waits for its holder.
   *
   * @param willWait Whether {@linkcode Keeper.take} follows if this gives null:
   * then there is no need to try where it would only be in the way.
   * @param defers Whether to leave the lock to others first: this process has just
   * given it back for their sake. It will wait then.
   * @returns The grant, or null when another holds the lock.
   * @throws {LockError} If the lock cannot be used at all.
   */
  tryTake(willWait: boolean, defers?: boolean): MaybePromise<Grant | null>;
  /**
   * Takes the lock, waiting for its holder as long as it needs. Called after
   * every {@linkcode Keeper.tryTake} that said it would follow and returned
   * null, even when the wait has ended by then; and once at a time.
   *
   * @param contention Ends the wait, and is told what is seen meanwhile.
   * @returns The grant; null only when the wait was ended. A grant that races
   * the end of the wait is returned all the same.
   * @throws {LockError} If the lock cannot be used at all.
   */
  take(contention: Contention): Promise<Grant | null>;
  /**
   * Tells who holds the lock, wherever they are.
   *
   * @returns The holder, or null when the lock is free.
   */
  holder(): Promise<Holder | null>;
  /**
   * Why the lock cannot be had now, apart from being held: what keeps it does
   * not answer. A wait that runs out then ends with this instead of a timeout.
   *
   * @returns The reason in words, such as `"redis://web-3:6379: no answer for
   * 900 ms"`, or null.
   */
  trouble?(): string | null;
}

/** One process's wait for one lock. */
export interface Contention {
  /** Aborts when nobody in this process wants the lock any more. */
  readonly signal: AbortSignal;
  /** Who was last seen holding the lock; for the message of a timeout. */
  lastHolder: Holder | null;
}

/** A lock that this process has been given. */
export interface Grant {
  /** Greater than that of every earlier grant of the name; null where there is none. */
  readonly fencingToken: bigint | null;
  /** How long the grant may be trusted; absent where the kernel holds it. */
  readonly clock?: LeaseClock;
  /**
   * Called as soon as a holder's lease exists, with the way to report a loss
   * that the backend learns of by itself; once for each holder.
   *
   * @param lost To call with the reason.
   */
  watch?(lost: (reason: string, cause?: unknown) => void): void;
  /**
   * Looks, synchronously, whether the lock is still what was taken.
   *
   * @returns Why it is lost, or null.
   */
  check?(): string | null;
  /**
   * Passes the lock on to the next task of this process without giving it back,
   * as long as that keeps nobody outside from their turn (lock cohorting: Dice,
   * Marathe, Shavit, 2012).
   *
   * @returns The grant for the next task, which may be this one with another
   * token; null if it is to be released.
   */
  pass?(): MaybePromise<Grant | null>;
  /**
   * Whether it was not passed on for the sake of others, who need a moment to
   * take it.
   */
  readonly yields?: boolean;
  /**
   * Gives the lock back; never touches a successor's. Called once.
   *
   * @returns A promise where the lock is free only once it has settled.
   */
  release(): MaybePromise<void>;
}
