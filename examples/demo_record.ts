/** The demo's recorder: who ran which job when, by one clock. */

/** One worker's run of one job. */
export interface Run {
  readonly job: string;
  readonly worker: string;
  readonly runtime: string;
  /** When it started, in milliseconds of the recorder's clock. */
  readonly started: number;
  /** When it ended; undefined while it runs. */
  ended?: number;
  /** Whether it ended by SIGKILL. */
  killed: boolean;
  /** The killed run that this one took over from. */
  readonly takenOverFrom?: Run;
}

/**
 * Finds the pairs of runs of one job that overlap.
 *
 * @param runs All runs.
 * @returns The pairs; none if the locks did their work.
 */
export function findOverlaps(runs: readonly Run[]): [Run, Run][] {
  const pairs: [Run, Run][] = [];
  for (const [index, first] of runs.entries()) {
    for (const second of runs.slice(index + 1)) {
      if (first.job === second.job && overlap(first, second)) {
        pairs.push([first, second]);
      }
    }
  }
  return pairs;
}

function overlap(first: Run, second: Run): boolean {
  return first.started < (second.ended ?? Infinity) &&
    second.started < (first.ended ?? Infinity);
}

/**
 * Lays out the runs as a table.
 *
 * @param runs All runs.
 * @returns The table's lines.
 */
export function tableOf(runs: readonly Run[]): string[] {
  const sorted = [...runs].sort((a, b) =>
    a.job.localeCompare(b.job) || a.started - b.started
  );
  const rows = [
    ["job", "worker", "runtime", "started", "finished", "taken over"],
    ...sorted.map(rowOf),
  ];
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0))
  );
  const lines = rows.map((row) =>
    row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")
      .trimEnd()
  );
  lines.splice(1, 0, widths.map((width) => "-".repeat(width)).join("  "));
  return lines;
}

function rowOf(run: Run): string[] {
  const from = run.takenOverFrom;
  return [
    run.job,
    run.worker,
    run.runtime,
    seconds(run.started),
    run.killed ? `killed at ${seconds(run.ended)}` : seconds(run.ended),
    from ? `from ${from.worker}, ${gapOf(run)} after the kill` : "",
  ];
}

/**
 * How long after the kill a job was taken over.
 *
 * @param run The run that took over.
 * @returns Such as `2.5 ms`.
 */
export function gapOf(run: Run): string {
  const gap = run.started - (run.takenOverFrom?.ended ?? NaN);
  return `${gap.toFixed(1)} ms`;
}

/**
 * Shows a time.
 *
 * @param ms The time in milliseconds, or undefined.
 * @returns Such as `1.25 s`, or `never`.
 */
export function seconds(ms: number | undefined): string {
  return ms === undefined ? "never" : `${(ms / 1000).toFixed(2)} s`;
}
