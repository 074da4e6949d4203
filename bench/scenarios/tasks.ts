/**
 * A thousand tasks of one process that all want one lock: who passes it on
 * among them, and who asks each time.
 *
 * @module
 */
import { type Backend, OURS, peersOf } from "../harness/contenders.ts";
import type { Program } from "../harness/program.ts";
import { boundOf, type Result, resultOf } from "../harness/result.ts";
import { type Spread, spreadOf } from "../harness/statistics.ts";
import {
  type Scenario,
  type Setting,
  startPeers,
  warmUpMs,
} from "./scenario.ts";
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
      const own = await rates(ours, setting, effort.rounds);
      const found: { peer: Program; rate: Spread }[] = [];
      for (const peer of peers) {
        // They take so long that one round says enough.
        found.push({ peer, rate: await rates(peer, setting, 1) });
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
  setting: Setting,
  rounds: number,
): Promise<Spread> {
  const { longMs } = setting.effort;
  async function rate(): Promise<{ perSecond: number; done: boolean }> {
    const order = { lock: uniqueName(), count: TASKS, ms: longMs };
    const { grants, ms } = await program.ask("tasks", order);
    // Who got none in that time is taken to have got one just then.
    const perSecond = Math.max(1, grants) * 1000 / ms;
    return { perSecond, done: grants === TASKS };
  }
  const warmBy = performance.now() + warmUpMs(setting);
  while (performance.now() < warmBy) {
    const { perSecond, done } = await rate();
    // Its tasks go on, and there is nothing to be warmed.
    if (!done) return spreadOf([perSecond]);
  }
  const all: number[] = [];
  while (all.length < rounds) all.push((await rate()).perSecond);
  return spreadOf(all);
}

/** A scenario for each backend. */
export const taskScenarios: readonly Scenario[] =
  (Object.keys(OURS) as (keyof typeof OURS)[]).map(tasks);
