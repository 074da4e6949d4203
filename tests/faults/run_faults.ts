/** One run of the fault suite: workers, a nemesis, and what became of it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { createLock } from "../fixtures/create.ts";
import type { TestRuntime } from "../_runtimes.ts";
import { until } from "../_time.ts";
import type { Arena, ArenaOptions } from "./arena.ts";
import { openDynamoArena } from "./arenas/dynamo_arena.ts";
import { openFileArena } from "./arenas/file_arena.ts";
import { openQuorumArena, openRedisArena } from "./arenas/redis_arena.ts";
import { openSocketArena } from "./arenas/socket_arena.ts";
import { Crew } from "./crew.ts";
import { canHaveClock, clockEnvironment } from "./host_clock.ts";
import { planFaults, type PlannedFault, runNemesis } from "./nemesis.ts";
import { processFaults } from "./process_faults.ts";
import { Recorder } from "./recorder.ts";
import { Store } from "./store.ts";
import type { WorkerPlan } from "./worker_plan.ts";

const arenas = {
  socket: openSocketArena,
  file: openFileArena,
  redis: openRedisArena,
  quorum: openQuorumArena,
  dynamo: openDynamoArena,
};

/** A kind of lock, as the command line names it. */
export type LockKind = keyof typeof arenas;

/** The kinds of lock. */
export const LOCK_KINDS = Object.keys(arenas) as readonly LockKind[];

/** What a run is. */
export interface RunOptions {
  readonly lock: LockKind;
  /** How long the nemesis works. */
  readonly seconds: number;
  /** What the faults and the workers' choices follow from. */
  readonly seed: number;
  /** The workers' runtimes, in turn. */
  readonly runtimes: readonly TestRuntime[];
  /** How many workers there are. */
  readonly slots: number;
  /** How many tasks each of them has. */
  readonly tasks: number;
  /** How many names there are. */
  readonly names: number;
  /** Where the history goes. */
  readonly out: string;
  /** Told of the plan before it starts. */
  onPlan?(plan: readonly PlannedFault[], missing: readonly string[]): void;
}

/** What a run leaves in `out`, beside the histories. */
export interface RunResult {
  /** What workers said that ended as they should not. */
  readonly complaints: readonly string[];
  readonly promised: Arena["promised"];
}

/** Lets workers contend under faults, and writes the history down. */
export async function runFaults(options: RunOptions): Promise<RunResult> {
  const directory = mkdtempSync(join(tmpdir(), "locking-faults-"));
  mkdirSync(options.out, { recursive: true });
  const names = Array.from(
    { length: options.names },
    (_, i) => `${directory.split("/").pop()}-${"abcdefgh"[i]}`,
  );
  const { slots } = options;
  const arena = await arenas[options.lock]({ names, slots, directory });
  try {
    return await runInArena(arena, { names, slots, directory }, options);
  } finally {
    await arena.end();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function runInArena(
  arena: Arena,
  { directory, slots }: ArenaOptions,
  options: RunOptions,
): Promise<RunResult> {
  const { out, seed, seconds } = options;
  const recorder = new Recorder(join(out, "nemesis.jsonl"));
  let started = 0;
  const socket = join(directory, "store");
  const store = await Store.start(socket, recorder);
  const clockFile = (slot: number): string => join(directory, `clock-${slot}`);
  const { runtimes } = options;
  const clocked = Array.from({ length: slots }, (_, slot) => slot)
    .filter((slot) => canHaveClock(runtimes[slot % runtimes.length]!));
  for (const slot of clocked) writeFileSync(clockFile(slot), "+0\n");
  const crew = new Crew({
    slots,
    runtimes,
    recorder,
    wrap: (slot, command) => {
      const clock = clocked.includes(slot) ? clockFile(slot) : null;
      const environment = clock === null ? [] : clockEnvironment(clock);
      return arena.wrap(slot, [...environment, ...command]);
    },
    plan: (slot, worker, runtime): WorkerPlan => ({
      worker,
      runtime,
      history: join(out, `worker-${worker}.jsonl`),
      seed: seed * 1000 + ++started,
      store: socket,
      locks: arena.locks(slot),
      tasks: options.tasks,
      fenced: arena.promised.fenced,
      longHoldMs: 1.5 * (arena.ttlMs || 200),
    }),
  });
  const kinds = [
    ...processFaults({
      ...arena,
      ...{ slots, clocked, clockFile },
      crew: () => crew,
    }),
    ...arena.faults,
  ];
  const here = kinds.filter(({ missing }) => !missing);
  const plan = planFaults({ seed, seconds, slots, kinds: here });
  const missing = kinds.flatMap(({ kind, missing }) =>
    missing ? [`${kind}: ${missing}`] : []
  );
  options.onPlan?.(plan, missing);
  try {
    await crew.start();
    const worker = (slot: number): string => crew.worker(slot);
    await runNemesis(plan, { kinds: here, recorder, worker }, seconds);
    await crew.stop();
    for (const what of await whatIsLeft(arena)) {
      recorder.record({ type: "left", what });
    }
  } finally {
    await crew.end();
    await store.end();
    recorder.close();
  }
  const { promised } = arena;
  writeFileSync(join(out, "promised.json"), JSON.stringify(promised, null, 2));
  return { complaints: crew.complaints, promised };
}

/** Nobody holds: each lock is to be had, and nothing of it stays. */
async function whatIsLeft(arena: Arena): Promise<string[]> {
  const { ttlMs, recoveryMs } = arena;
  const found: string[] = [];
  for (const spec of arena.locks(0)) {
    const timeoutMs = ttlMs + recoveryMs;
    try {
      const lease = await createLock(spec).acquire({ timeoutMs });
      await lease.release();
    } catch (error) {
      found.push(`${spec.name} is not to be had: ${error}`);
    }
  }
  // What was closed a moment ago may still be going.
  let left: string[] = [];
  const isOver = async (): Promise<boolean> =>
    (left = await arena.left()).length === 0;
  await until("the end of all that is left", isOver, 2000).catch(() => {});
  return [...found, ...left];
}

/** A seed for whoever gives none. */
export function anySeed(): number {
  return (Date.now() ^ process.pid) >>> 8;
}
