/**
 * Eight processes that want one lock all the time.
 *
 * @module
 */
import { backendOf, OURS, peersOf } from "../harness/contenders.ts";
import type { Curve } from "../harness/plot.ts";
import type { Program } from "../harness/program.ts";
import { type Bar, boundOf, type Result, resultOf } from "../harness/result.ts";
import { monotonicMs } from "../../tests/faults/clock.ts";
import { type Scenario, type Setting, startPeers } from "./scenario.ts";
import { uniqueName } from "../../tests/_names.ts";

const PROCESSES = 8;

/** For the plot. */
const COUNTS = [1, 2, 4, 8, 16];

/** Until all are told what to do. */
const START_MS = 300;

/** The commands that clients send; what scripts call is counted apart. */
const COMMANDS = [
  "eval",
  "evalsha",
  "hello",
  "subscribe",
  "ssubscribe",
  "ping",
];

type Contended = "socket" | "file" | "redis";

interface Bars {
  /** The least grants, in a peer's. */
  readonly grants: number;
  readonly longestMs: number;
  /** By how much a process's part may differ from its due, in percent. */
  readonly part: number;
}

const BARS: Readonly<Record<Contended, Bars>> = {
  socket: { grants: 100, longestMs: 50, part: 3 },
  file: { grants: 20, longestMs: 50, part: 3 },
  redis: { grants: 0.6, longestMs: 30, part: 1 },
};

const MOST_COMMANDS = 2.5;

/** How processes that contend have fared. */
interface Contest {
  readonly grants: number;
  readonly longestMs: number;
  /** By how much the part of one differs most from its due, in percent. */
  readonly part: number;
  /** What Redis was asked to do meanwhile. */
  readonly commands: number;
}

function processes(backend: Contended): Scenario {
  return {
    name: `processes/${backend}`,
    run: async (setting) => {
      const { runtime } = setting;
      const name = OURS[backend];
      const bars = BARS[backend];
      const scenario = `${name}, ${PROCESSES} processes`;
      const points: [number, number][] = [];
      let own: Contest | undefined;
      for (const count of COUNTS) {
        const contest = await contend(setting, name, count);
        points.push([count, setting.effort.longMs * 1000 / contest.grants]);
        if (count === PROCESSES) own = contest;
      }
      const results = await compare(setting, scenario, backend, own!);
      const bound = { runtime: runtime.id };
      results.push(
        boundOf({
          ...bound,
          scenario: `${scenario}: the longest wait`,
          unit: "ms",
          ours: own!.longestMs,
          other: bars.longestMs,
        }),
        boundOf({
          ...bound,
          scenario: `${scenario}: off an equal part`,
          unit: "%",
          ours: own!.part,
          other: bars.part,
        }),
      );
      if (backend === "redis") {
        results.push(boundOf({
          ...bound,
          scenario: `${scenario}: commands per grant`,
          unit: "",
          ours: own!.commands / own!.grants,
          other: MOST_COMMANDS,
        }));
      }
      return { results, curves: [curveOf(setting, name, points)] };
    },
  };
}

function curveOf(
  { runtime }: Setting,
  name: string,
  points: readonly [number, number][],
): Curve {
  return {
    plot: "processes",
    title: "Processes that want one lock all the time",
    x: "processes",
    y: "µs per grant",
    series: `${name}, ${runtime.id}`,
    points,
  };
}

/** Ours beside the others for the same backend; SocketLock beside files'. */
async function compare(
  setting: Setting,
  scenario: string,
  backend: Contended,
  own: Contest,
): Promise<Result[]> {
  const results: Result[] = [];
  const peers = peersOf(backend === "socket" ? "file" : backend);
  const value = BARS[backend].grants;
  const bar: Bar = { is: "at least", value };
  for (const peer of peers) {
    const theirs = await contend(setting, peer, PROCESSES).catch(() => null);
    if (!theirs) continue;
    const common = { runtime: setting.runtime.id, against: peer, isPeer: true };
    results.push(
      resultOf({
        ...common,
        scenario,
        unit: "grants",
        ours: own.grants,
        other: theirs.grants,
        bar,
      }),
      resultOf({
        ...common,
        scenario: `${scenario}: the longest wait`,
        unit: "ms",
        ours: own.longestMs,
        other: theirs.longestMs,
      }),
    );
  }
  return results;
}

async function contend(
  setting: Setting,
  name: string,
  count: number,
): Promise<Contest> {
  const { site, effort: { longMs: ms, roundMs } } = setting;
  const programs: Program[] = [];
  for (let i = 0; i < count; i++) {
    programs.push(...await startPeers(setting, [name]));
  }
  try {
    if (programs.length < count) throw new Error(`${name} does not run`);
    const lock = uniqueName();
    // Each loads what it needs before any contends.
    for (const program of programs) {
      await program.ask("cycles", { lock: uniqueName(), ms: roundMs * 5 });
    }
    const before = await commandsOf(setting, name);
    const at = monotonicMs() + START_MS;
    const all = await Promise.all(
      programs.map((program) => program.ask("contend", { lock, at, ms })),
    );
    const grants = all.reduce((sum, one) => sum + one.grants, 0);
    const due = grants / count;
    return {
      grants,
      commands: await commandsOf(setting, name) - before,
      longestMs: Math.max(...all.map((one) => one.longestMs)),
      part: Math.max(
        ...all.map((one) => Math.abs(one.grants - due) * 100 / grants),
      ),
    };
  } finally {
    await site.end(programs);
  }
}

async function commandsOf(
  { site }: Setting,
  name: string,
): Promise<number> {
  if (backendOf(name) !== "redis") return 0;
  return await (await site.redis()).calls(...COMMANDS);
}

/** A scenario for each backend that has no price by the request. */
export const processScenarios: readonly Scenario[] =
  (Object.keys(BARS) as Contended[]).map(processes);
