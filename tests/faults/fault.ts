/** What a nemesis can do. */
import type { Suspension } from "./history.ts";

/** How one fault goes, as drawn before the run. */
export interface Drawn {
  /** The worker that it is done to, by its slot. */
  readonly slot: number;
  /** How long it lasts, in milliseconds. */
  readonly lastsMs: number;
  /** A number of at least 0 and less than 1, for what else is to be chosen. */
  readonly choice: number;
}

/** A kind of fault. */
export interface FaultKind {
  /** Such as `kill` or `flush`. */
  readonly kind: string;
  /** Whether it is done to one worker. */
  readonly ofWorker?: boolean;
  /** The slots whose workers it can be done to. @default {all of them} */
  readonly slots?: readonly number[];
  /** What it suspends of the lock's promises. */
  readonly suspends: readonly Suspension[];
  /** For how long after its end that stays suspended, in milliseconds. */
  readonly recoveryMs: number;
  /** How long it lasts at least and at most, in milliseconds. */
  readonly lastsMs: readonly [number, number];
  /** Why it cannot be done here, or false. */
  readonly missing?: string | false;
  /** Begins it; what is returned ends it. */
  begin(drawn: Drawn): Promise<Undo | void> | Undo | void;
}

/** Ends a fault. */
export type Undo = () => Promise<void> | void;
