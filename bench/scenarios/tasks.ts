/**
 * A thousand tasks of one process that all want one lock: who passes it on
 * among them, and who asks each time.
 *
 * @module
 */
import { type Backend, OURS, peersOf } from "../harness/contenders.ts";
import type { Grants } from "../programs/contender.ts";
import type { Program } from "../harness/program.ts";
import { boundOf, type Result, resultOf } from "../harness/result.ts";
import { type Spread, spreadOf } from "../harness/statistics.ts";
import { type Scenario, type Setting, startPeers } from "./scenario.ts";
import { uniqueName } from "../../tests/_names.ts";

const TASKS = 1000;
const MOST_US = 10;
const LEAST_RATIO = 20;

/** What is measured against where a backend has no other library. */
const FALLBACK = "async-mutex";

function tasks(backend: Exclude<Backend, "none">): Scenario {
  return {
    name: `tasks/${backend}`,
    run: async (setting) => {
      const { site, runtime, effort } = setting;
      const ours = await site.start(runtime, OURS[backend]);
      const names = peersOf(backend);
      const peers = await startPeers(
        setting,
        names.length > 0 ? names : [FALLBACK],
      );
      const own = await rates(ours, effort.rounds, effort.longMs);
      const found: { peer: Program; rate: Spread }[] = [];
      for (const peer of peers) {
        // They take so long that one round says enough.
        found.push({ peer, rate: await rates(peer, 1, effort.longMs) });
      }
      await site.end([ours, ...peers]);
      const results = found.map(({ peer, rate }) =>
        line(setting, backend, peer, own, rate)
      );
      results.push(boundOf({
        scenario: `${OURS[backend]}, hand-over among ${TASKS} tasks`,
        runtime: runtime.id,
        unit: "µs",
        ours: 1e6 / own.median,
        other: MOST_US,
      }));
      return { results };
    },
  };
}

function line(
  { runtime }: Setting,
  backend: Exclude<Backend, "none">,
  { name }: Program,
  own: Spread,
  theirs: Spread,
): Result {
  return resultOf({
    scenario: `${OURS[backend]}, ${TASKS} tasks`,
    runtime: runtime.id,
    unit: "grants/s",
    ours: own.median,
    against: name,
    other: theirs.median,
    isPeer: true,
    bar: name === FALLBACK ? undefined : { is: "at least", value: LEAST_RATIO },
  });
}

/** Grants per second, once all is warm. */
async function rates(
  program: Program,
  rounds: number,
  ms: number,
): Promise<Spread> {
  const all: Grants[] = [];
  for (let round = -1; round < rounds; round++) {
    const lock = uniqueName();
    all.push(await program.ask("tasks", { lock, count: TASKS, ms }));
    // Its tasks go on, and there is nothing to be warmed.
    if (all.at(-1)!.grants < TASKS) break;
  }
  const measured = all.length > 1 ? all.slice(1) : all;
  // Who got none in that time is taken to have got one just then.
  return spreadOf(
    measured.map(({ grants, ms }) => Math.max(1, grants) * 1000 / ms),
  );
}

/** A scenario for each backend. */
export const taskScenarios: readonly Scenario[] =
  (Object.keys(OURS) as (keyof typeof OURS)[]).map(tasks);
