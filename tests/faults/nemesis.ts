/** Does one fault after another, as a seed says. */
import { Random } from "../_random.ts";
import { sleep } from "../_time.ts";
import type { Drawn, FaultKind } from "./fault.ts";
import type { FaultEvent } from "./history.ts";
import type { Recorder } from "./recorder.ts";

/** A fault that is to be. */
export interface PlannedFault extends Drawn {
  readonly kind: string;
  /** How long it is calm before it, in milliseconds. */
  readonly calmMs: number;
}

/** What a plan follows from. */
export interface PlanOptions {
  readonly seed: number;
  readonly seconds: number;
  readonly slots: number;
  readonly kinds: readonly FaultKind[];
}

// Some leave no time to recover, some leave time to see that it is calm, as far
// as a run has that time.
const CALM_MS = [50, 200, 1000, 8000];
const LONGEST_CALM = 1 / 8;

/** Draws the faults of a run; the same for the same options. */
export function planFaults(options: PlanOptions): PlannedFault[] {
  const { seed, seconds, slots, kinds } = options;
  const random = new Random(seed);
  const all = Array.from({ length: slots }, (_, slot) => slot);
  const plan: PlannedFault[] = [];
  const longestMs = seconds * 1000 * LONGEST_CALM;
  const calms = CALM_MS.filter((ms) => ms <= longestMs);
  // Each kind has its turn before one comes again, so that short runs see many.
  let round: FaultKind[] = [];
  for (let ms = 0; ms < seconds * 1000 && kinds.length > 0;) {
    if (round.length === 0) round = shuffle(kinds, random);
    const { kind, lastsMs: [from, to], slots: able = all } = round.pop()!;
    const planned = {
      kind,
      calmMs: random.pick(calms),
      slot: random.pick(able),
      lastsMs: Math.round(random.between(from, to)),
      choice: random.next(),
    };
    plan.push(planned);
    ms += planned.calmMs + planned.lastsMs;
  }
  return plan;
}

function shuffle<T>(values: readonly T[], random: Random): T[] {
  const keyed = values.map((value) => ({ value, key: random.next() }));
  return keyed.sort((a, b) => a.key - b.key).map(({ value }) => value);
}

/** What faults are done to, and where they are written down. */
export interface Scene {
  readonly kinds: readonly FaultKind[];
  readonly recorder: Recorder;
  /** The name of a slot's worker. */
  worker(slot: number): string;
}

/** Does what was planned until that is done or the time is over. */
export async function runNemesis(
  plan: readonly PlannedFault[],
  scene: Scene,
  seconds: number,
): Promise<void> {
  const end = performance.now() + seconds * 1000;
  for (const [index, planned] of plan.entries()) {
    const left = end - performance.now();
    if (left <= planned.calmMs) return await sleep(Math.max(0, left));
    await sleep(planned.calmMs);
    await runFault(planned, index + 1, scene);
  }
}

async function runFault(
  planned: PlannedFault,
  fault: number,
  { kinds, recorder, worker }: Scene,
): Promise<void> {
  const kind = kinds.find(({ kind }) => kind === planned.kind)!;
  const { suspends, recoveryMs } = kind;
  const event: Omit<FaultEvent, "at" | "phase"> = {
    type: "fault",
    fault,
    kind: kind.kind,
    suspends,
    recoveryMs,
    detail: `${planned.lastsMs} ms, ${planned.choice.toFixed(3)}`,
    ...(kind.ofWorker ? { worker: worker(planned.slot) } : {}),
  };
  recorder.record({ ...event, phase: "begin" });
  try {
    const undo = await kind.begin(planned);
    // That it lasts is what it is about.
    if (undo) await sleep(planned.lastsMs);
    await undo?.();
  } finally {
    recorder.record({ ...event, phase: "end" });
  }
}

/** A plan in a line for each fault. */
export function describePlan(plan: readonly PlannedFault[]): string {
  return plan.map(({ kind, calmMs, slot, lastsMs, choice }) =>
    `  after ${calmMs} ms: ${kind} (slot ${slot}, ${lastsMs} ms, ${
      choice.toFixed(3)
    })`
  ).join("\n");
}
