import type { Verdict, Violation } from "./check_history.ts";
import type { HistoryEvent } from "./history.ts";
import type { Counts, StoreNumbers } from "./numbers.ts";

/** How many violations are shown. */
const SHOWN = 10;

/**
 * Writes a verdict for a terminal: its numbers, and then its violations with
 * the events that prove them.
 *
 * @param verdict The verdict.
 * @param begin The time of the run's start, from which times are counted.
 * @returns Lines of text.
 */
export function formatVerdict(verdict: Verdict, begin: number): string {
  const { violations } = verdict;
  const rows = rowsOf(verdict);
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
  for (const violation of pickViolations(violations)) {
    lines.push("", ...describe(violation, begin));
  }
  const more = violations.length - SHOWN;
  if (more > 0) lines.push("", `and ${more} more`);
  return lines.join("\n") + "\n";
}

/**
 * Picks the violations to look at: the first of each rule before the second of
 * any, since a single fault may break a rule again and again.
 *
 * @param violations All of them.
 * @returns At most ten.
 */
export function pickViolations(violations: readonly Violation[]): Violation[] {
  const counts = new Map<string, number>();
  return violations
    .map((violation) => {
      const nth = counts.get(violation.rule) ?? 0;
      counts.set(violation.rule, nth + 1);
      return { violation, nth };
    })
    .sort((a, b) => a.nth - b.nth).slice(0, SHOWN)
    .map(({ violation }) => violation);
}

function rowsOf({ numbers: n }: Verdict): [string, string][] {
  return [
    ["duration", `${(n.durationMs / 1000).toFixed(1)} s, ${n.events} events`],
    ["grants", `${n.grants} of ${n.attempts}: ${list(n.grantsByRuntime)}`],
    ["refusals", list(n.refusals)],
    ["failed releases", list(n.failedReleases)],
    ["fenced writes", stores(n.fencedWrites)],
    ["plain writes", stores(n.plainWrites)],
    ["late writes", String(n.lateWrites)],
    ["calm", `${(n.calmMs / 1000).toFixed(1)} s`],
    ["longest wait", `${n.longestWaitMs.toFixed(1)} ms, faults aside`],
    ["in all", `${n.longestWaitInAllMs.toFixed(1)} ms`],
    ["longest idle", `${n.longestIdleMs.toFixed(1)} ms`],
    ["tenures lost", String(n.tenuresLost)],
    ["excused overlaps", String(n.excusedOverlaps)],
    ["out of order", String(n.misorders)],
    ["faults", list(n.faults)],
    ["exits", list(n.exits)],
    ["violations", list(n.violations)],
  ];
}

function stores({ accepted, stale, lostUpdates }: StoreNumbers): string {
  return `${accepted} accepted, ${stale} stale, ${lostUpdates} lost updates`;
}

function list(counts: Partial<Counts>): string {
  const parts = Object.entries(counts)
    .map(([name, count]) => `${count} ${name}`);
  return parts.join(", ") || "none";
}

function describe(
  { rule, message, events }: Violation,
  begin: number,
): string[] {
  return [
    `VIOLATION of ${rule}: ${message}`,
    ...events.map((event) => `  ${formatEvent(event, begin)}`),
  ];
}

/**
 * Writes an event in short.
 *
 * @param event The event.
 * @param begin The time that counts as 0.
 * @returns Such as `12.3456 s  grant  3.2 #17 token=8`.
 */
export function formatEvent(event: HistoryEvent, begin: number): string {
  const { at, type, worker, id, ...rest } = event as
    & Record<string, unknown>
    & HistoryEvent
    & { readonly worker?: string; readonly id?: number };
  const seconds = (time: number): string =>
    `${((time - begin) / 1000).toFixed(4)} s`;
  const details = Object.entries(rest).map(([key, value]) => {
    const isTime = key === "from" || key === "killedAt";
    return `${key}=${isTime ? seconds(Number(value)) : print(value)}`;
  });
  const who = [worker, id === undefined ? undefined : `#${id}`];
  return [seconds(at).padStart(12), ` ${type.padEnd(8)}`, ...who, ...details]
    .filter((part) => part !== undefined).join(" ");
}

function print(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
