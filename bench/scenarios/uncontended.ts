/**
 * What it costs to take and free a lock that nobody else wants, beside what it
 * cannot do without and beside others.
 *
 * @module
 */
import {
  type Backend,
  LIMITS,
  OURS,
  PEERS,
  peersOf,
  REFERENCES,
} from "../harness/contenders.ts";
import type { Program } from "../harness/program.ts";
import { type Bar, type Result, resultOf } from "../harness/result.ts";
import {
  comparePairs,
  type Pair,
  type Scenario,
  type Setting,
  startPeers,
} from "./scenario.ts";
import { uniqueName } from "../../tests/_names.ts";

type Kept = Exclude<Backend, "none">;

/** The most that ours may cost, in the limits' cost, by the runtime. */
const LIMIT_BARS: Readonly<Record<Kept, (runtime: string) => number>> = {
  socket: (runtime) => runtime.startsWith("node") ? 10 : 5,
  file: () => 6,
  redis: () => 1.15,
  dynamo: () => 1.15,
};

/** The most that ours may cost, in a peer's cost. */
const PEER_BARS: Readonly<Record<string, number>> = {
  redis: 1,
  file: 1 / 40,
};

/** So much is done before anything is measured, in milliseconds. */
const WARM_MS = 1500;

function uncontended(backend: Kept): Scenario {
  return {
    name: `uncontended/${backend}`,
    run: async (setting) => {
      const { site, runtime, effort } = setting;
      const ours = await site.start(runtime, OURS[backend]);
      const limit = await startLimit(setting, backend);
      const references = await startPeers(setting, REFERENCES[backend] ?? []);
      const peers = await startPeers(setting, peersOf(backend));
      const others = [limit, ...references, ...peers];
      for (const program of [ours, ...others]) {
        await cycle(program, Math.min(WARM_MS, effort.roundMs * 25));
      }
      const pairs = await comparePairs(
        ours,
        others,
        effort.rounds,
        (program) => cycle(program, effort.roundMs),
      );
      await site.end([ours, ...others]);
      const results = pairs.map((pair, i) =>
        line(setting, backend, others[i]!, pair)
      );
      return { results };
    },
  };
}

/** What is asked of ours beside another. */
function barOf(backend: Kept, runtime: string, name: string): Bar | undefined {
  const value = name === LIMITS[backend]
    ? LIMIT_BARS[backend](runtime)
    : PEERS[name] && PEER_BARS[backend];
  return value === undefined ? undefined : { is: "at most", value };
}

async function startLimit(
  { site, runtime }: Setting,
  backend: Kept,
): Promise<Program> {
  const name = LIMITS[backend];
  if (backend === "socket" || backend === "file") {
    return await site.startLimit(backend, name);
  }
  return await site.start(runtime, name);
}

function line(
  { runtime }: Setting,
  backend: Kept,
  program: Program,
  { ours, other, ratio }: Pair,
): Result {
  return resultOf({
    scenario: `${OURS[backend]}, uncontended`,
    runtime: runtime.id,
    unit: "µs",
    ours: ours.median,
    against: program.name,
    other: other.median,
    isPeer: program.name in PEERS,
    ratio,
    bar: barOf(backend, runtime.id, program.name),
  });
}

const name = uniqueName();

async function cycle(program: Program, ms: number): Promise<number> {
  return (await program.ask("cycles", { lock: name, ms })).us;
}

/** A scenario for each backend. */
export const uncontendedScenarios: readonly Scenario[] =
  (Object.keys(OURS) as Kept[]).map(uncontended);
