/** A run of the fault suite, judged, with drawings of what is wrong. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkHistory, type Verdict } from "./check_history.ts";
import { formatVerdict } from "./format_verdict.ts";
import { readHistory } from "./read_history.ts";
import { runFaults, type RunOptions } from "./run_faults.ts";
import { drawTimeline } from "./timeline.ts";

/** How a run went. */
export interface Judged {
  readonly verdict: Verdict;
  /** Whether nothing is wrong. */
  readonly ok: boolean;
  /** The verdict for a reader. */
  readonly text: string;
}

/** Violations are drawn with what happened this long before and after. */
const AROUND_MS = 500;
const MOST_DRAWN = 10;
/** What is drawn of a run where nothing is wrong. */
const SAMPLE_MS = 10_000;

/** Runs workers under faults, and judges what happened. */
export async function runAndJudge(options: RunOptions): Promise<Judged> {
  const { out } = options;
  const { files, complaints, promised } = await runFaults(options);
  const events = await readHistory(files);
  const verdict = checkHistory(events, promised);
  const { violations, numbers } = verdict;
  const start = events[0]?.at ?? 0;
  const draw = (name: string, from: number, to: number): void => {
    const title = `${promised.kind}, seed ${options.seed}`;
    const drawing = { title, from, to, violations };
    writeFileSync(join(out, name), drawTimeline(events, drawing));
  };
  draw("timeline.svg", start, start + SAMPLE_MS);
  violations.slice(0, MOST_DRAWN).forEach(({ rule, events }, i) => {
    const times = events.map(({ at }) => at);
    const [first, last] = [Math.min(...times), Math.max(...times)];
    draw(`${i + 1}-${rule}.svg`, first - AROUND_MS, last + AROUND_MS);
  });
  writeFileSync(join(out, "numbers.json"), JSON.stringify(numbers, null, 2));
  const text = [formatVerdict(verdict, start), ...complaints].join("\n");
  return { verdict, ok: violations.length === 0, text };
}
