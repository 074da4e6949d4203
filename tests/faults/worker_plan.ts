/** What a worker of the fault suite is told when it starts. */
import type { LockSpec } from "../fixtures/protocol.ts";

/** A worker's plan. */
export interface WorkerPlan {
  /** The process: a slot and how often it was filled. */
  readonly worker: string;
  /** Such as `deno` or `node24`. */
  readonly runtime: string;
  /** What its choices follow from. */
  readonly seed: number;
  /** Where its history goes. */
  readonly history: string;
  /** Where the store listens. */
  readonly store: string;
  /** The locks that it contends for. */
  readonly locks: readonly LockSpec[];
  /** How many tasks contend at once. */
  readonly tasks: number;
  /** Whether the locks have fencing tokens. */
  readonly fenced: boolean;
  /** How long a long tenure lasts: past a lease's time to live. */
  readonly longHoldMs: number;
}
