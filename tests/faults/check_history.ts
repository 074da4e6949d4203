import { type Case, Findings, type Violation } from "./findings.ts";
import type { HistoryEvent, Promised } from "./history.ts";
import { modelHistory } from "./model.ts";
import { countAll, type Numbers } from "./numbers.ts";
import { checkExclusion } from "./rules/exclusion.ts";
import { checkExits } from "./rules/exits.ts";
import { checkFencing } from "./rules/fencing.ts";
import { checkFifo } from "./rules/fifo.ts";
import { checkIdle } from "./rules/idle.ts";
import { checkLeft } from "./rules/left.ts";
import { checkOrder } from "./rules/order.ts";
import { checkProgress } from "./rules/progress.ts";
import { checkStores } from "./rules/stores.ts";
import { checkWellFormed } from "./rules/well_formed.ts";

export type { Violation } from "./findings.ts";
export type { Numbers } from "./numbers.ts";

/** What a history shows. */
export interface Verdict {
  /** None if all went well; up to 100 of each rule. */
  readonly violations: readonly Violation[];
  readonly numbers: Numbers;
}

// The stores need to know which overlaps are excused: exclusion comes first.
const rules = [
  checkWellFormed,
  checkExclusion,
  checkFencing,
  checkStores,
  checkOrder,
  checkFifo,
  checkProgress,
  checkIdle,
  checkExits,
  checkLeft,
];

/**
 * Judges a history.
 *
 * @param events All events of a run.
 * @param promised What the kind of lock promises.
 * @returns Where it broke its promises, and what was in the history.
 */
export function checkHistory(
  events: readonly HistoryEvent[],
  promised: Promised,
): Verdict {
  const model = modelHistory(events);
  const findings = new Findings();
  const found: Case = { model, promised, findings };
  for (const check of rules) check(found);
  const { violations } = findings;
  return { violations, numbers: countAll(model, findings) };
}
