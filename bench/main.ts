/**
 * Measures the locks beside other libraries and beside what no lock can do
 * without, in pairs within one run: `deno task bench`.
 *
 *     deno task bench --on=deno,node24 --only=uncontended,tasks/redis
 *
 * Prints a table. A run of everything, on every runtime, also writes
 * `bench/results.json`, and the table and the plots of `docs/performance.md`;
 * `--write` has any run do so, and `--out=FOLDER` writes `results.json` and the
 * plots to another place. `--quick` measures too little to believe, to see that
 * everything works.
 *
 * @module
 */
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { ensureRuntimes, type RuntimeId } from "../scripts/runtimes.ts";
import type { Curve } from "./harness/plot.ts";
import { putInto } from "./harness/page.ts";
import { type Result, tableOf } from "./harness/result.ts";
import { Site } from "./harness/site.ts";
import { handOverScenarios } from "./scenarios/hand_over.ts";
import { heldScenario } from "./scenarios/held.ts";
import { processScenarios } from "./scenarios/processes.ts";
import { FULL, QUICK, type Scenario } from "./scenarios/scenario.ts";
import { taskScenarios } from "./scenarios/tasks.ts";
import { uncontendedScenarios } from "./scenarios/uncontended.ts";
import { waiterScenarios } from "./scenarios/waiters.ts";

const root = fileURLToPath(new URL("../", import.meta.url));

const RUNTIMES: readonly RuntimeId[] = ["deno", "bun", "node24"];

const scenarios: readonly Scenario[] = [
  ...uncontendedScenarios,
  ...taskScenarios,
  ...processScenarios,
  ...handOverScenarios,
  heldScenario,
  ...waiterScenarios,
];

/** What a run was asked for. */
interface Request {
  readonly on: readonly RuntimeId[];
  readonly scenarios: readonly Scenario[];
  readonly quick: boolean;
  /** Where the results are written to, if anywhere. */
  readonly out: string | null;
}

/** Reads the command line. */
function parse(args: readonly string[]): Request {
  const values = new Map<string, string>();
  for (const arg of args) {
    const [, name, value = ""] = /^--(on|only|out|quick|write)(?:=(.+))?$/
      .exec(arg) ?? [];
    if (!name) throw new RangeError(`There is no option ${arg}`);
    values.set(name, value);
  }
  const on = values.get("on")?.split(",") as RuntimeId[] | undefined;
  const only = values.get("only")?.split(",");
  const chosen = scenarios.filter(({ name }) =>
    only?.some((part) => name.includes(part)) ?? true
  );
  if (chosen.length === 0) {
    const names = scenarios.map(({ name }) => name).join(", ");
    throw new RangeError(`--only=${only} picks none of ${names}`);
  }
  const quick = values.has("quick");
  const whole = !on && !only && !quick;
  const written = whole || values.has("write") ? root : null;
  return {
    on: on ?? RUNTIMES,
    scenarios: chosen,
    quick,
    out: values.get("out") ?? written,
  };
}

const request = parse(Deno.args);
const results: Result[] = [];
const curves: Curve[] = [];
const runtimes = await ensureRuntimes(request.on);
const site = new Site();
try {
  for (const scenario of request.scenarios) {
    for (const runtime of runtimes) {
      const effort = request.quick ? QUICK : FULL;
      const found = await scenario.run({ site, runtime, effort });
      results.push(...found.results);
      curves.push(...found.curves ?? []);
      console.log(tableOf(found.results));
    }
  }
} finally {
  await site.close();
}
console.log(`\n${tableOf(results)}`);
const missed = results.filter(({ holds }) => holds === false).length;
const held = results.filter(({ holds }) => holds === true).length;
console.log(`\n${held} bars hold, ${missed} are missed`);
if (request.out) await write(request.out);

async function write(folder: string): Promise<void> {
  const isHome = folder === root;
  const path = `${root}docs/performance.md`;
  const names = runtimes.map(({ id }) => id).join(", ");
  const [cpu] = cpus();
  const made = putInto(await Deno.readTextFile(path), {
    results,
    curves,
    machine: `Measured on ${names}; ${cpus().length} × ${cpu?.model}.`,
  });
  const plots = isHome ? `${root}docs/performance` : folder;
  await Deno.mkdir(plots, { recursive: true });
  for (const [name, svg] of made.plots) {
    await Deno.writeTextFile(`${plots}/${name}.svg`, svg);
  }
  const list = results.map((result) => `  ${JSON.stringify(result)}`);
  await Deno.writeTextFile(
    `${isHome ? `${root}bench` : folder}/results.json`,
    `[\n${list.join(",\n")}\n]\n`,
  );
  if (!isHome) return;
  await Deno.writeTextFile(path, made.page);
  // The table is laid out as the other pages are.
  await new Deno.Command(Deno.execPath(), { args: ["fmt", "-q", path] })
    .output();
}
