import type { HistoryEvent, Promised } from "./history.ts";
import type { Attempt, Model } from "./model.ts";

/** What a lock, or the suite itself, may not do. */
export type Rule =
  | "well-formed"
  | "exclusion"
  | "told"
  | "fencing"
  | "stores"
  | "order"
  | "progress"
  | "exits"
  | "left";

/** A place where a history breaks a rule. */
export interface Violation {
  readonly rule: Rule;
  readonly message: string;
  /** The events that prove it. */
  readonly events: readonly HistoryEvent[];
}

/** What a rule goes by. */
export interface Case {
  readonly model: Model;
  readonly promised: Promised;
  readonly findings: Findings;
}

/** How many violations of a rule are kept; the others are counted. */
const KEPT = 100;

/** What the rules have found so far. */
export class Findings {
  /** The first ones of each rule. */
  readonly violations: Violation[] = [];
  /** How many there are of each rule. */
  readonly counts: Partial<Record<Rule, number>> = {};
  /** Attempts whose tenures overlapped in a way that is allowed. */
  readonly overlapped: Set<Attempt> = new Set();
  /** How many pairs of tenures did. */
  excusedOverlaps = 0;
  /** How often a waiter was overtaken that should not have been. */
  misorders = 0;
  /** Writes decided about after their worker was killed. */
  lateWrites = 0;
  longestWaitMs = 0;
  /** The same, faults and pauses not aside. */
  longestWaitInAllMs = 0;
  longestIdleMs = 0;

  /** Adds a violation; events that are missing are left out. */
  add(
    rule: Rule,
    message: string,
    ...events: readonly (HistoryEvent | undefined)[]
  ): void {
    const count = this.counts[rule] = (this.counts[rule] ?? 0) + 1;
    if (count > KEPT) return;
    const found = events.filter((event) => event !== undefined);
    this.violations.push({ rule, message, events: found });
  }
}
