/** Where one kind of lock is contended for. */
import type { LockSpec } from "../fixtures/protocol.ts";
import type { FaultKind } from "./fault.ts";
import type { Promised } from "./history.ts";

/** A kind of lock with its servers and files, and what can be done to them. */
export interface Arena {
  readonly promised: Promised;
  /** A lease's time to live in milliseconds; 0 if it is none. */
  readonly ttlMs: number;
  /** For how long waiters may feel that a holder has died or was stopped. */
  readonly recoveryMs: number;
  /** The faults of its servers, files and networks. */
  readonly faults: readonly FaultKind[];
  /** The locks, as a slot's workers reach them. */
  locks(slot: number): LockSpec[];
  /** The command that starts a slot's worker, around the runtime's own. */
  wrap(slot: number, command: readonly string[]): readonly string[];
  /** What is left of the locks when nobody uses them any more. */
  left(): Promise<string[]>;
  /** Ends its servers. */
  end(): Promise<void>;
}

/** What an arena is made of. */
export interface ArenaOptions {
  /** The locks' names. */
  readonly names: readonly string[];
  /** How many workers there are. */
  readonly slots: number;
  /** A folder for files; it is removed afterwards. */
  readonly directory: string;
}
