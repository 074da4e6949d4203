import type { Attempt, Model, Named, Tenure, Worker } from "./model.ts";
import type { Span } from "./spans.ts";

/** An attempt in a timeline, from its invoke until the lock was free. */
export interface Entry extends Span {
  readonly attempt: Attempt;
  readonly tenure: Tenure | undefined;
  /** Its line within its row, from 0. */
  readonly lane: number;
}

/** What the processes of one slot did to one lock. */
export interface Row {
  readonly slot: string;
  readonly workers: readonly Worker[];
  readonly entries: readonly Entry[];
  readonly lanes: number;
}

/** A lock, and a row for each slot that did anything to it. */
export interface Section {
  readonly name: string;
  readonly rows: readonly Row[];
}

/**
 * Puts what was done within a time into rows. Those of one lock are next to
 * each other: where two hold it at once, one bar is above the other.
 *
 * @param model The history.
 * @param window The time.
 * @returns The locks in which anything was done, in the order of their names.
 */
export function layOut(model: Model, window: Span): Section[] {
  return [...model.names.values()]
    .map((named) => ({ name: named.name, rows: rowsOf(named, model, window) }))
    .filter(({ rows }) => rows.length > 0)
    .sort((a, b) => a.name < b.name ? -1 : 1);
}

/**
 * Tells a worker's slot.
 *
 * @param worker Such as `3.2`.
 * @returns Such as `3`.
 */
export function slotOf(worker: string): string {
  return worker.split(".")[0]!;
}

/** Stacks spans into as few lanes as they fit in. */
export function stack<T extends Span>(spans: readonly T[]): [T, number][] {
  const ends: number[] = [];
  return [...spans].sort((a, b) => a.from - b.from).map((span) => {
    const free = ends.findIndex((end) => end <= span.from);
    const lane = free === -1 ? ends.length : free;
    ends[lane] = span.until;
    return [span, lane];
  });
}

function rowsOf(named: Named, model: Model, window: Span): Row[] {
  const slots = new Map<string, Omit<Entry, "lane">[]>();
  const tenures = new Map(named.tenures.map((t) => [t.attempt, t]));
  for (const attempt of named.attempts) {
    const tenure = tenures.get(attempt);
    const until = tenure
      ? Math.max(tenure.freeAt, tenure.until)
      : attempt.settledAt;
    const from = attempt.invoke.at;
    if (from > window.until || until < window.from) continue;
    const slot = slotOf(attempt.worker.name);
    if (!slots.has(slot)) slots.set(slot, []);
    slots.get(slot)!.push({ attempt, tenure, from, until });
  }
  return [...slots].map(([slot, entries]) => toRow(slot, entries, model))
    .sort((a, b) => a.slot.localeCompare(b.slot, "en", { numeric: true }));
}

function toRow(
  slot: string,
  spans: readonly Omit<Entry, "lane">[],
  model: Model,
): Row {
  const entries = stack(spans).map(([span, lane]) => ({ ...span, lane }));
  return {
    slot,
    workers: [...model.workers.values()].filter((w) => slotOf(w.name) === slot),
    entries,
    lanes: entries.reduce((most, { lane }) => Math.max(most, lane + 1), 0),
  };
}
