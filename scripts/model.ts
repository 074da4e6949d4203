/**
 * Checks the models of RedisLock's queue and DynamoLock's lease with spin:
 * `deno task model`. Arguments pick the checks with one of them in their title.
 *
 * What must hold is searched through in full, within the bounds that the model
 * is given, and a search that was cut short counts as a failure. What must be
 * violated, since an assumption is dropped or a state is claimed to be out of
 * reach, fails where it is not.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { checks, type ModelCheck } from "./model_checks.ts";
import { ensureSpin, search, type SearchResult, traceOf } from "./spin.ts";

const folder = fileURLToPath(new URL("../docs/model/", import.meta.url));

const WIDTHS = [46, 10, 10, 11, 7, 9];

async function main(parts: readonly string[]): Promise<void> {
  await ensureSpin();
  const chosen = checks.filter(({ title }) =>
    parts.length === 0 || parts.some((part) => title.includes(part))
  );
  const traces: string[] = [];
  let failed = 0;
  row(["check", "expected", "found", "states", "depth", "seconds"]);
  for (const check of chosen) {
    const build = await Deno.makeTempDir({ prefix: "locking-model-" });
    try {
      const isLong = check.expected === "holds";
      const result = await search({ ...check, folder, build, isLong });
      if (!show(check, result)) failed++;
      if (check.expected === "violated" && result.violated !== null) {
        traces.push(`\n${check.title}: ${check.why}\n`, await traceOf(build));
      }
    } finally {
      await Deno.remove(build, { recursive: true });
    }
  }
  console.log(traces.join("\n"));
  if (failed > 0 || chosen.length === 0) Deno.exitCode = 1;
  console.log(`${chosen.length - failed} passed, ${failed} failed, 0 skipped`);
}

/** Shows what was found, and tells whether it is what was expected. */
function show(check: ModelCheck, result: SearchResult): boolean {
  const found = result.violated === null
    ? (result.complete ? "holds" : "cut short")
    : check.expected === "reached"
    ? "reached"
    : "violated";
  // Something else that goes wrong is no counterexample.
  const isRight = found === check.expected &&
    (result.violated === null || check.by.test(result.violated));
  row([
    check.title,
    check.expected,
    isRight ? found : `${found} (!)`,
    String(result.states),
    String(result.depth),
    result.seconds.toFixed(1),
  ]);
  if (!isRight && result.violated) console.log(`    ${result.violated}`);
  return isRight;
}

function row(cells: readonly string[]): void {
  const padded = cells.map((cell, i) =>
    i < 3 ? cell.padEnd(WIDTHS[i]!) : cell.padStart(WIDTHS[i]!)
  );
  console.log(`  ${padded.join(" ")}`);
}

if (import.meta.main) await main(Deno.args);
