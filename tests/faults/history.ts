/**
 * A history: what workers, a store and a nemesis did to some locks, and when.
 * In a file it is a line of JSON for each event.
 *
 * Times are milliseconds of the machine's monotonic clock, which all processes
 * share. What a worker begins is stamped before it begins, and what has come
 * to it is stamped after it has come; so whatever two stamps prove about two
 * workers is true.
 */

/** An event of a history. */
export type HistoryEvent =
  | StartEvent
  | InvokeEvent
  | GrantEvent
  | RefuseEvent
  | HeldEvent
  | WriteEvent
  | LostEvent
  | ReleaseEvent
  | ReleasedEvent
  | PauseEvent
  | ExitEvent
  | FaultEvent
  | LeftEvent;

/** What every event has. */
interface Stamped {
  /** When, in milliseconds. */
  readonly at: number;
}

/** What an event of one attempt to hold a lock has. */
interface OfAttempt extends Stamped {
  /** The process: a slot and how often it was filled, such as `3.2`. */
  readonly worker: string;
  /** The attempt: unique within its worker. */
  readonly id: number;
}

/** A worker is ready. */
export interface StartEvent extends Stamped {
  readonly type: "start";
  readonly worker: string;
  /** Such as `deno` or `node24`. */
  readonly runtime: string;
  readonly pid: number;
}

/** A worker is about to ask for a lock. */
export interface InvokeEvent extends OfAttempt {
  readonly type: "invoke";
  readonly name: string;
  /** Whether it waits; else it is one attempt. */
  readonly waits: boolean;
}

/** It has the lock. */
export interface GrantEvent extends OfAttempt {
  readonly type: "grant";
  /** The fencing token in decimal; null where the lock has none. */
  readonly token: string | null;
}

/** It has not got the lock. */
export interface RefuseEvent extends OfAttempt {
  readonly type: "refuse";
  /** An error's code, `ABORTED`, or `HELD` for an attempt that found it held. */
  readonly code: string;
}

/** `lease.assertHeld()` did not throw; the stamp is from before the call. */
export interface HeldEvent extends OfAttempt {
  readonly type: "held";
}

/** A store has decided about a write; the stamp is the store's. */
export interface WriteEvent extends OfAttempt {
  readonly type: "write";
  readonly name: string;
  /** `fenced` refuses a token less than one that it has seen. */
  readonly store: "fenced" | "plain";
  readonly token: string | null;
  readonly accepted: boolean;
  /** The value that the writer had read. */
  readonly base: number;
  /** The value that was there before this write was decided about. */
  readonly found: number;
}

/** The lease's signal has told that it is lost. */
export interface LostEvent extends OfAttempt {
  readonly type: "lost";
}

/** It is about to release. */
export interface ReleaseEvent extends OfAttempt {
  readonly type: "release";
}

/** The release has settled. */
export interface ReleasedEvent extends OfAttempt {
  readonly type: "released";
  /** The error's code, if it failed. */
  readonly code?: string;
}

/** The worker's event loop did not turn from `from` to `at`. */
export interface PauseEvent extends Stamped {
  readonly type: "pause";
  readonly worker: string;
  readonly from: number;
}

/** A worker's process has ended. */
export interface ExitEvent extends Stamped {
  readonly type: "exit";
  readonly worker: string;
  readonly code: number | null;
  readonly signal: string | null;
  /** When it was killed, stamped before; absent if it was to end by itself. */
  readonly killedAt?: number;
}

/** What a fault may suspend. */
export type Suspension =
  /**
   * The lock's memory is gone: who held it, or got it, until the end may
   * overlap with others until it is told.
   */
  | "exclusion"
  /** Who came first need not be served first. */
  | "order"
  /** Waiters may wait for longer than they else do. */
  | "progress";

/** A nemesis begins or ends a fault. */
export interface FaultEvent extends Stamped {
  readonly type: "fault";
  /** Unique for each fault; its begin and its end share it. */
  readonly fault: number;
  /** Such as `kill` or `flush`. */
  readonly kind: string;
  /** Begin is stamped before it is done, end after it is undone. */
  readonly phase: "begin" | "end";
  /** The worker that it is done to; absent if it is not one. */
  readonly worker?: string;
  readonly suspends: readonly Suspension[];
  /** For how long after its end what it suspends stays suspended. */
  readonly recoveryMs: number;
  readonly detail?: string;
}

/** Something that should be gone after the end is still there. */
export interface LeftEvent extends Stamped {
  readonly type: "left";
  readonly what: string;
}

/** What a kind of lock promises, as far as a history can show it. */
export interface Promised {
  /** The lock's class. */
  readonly kind: string;
  /** Whether it is a lease, which a paused holder may outlive. */
  readonly lease: boolean;
  /** Whether grants have fencing tokens. */
  readonly fenced: boolean;
  /** Whether waiters of several processes are served in their order. */
  readonly fifo: boolean;
  /**
   * How often in a row a process that passes the lock to its own tasks, or a
   * newcomer, may overtake the others.
   */
  readonly mostOvertaking: number;
  /** Who waits for less than this is a newcomer. */
  readonly newcomerMs: number;
  /** The part of the grants of a name that may be out of order all the same. */
  readonly mostMisordered: number;
  /** How much later than another a waiter must have come to count as later. */
  readonly orderSlackMs: number;
  /** Within which time after the loss of its memory each holder is told. */
  readonly toldWithinMs: number;
  /** The longest wait, while progress is not suspended. */
  readonly longestWaitMs: number;
  /** The longest time free with waiters, while progress is not suspended. */
  readonly longestIdleMs: number;
}
