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
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { formatVerdict } from "./format_verdict.ts";
import { drawViolations, judgeFolder } from "./judge_folder.ts";
import { drawTimeline } from "./timeline.ts";

const { values: window, positionals: folders } = parseArgs({
  options: { from: { type: "string" }, until: { type: "string" } },
  allowPositionals: true,
});

for (const folder of folders) {
  const judged = await judgeFolder(folder);
  const { events, verdict } = judged;
  const begin = events[0]?.at ?? 0;
  console.log(`${folder}\n${formatVerdict(verdict, begin)}`);
  for (const path of await drawViolations(folder, judged)) console.log(path);
  if (window.from !== undefined && window.until !== undefined) {
    const [from, until] = [window.from, window.until]
      .map((seconds) => begin + Number(seconds) * 1000) as [number, number];
    const { violations } = verdict;
    const svg = drawTimeline(events, { from, until, violations });
    await writeFile(join(folder, "timeline.svg"), svg);
  }
  if (verdict.violations.length > 0) process.exitCode = 1;
}
