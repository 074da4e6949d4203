/**
 * Lines of the result.
 *
 * @module
 */
import type { Spread } from "./statistics.ts";

/** What a ratio or a value has to be. */
export interface Bar {
  readonly is: "at most" | "at least";
  readonly value: number;
}

/** One line of `bench/results.json`. */
export interface Result {
  /** What was measured. */
  readonly scenario: string;
  /** The runtime, and for several processes that of each. */
  readonly runtime: string;
  /** Our own, in the unit. */
  readonly ours: number;
  /** Who or what it is compared with. */
  readonly against: string;
  /** What that took, where it is another library. */
  readonly peer?: number;
  /** What that took, where it is what no lock can do without, or a bound. */
  readonly limit?: number;
  /** Of `ours` and of `peer` or `limit`. */
  readonly unit: string;
  /** Ours by the other's: the median of the pairs' ratios. */
  readonly ratio: number;
  /** What half of the pairs' ratios lie between. */
  readonly spread: readonly [number, number] | null;
  /** What the ratio has to be, such as `≤ 1.15`, if anything. */
  readonly bar: string | null;
  /** Whether it is. */
  readonly holds: boolean | null;
}

/** What a line is made of. */
export interface Measured {
  readonly scenario: string;
  readonly runtime: string;
  readonly unit: string;
  readonly ours: number;
  readonly against: string;
  readonly other: number;
  /** Whether the other is a library like ours. */
  readonly isPeer?: boolean;
  /** Of the pairs; else it is that of the two numbers. */
  readonly ratio?: Spread;
  readonly bar?: Bar | undefined;
}

/**
 * Makes a line.
 *
 * @param measured What was measured.
 * @returns The line.
 */
export function resultOf(measured: Measured): Result {
  const { scenario, runtime, unit, ours, against, other, ratio, bar } =
    measured;
  const middle = ratio?.median ?? ours / other;
  return {
    scenario,
    runtime,
    ours: round(ours),
    against,
    [measured.isPeer ? "peer" : "limit"]: round(other),
    unit,
    ratio: round(middle),
    spread: ratio ? [round(ratio.low), round(ratio.high)] : null,
    bar: bar ? `${bar.is === "at most" ? "≤" : "≥"} ${bar.value}` : null,
    holds: bar
      ? bar.is === "at most" ? middle <= bar.value : middle >= bar.value
      : null,
  };
}

/**
 * Compares a value with a bound that is one of the bars itself.
 *
 * @param measured What was measured; the bound is in `other`.
 * @returns The line.
 */
export function boundOf(measured: Omit<Measured, "against" | "bar">): Result {
  const bar = { is: "at most", value: 1 } as const;
  return resultOf({ ...measured, against: "the bar", bar });
}

/**
 * Writes lines as a table for a terminal.
 *
 * @param results The lines.
 * @returns The table.
 */
export function tableOf(results: readonly Result[]): string {
  const rows = results.map(cellsOf);
  const widths = HEAD.map((title, i) =>
    Math.max(title.length, ...rows.map((row) => row[i]!.length))
  );
  return [HEAD, ...rows].map((row) =>
    row.map((cell, i) =>
      RIGHT.has(HEAD[i]!) ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)
    ).join("  ").trimEnd()
  ).join("\n");
}

/**
 * Writes lines as a table of Markdown.
 *
 * @param results The lines.
 * @returns The table.
 */
export function markdownOf(results: readonly Result[]): string {
  const rules = HEAD.map((title) => RIGHT.has(title) ? "--:" : ":--");
  return [HEAD, rules, ...results.map(cellsOf)]
    .map((row) => `| ${row.join(" | ")} |`).join("\n");
}

const HEAD = [
  "scenario",
  "runtime",
  "ours",
  "other",
  "unit",
  "against",
  "ratio",
  "half of them",
  "bar",
  "",
];

const RIGHT: ReadonlySet<string> = new Set(["ours", "other", "ratio"]);

function cellsOf(result: Result): string[] {
  const { scenario, runtime, unit, against, spread, bar, holds } = result;
  return [
    scenario,
    runtime,
    print(result.ours),
    print(result.peer ?? result.limit ?? NaN),
    unit,
    against,
    print(result.ratio),
    spread ? `${print(spread[0])}–${print(spread[1])}` : "",
    bar ?? "",
    holds === null ? "" : holds ? "holds" : "MISSED",
  ];
}

function print(value: number): string {
  if (value >= 100) return String(Math.round(value));
  return value >= 1 ? value.toFixed(value >= 10 ? 1 : 2) : value.toPrecision(2);
}

/** To four digits: more were not measured. */
function round(value: number): number {
  return Number(value.toPrecision(4));
}
