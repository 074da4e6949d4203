/** A run of the fault suite, judged, with drawings of it. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { formatVerdict } from "./format_verdict.ts";
import type { Verdict } from "./check_history.ts";
import { drawViolations, judgeFolder } from "./judge_folder.ts";
import { runFaults, type RunOptions } from "./run_faults.ts";
import { drawTimeline } from "./timeline.ts";

/** How a run went. */
export interface Outcome {
  readonly verdict: Verdict;
  /** Whether nothing is wrong. */
  readonly ok: boolean;
  /** The verdict for a reader. */
  readonly text: string;
}

/** What is drawn of each run. */
const SAMPLE_MS = 10_000;

/** Runs workers under faults, and judges what happened. */
export async function runAndJudge(options: RunOptions): Promise<Outcome> {
  const { out, seed } = options;
  const { complaints, promised } = await runFaults(options);
  const judged = await judgeFolder(out);
  const { events, verdict } = judged;
  const from = events[0]?.at ?? 0;
  const title = `${promised.kind}, seed ${seed}`;
  const sample = { title, from, until: from + SAMPLE_MS };
  await writeFile(join(out, "timeline.svg"), drawTimeline(events, sample));
  const numbers = JSON.stringify(verdict.numbers, null, 2);
  await writeFile(join(out, "numbers.json"), numbers);
  const drawings = await drawViolations(out, judged);
  const text = [formatVerdict(verdict, from), ...complaints, ...drawings];
  const ok = verdict.violations.length === 0;
  return { verdict, ok, text: text.join("\n") };
}
