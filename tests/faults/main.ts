/**
 * Lets workers of several runtimes contend for locks while faults are done to
 * them, and checks what happened: `deno task faults`.
 *
 *     deno task faults --lock=redis --seconds=600 --seed=7 --runtimes=deno,bun
 *
 * Each lock's history, and a drawing of what is wrong with it, go to a folder
 * of `.runtimes/faults/`, or of `--out`. The exit code is 1 if anything is.
 */
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { ensureRuntimes, type RuntimeId } from "../../scripts/runtimes.ts";
import { anySeed, LOCK_KINDS, type LockKind } from "./run_faults.ts";
import { describePlan } from "./nemesis.ts";
import { runAndJudge } from "./run_and_judge.ts";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

const { values } = parseArgs({
  options: {
    lock: { type: "string", default: LOCK_KINDS.join(",") },
    seconds: { type: "string", default: "60" },
    seed: { type: "string", default: String(anySeed()) },
    runtimes: { type: "string", default: "deno,bun,node22,node24" },
    workers: { type: "string", default: "8" },
    out: { type: "string", default: join(root, ".runtimes/faults") },
  },
});

function positive(name: "seconds" | "seed" | "workers"): number {
  const number = Number(values[name]);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new RangeError(
    `--${name} is to be a positive integer, not "${values[name]}"`,
  );
}

function kindOf(lock: string): LockKind {
  const kind = LOCK_KINDS.find((kind) => kind === lock);
  if (kind) return kind;
  throw new RangeError(
    `--lock is one of ${LOCK_KINDS.join(", ")}, not "${lock}"`,
  );
}

const [seconds, seed, slots] = (["seconds", "seed", "workers"] as const)
  .map(positive) as [number, number, number];
const locks = values.lock.split(",").map(kindOf);
const runtimes = await ensureRuntimes(
  values.runtimes.split(",") as RuntimeId[],
);
let sound = true;
for (const lock of locks) {
  console.log(
    `${lock}: ${seconds} s, seed ${seed}, ${slots} workers on ${values.runtimes}`,
  );
  const { ok, text } = await runAndJudge({
    lock,
    seconds,
    seed,
    slots,
    tasks: 2,
    names: 3,
    runtimes: runtimes.map(({ id, command }) => ({
      id,
      command: command.map(String),
    })),
    out: join(values.out, `${lock}-${seed}-${Date.now()}`),
    onPlan: (plan, missing) => {
      console.log(describePlan(plan));
      for (const what of missing) console.log(`  left out: ${what}`);
    },
  });
  console.log(text);
  sound &&= ok;
}
process.exitCode = sound ? 0 : 1;
