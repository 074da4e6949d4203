/**
 * Counts of what passed, and the table and the last line that show them.
 *
 * @module
 */

/** How many passed, failed and were skipped. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** A line of the table. */
export interface Row extends Tally {
  /** What was run: a runtime's name, or "checks". */
  readonly title: string;
  readonly seconds: number;
}

/**
 * Adds counts up.
 *
 * @param tallies What to add.
 * @returns The sum.
 */
export function sum(tallies: readonly Tally[]): Tally {
  const count = (key: keyof Tally): number =>
    tallies.reduce((total, tally) => total + tally[key], 0);
  return {
    passed: count("passed"),
    failed: count("failed"),
    skipped: count("skipped"),
  };
}

/**
 * The counts as a sentence: `3 passed, 0 failed, 1 skipped`.
 *
 * @param tally The counts.
 * @returns The text, without a line break.
 */
export function countsLine({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/**
 * Prints a table and, as the last line, the sum; sets the exit code.
 *
 * @param rows The table's lines; one that ran nothing counts as a failure.
 */
export function conclude(rows: readonly Row[]): void {
  const judged = rows.map(judge);
  console.log(table(judged));
  const total = sum(judged);
  if (total.failed > 0) Deno.exitCode = 1;
  console.log(countsLine(total));
}

function judge(row: Row): Row {
  const { passed, failed, skipped, title } = row;
  if (passed + failed + skipped > 0) return row;
  return { ...row, title: `${title} (ran nothing)`, failed: 1 };
}

function table(rows: readonly Row[]): string {
  const width = Math.max(...rows.map(({ title }) => title.length)) + 2;
  const head = cells("", width, ["passed", "failed", "skipped", "seconds"]);
  const lines = rows.map((row) =>
    cells(row.title, width, [
      row.passed,
      row.failed,
      row.skipped,
      row.seconds.toFixed(1),
    ])
  );
  return ["", head, ...lines, ""].join("\n");
}

function cells(
  title: string,
  width: number,
  values: readonly (string | number)[],
): string {
  const columns = values.map((value) => String(value).padStart(9));
  return `  ${title.padEnd(width)}${columns.join("")}`;
}
