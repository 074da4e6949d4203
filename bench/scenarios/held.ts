/**
 * What it costs to hold many leases at once: memory, and renewals.
 *
 * @module
 */
import { OURS } from "../harness/contenders.ts";
import { boundOf, type Result } from "../harness/result.ts";
import type { Scenario } from "./scenario.ts";
import { uniqueName } from "../../tests/_names.ts";

const MANY = 10_000;

/** For the plot. */
const COUNTS = [100, 1000, 3000, MANY];

const MOST_BYTES = 2048;
const MOST_PERCENT = 5;

/** All that keep a lease for long. */
export const heldScenario: Scenario = {
  name: "held/redis",
  run: async ({ site, runtime, effort }) => {
    const results: Result[] = [];
    const points: [number, number][] = [];
    for (const count of COUNTS) {
      const program = await site.start(runtime, OURS.redis, { gc: true });
      // What the first locks load is not theirs.
      await program.ask("hold", { lock: uniqueName(), count: 200 });
      const { bytes } = await program.ask("hold", {
        lock: uniqueName(),
        count,
      });
      const ms = effort.longMs;
      const { cpuMs } = await program.ask("idle", { ms });
      await site.end([program]);
      const percent = cpuMs * 100 / ms;
      points.push([count, percent]);
      if (count !== MANY) continue;
      const scenario = `RedisLock, ${MANY} held`;
      results.push(
        boundOf({
          scenario: `${scenario}: heap each`,
          runtime: runtime.id,
          unit: "bytes",
          ours: bytes,
          other: MOST_BYTES,
        }),
        boundOf({
          scenario: `${scenario}: of a core`,
          runtime: runtime.id,
          unit: "%",
          ours: percent,
          other: MOST_PERCENT,
        }),
      );
    }
    const series = `RedisLock, ${runtime.id}`;
    const curve = {
      plot: "held",
      title: "Leases held, each renewed every second",
      x: "leases",
      y: "% of a core",
      series,
      points,
    };
    return { results, curves: [curve] };
  },
};
