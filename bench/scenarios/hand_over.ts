/**
 * How long it takes from a release in one process until a waiter in another has
 * the lock.
 *
 * @module
 */
import { OURS } from "../harness/contenders.ts";
import { boundOf, type Result, resultOf } from "../harness/result.ts";
import { spreadOf } from "../harness/statistics.ts";
import { type Scenario, type Setting, warmUpMs } from "./scenario.ts";
import { sleep } from "../../tests/_time.ts";
import { uniqueName } from "../../tests/_names.ts";

const SAMPLES_A_ROUND = 10;

/** Until a waiter waits for sure, in milliseconds. */
const SETTLE_MS = 5;

const MOST_US = 300;
const MOST_ROUND_TRIPS = 2.5;

type Kept = keyof typeof OURS;

function handOver(
  backend: Kept,
  judge: (setting: Setting, us: number) => Promise<Result>,
): Scenario {
  return {
    name: `hand-over/${backend}`,
    run: async (setting) => {
      const { site, runtime, effort } = setting;
      const first = await site.start(runtime, OURS[backend]);
      const second = await site.start(runtime, OURS[backend]);
      const lock = uniqueName();
      const times: number[] = [];
      let holder = first;
      await holder.ask("take", { lock });
      async function pass(settleMs: number): Promise<number> {
        const waiter = holder === first ? second : first;
        const taken = waiter.ask("take", { lock });
        await sleep(settleMs);
        const freed = await holder.ask("free", {});
        const { at } = await taken;
        holder = waiter;
        return (at - freed.at) * 1000;
      }
      const warmBy = performance.now() + warmUpMs(setting);
      while (performance.now() < warmBy) await pass(0);
      for (let i = 0; i < effort.rounds * SAMPLES_A_ROUND; i++) {
        times.push(await pass(SETTLE_MS));
      }
      await site.end([first, second]);
      return { results: [await judge(setting, spreadOf(times).median)] };
    },
  };
}

function inMicroseconds(kind: string) {
  return ({ runtime }: Setting, us: number): Promise<Result> =>
    Promise.resolve(boundOf({
      scenario: `${kind}, hand-over between processes`,
      runtime: runtime.id,
      unit: "µs",
      ours: us,
      other: MOST_US,
    }));
}

async function inRoundTrips(setting: Setting, us: number): Promise<Result> {
  const { site, runtime, effort } = setting;
  const against = "redis: PING";
  const driver = await site.start(runtime, against);
  const order = { lock: uniqueName(), ms: effort.roundMs };
  // As a hand-over does, each begins after a pause: what has slept is slower.
  await driver.ask("cycles", { ...order, ms: warmUpMs(setting) });
  const trips: number[] = [];
  for (let i = 0; i < effort.rounds * SAMPLES_A_ROUND; i++) {
    await sleep(SETTLE_MS);
    trips.push((await driver.ask("cycles", { ...order, ms: 0.001 })).us);
  }
  await site.end([driver]);
  return resultOf({
    scenario: "RedisLock, hand-over between processes",
    runtime: runtime.id,
    unit: "µs",
    ours: us,
    against,
    other: spreadOf(trips).median,
    bar: { is: "at most", value: MOST_ROUND_TRIPS },
  });
}

/** A scenario for each backend that wakes its waiters. */
export const handOverScenarios: readonly Scenario[] = [
  handOver("socket", inMicroseconds(OURS.socket)),
  handOver("file", inMicroseconds(OURS.file)),
  handOver("redis", inRoundTrips),
];
