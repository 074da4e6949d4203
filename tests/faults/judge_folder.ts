/** Judging a run by what it has left in its folder. */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { checkHistory, type Verdict } from "./check_history.ts";
import { pickViolations } from "./format_verdict.ts";
import type { HistoryEvent, Promised } from "./history.ts";
import { readHistory } from "./read_history.ts";
import { aroundViolation, drawTimeline } from "./timeline.ts";

/** A run's events, and what they show. */
export interface Judged {
  readonly events: HistoryEvent[];
  readonly verdict: Verdict;
}

/** Judges the run whose histories are in a folder. */
export async function judgeFolder(folder: string): Promise<Judged> {
  const paths = (await readdir(folder)).sort()
    .filter((file) => file.endsWith(".jsonl"))
    .map((file) => join(folder, file));
  const promised: Promised = JSON.parse(
    await readFile(join(folder, "promised.json"), "utf8"),
  );
  const events = await readHistory(paths);
  return { events, verdict: checkHistory(events, promised) };
}

/** Draws what is wrong into a run's folder; resolves to the drawings' paths. */
export async function drawViolations(
  folder: string,
  { events, verdict: { violations } }: Judged,
): Promise<string[]> {
  const paths: string[] = [];
  for (const [i, violation] of pickViolations(violations).entries()) {
    const window = aroundViolation(violation);
    if (!window) continue;
    const path = join(folder, `violation-${i + 1}.svg`);
    const title = violation.rule;
    const options = { title, violations: [violation], ...window };
    await writeFile(path, drawTimeline(events, options));
    paths.push(path);
  }
  return paths;
}
