/**
 * Judges histories again: `deno run -A tests/faults/judge.ts FOLDER...`
 *
 * A folder is that of one run: `*.jsonl` are its histories, `promised.json`
 * says what its kind of lock promises. For each violation that the verdict
 * shows, `violation-1.svg` and so on show what was around it. With
 * `--from=12.5 --until=14`, seconds of the run, `timeline.svg` shows these.
 *
 * @module
 */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { checkHistory, type Verdict } from "./check_history.ts";
import { formatVerdict, pickViolations } from "./format_verdict.ts";
import type { HistoryEvent, Promised } from "./history.ts";
import { readHistory } from "./read_history.ts";
import { aroundViolation, drawTimeline } from "./timeline.ts";

const { values: window, positionals: folders } = parseArgs({
  options: { from: { type: "string" }, until: { type: "string" } },
  allowPositionals: true,
});

for (const folder of folders) {
  const { events, verdict } = await judge(folder);
  const begin = events[0]?.at ?? 0;
  console.log(`${folder}\n${formatVerdict(verdict, begin)}`);
  await drawViolations(folder, events, verdict);
  if (window.from !== undefined && window.until !== undefined) {
    const [from, until] = [window.from, window.until]
      .map((seconds) => begin + Number(seconds) * 1000) as [number, number];
    const { violations } = verdict;
    const svg = drawTimeline(events, { from, until, violations });
    await writeFile(join(folder, "timeline.svg"), svg);
  }
  if (verdict.violations.length > 0) process.exitCode = 1;
}

async function judge(
  folder: string,
): Promise<{ events: HistoryEvent[]; verdict: Verdict }> {
  const paths = (await readdir(folder)).sort()
    .filter((file) => file.endsWith(".jsonl"))
    .map((file) => join(folder, file));
  const promised: Promised = JSON.parse(
    await readFile(join(folder, "promised.json"), "utf8"),
  );
  const events = await readHistory(paths);
  return { events, verdict: checkHistory(events, promised) };
}

async function drawViolations(
  folder: string,
  events: readonly HistoryEvent[],
  { violations }: Verdict,
): Promise<void> {
  for (const [i, violation] of pickViolations(violations).entries()) {
    const window = aroundViolation(violation);
    if (!window) continue;
    const path = join(folder, `violation-${i + 1}.svg`);
    const title = violation.rule;
    const options = { title, violations: [violation], ...window };
    await writeFile(path, drawTimeline(events, options));
    console.log(path);
  }
}
