/**
 * Whether a hand-over costs more where more wait.
 *
 * @module
 */
import { OURS } from "../harness/contenders.ts";
import { type Bar, resultOf } from "../harness/result.ts";
import { spreadOf } from "../harness/statistics.ts";
import type { Scenario } from "./scenario.ts";
import { uniqueName } from "../../tests/_names.ts";

const COUNTS = [1, 10, 100, 1000];
const MOST_GROWTH = 1.5;

/** What is measured beside ours: a lock within one process, and nothing more. */
const REFERENCE = "async-mutex";

function waiters(name: string, who: string, bar?: Bar): Scenario {
  return {
    name: `waiters/${name}`,
    run: async ({ site, runtime, effort }) => {
      const program = await site.start(runtime, who);
      const ms = effort.roundMs / 2;
      async function cost(count: number): Promise<number> {
        const order = { lock: uniqueName(), count, ms };
        const done = await program.ask("waiters", order);
        return done.ms * 1000 / done.grants;
      }
      for (let i = 0; i < 10; i++) await cost(COUNTS.at(-1)!);
      // In turns, since a machine is not the same for long.
      const costs: number[][] = COUNTS.map(() => []);
      for (let round = 0; round < effort.rounds; round++) {
        for (const [i, count] of COUNTS.entries()) {
          costs[i]!.push(await cost(count));
        }
      }
      await site.end([program]);
      const few = costs[0]!;
      const many = costs.at(-1)!;
      const result = resultOf({
        scenario: `${who}, hand-over with 1000 waiters`,
        runtime: runtime.id,
        unit: "µs",
        ours: spreadOf(many).median,
        against: "with 1 waiter",
        other: spreadOf(few).median,
        ratio: spreadOf(many.map((value, round) => value / few[round]!)),
        bar,
      });
      const curve = {
        plot: "waiters",
        title: "Tasks of one process that wait for one lock",
        x: "waiters",
        y: "µs per hand-over",
        series: `${who}, ${runtime.id}`,
        points: COUNTS.map((count, i): [number, number] => [
          count,
          spreadOf(costs[i]!).median,
        ]),
      };
      return { results: [result], curves: [curve] };
    },
  };
}

/** A scenario for each backend, and for what needs none. */
export const waiterScenarios: readonly Scenario[] = [
  ...Object.entries(OURS).map(([backend, kind]) =>
    waiters(backend, kind, { is: "at most", value: MOST_GROWTH })
  ),
  waiters("none", REFERENCE),
];
