/**
 * A worker of the fault suite: takes locks, works under them, and writes down
 * what it does. It does what a line on standard input says: `block MS` blocks
 * its event loop, `stop` has it end as soon as it holds nothing.
 */
import process from "node:process";
import { createLock } from "../fixtures/create.ts";
import type { Lease, Lock } from "../../mod.ts";
import { Random } from "../_random.ts";
import { openDescriptors } from "../_spies.ts";
import { sleep, until } from "../_time.ts";
import { monotonicMs } from "./clock.ts";
import { eachLine } from "./lines.ts";
import { Recorder } from "./recorder.ts";
import { StoreClient } from "./store.ts";
import type { WorkerPlan } from "./worker_plan.ts";

/** A timer that is so much later than planned was paused, in milliseconds. */
const PAUSE_MS = 15;
const TICK_MS = 10;
/** More descriptors at the end than at the start: a driver keeps some. */
const MOST_KEPT = 16;

const plan = JSON.parse(process.argv[2] ?? "") as WorkerPlan;
const { worker } = plan;
const recorder = new Recorder(plan.history);
const random = new Random(plan.seed);
const locks = plan.locks.map(createLock);
let lastId = 0;
let stopping = false;

/** Asks for a lock now and then until it is told to stop. */
async function contend(store: StoreClient): Promise<void> {
  while (!stopping) {
    await attempt(++lastId, random.pick(locks), store);
    // Mostly at once, as who contends does.
    if (random.chance(0.4)) await sleep(random.between(0, 25));
  }
}

async function attempt(
  id: number,
  lock: Lock,
  store: StoreClient,
): Promise<void> {
  const way = random.pick(WAYS);
  const waits = way !== "try";
  recorder.record({ type: "invoke", worker, id, name: lock.name, waits });
  const lease = await ask(lock, way).catch((error) => refuse(id, error));
  if (lease === undefined) return;
  if (lease === null) {
    return recorder.record({ type: "refuse", worker, id, code: "HELD" });
  }
  const token = lease.fencingToken === null ? null : `${lease.fencingToken}`;
  recorder.record({ type: "grant", worker, id, token });
  await hold({ id, lock, lease, token, store });
}

const WAYS = [
  ...["wait", "wait", "wait", "wait", "wait", "wait"] as const,
  ...["timeout", "timeout", "abort", "try"] as const,
];

function ask(lock: Lock, way: typeof WAYS[number]): Promise<Lease | null> {
  const ms = random.between(0, 200);
  switch (way) {
    case "wait":
      return lock.acquire();
    case "timeout":
      return lock.acquire({ timeoutMs: ms });
    case "try":
      return lock.tryAcquire();
    case "abort":
      return abortable(lock, ms);
  }
}

async function abortable(lock: Lock, ms: number): Promise<Lease> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new Aborted()), ms);
  try {
    return await lock.acquire({ signal: controller.signal });
  } finally {
    clearTimeout(timer);
  }
}

class Aborted extends Error {
  readonly code = "ABORTED";
}

/** What a lock may say to a worker whose arguments are right. */
const EXPECTED = ["LOCK_TIMEOUT", "LOCK_BACKEND", "ABORTED"];

async function refuse(id: number, error: unknown): Promise<undefined> {
  const { code = "" } = error as { code?: string };
  if (!EXPECTED.includes(code)) throw error;
  recorder.record({ type: "refuse", worker, id, code });
  if (code === "LOCK_BACKEND") await sleep(random.between(20, 100));
}

interface Tenure {
  readonly id: number;
  readonly lock: Lock;
  readonly lease: Lease;
  readonly token: string | null;
  readonly store: StoreClient;
}

async function hold(tenure: Tenure): Promise<void> {
  const { id, lease } = tenure;
  let told = false;
  const tell = (): void => {
    if (told) return;
    told = true;
    recorder.record({ type: "lost", worker, id });
  };
  lease.signal.addEventListener("abort", tell, { once: true });
  await work(tenure, tell);
  // It may not be told of what happens after this.
  lease.signal.removeEventListener("abort", tell);
  recorder.record({ type: "release", worker, id });
  const code = await lease.release().then(() => undefined, codeOf);
  recorder.record({
    type: "released",
    worker,
    id,
    ...(code === undefined ? {} : { code }),
  });
}

function codeOf(error: unknown): string {
  const { code } = error as { code?: string };
  if (code === undefined) throw error;
  return code;
}

/** Mostly a short step or a few, sometimes for longer than a lease lasts. */
async function work(tenure: Tenure, tell: () => void): Promise<void> {
  const ms = random.chance(0.01) ? plan.longHoldMs : random.between(0, 6);
  const steps = Math.ceil(ms / 100) + random.below(3);
  for (let step = 0; step < steps; step++) {
    if (!await workOnce(tenure, ms / steps, tell)) return;
  }
}

/** Resolves to whether the lease was still held. */
async function workOnce(
  { id, lock: { name }, lease, token, store }: Tenure,
  ms: number,
  tell: () => void,
): Promise<boolean> {
  const writer = { worker, id, name, token };
  const values = await store.read(writer);
  if (ms > 0) await sleep(ms);
  const at = monotonicMs();
  try {
    lease.assertHeld();
  } catch (error) {
    if (codeOf(error) !== "LOCK_LOST") throw error;
    tell();
    return false;
  }
  recorder.record({ type: "held", at, worker, id });
  await store.write({ ...writer, store: "plain", base: values.plain });
  // Without looking again: it is this store that has to notice.
  if (!plan.fenced) return true;
  await store.write({ ...writer, store: "fenced", base: values.fenced });
  return true;
}

/** Notes when the event loop did not turn. */
function watchPauses(): ReturnType<typeof setInterval> {
  let last = monotonicMs();
  return setInterval(() => {
    const from = last;
    last = monotonicMs();
    if (last - from > TICK_MS + PAUSE_MS) {
      recorder.record({ type: "pause", at: last, worker, from });
    }
  }, TICK_MS);
}

function obey(line: string): void {
  const [what, ms] = line.split(" ");
  if (what === "stop") stopping = true;
  if (what !== "block") return;
  const end = monotonicMs() + Number(ms);
  while (monotonicMs() < end);
  console.log("unblocked");
}

/** Notes descriptors that are open for nothing, once they have had time to go. */
async function lookForDescriptors(before: number): Promise<void> {
  const most = before + MOST_KEPT;
  const areGone = (): boolean => openDescriptors() <= most;
  await until("the end of descriptors", areGone, 2000).catch(() => {});
  const open = openDescriptors();
  if (open <= most) return;
  const what = `${open} descriptors of ${worker}, ${before} at its start`;
  recorder.record({ type: "left", what });
}

/** Loads what the locks need, and connects: an attempt is to begin at once. */
async function warmUp(): Promise<void> {
  for (const lock of locks) {
    await lock.holder().catch((error) => {
      if (codeOf(error) !== "LOCK_BACKEND") throw error;
    });
  }
}

const store = await StoreClient.connect(plan.store);
eachLine(process.stdin, obey);
// Whoever started it is gone.
process.stdin.on("end", () => stopping || process.exit(1));
const ticks = watchPauses();
const before = openDescriptors();
await warmUp();
const { runtime } = plan;
recorder.record({ type: "start", worker, runtime, pid: process.pid });
console.log(`ready ${process.pid}`);
await Promise.all(Array.from({ length: plan.tasks }, () => contend(store)));
await lookForDescriptors(before);
clearInterval(ticks);
store.close();
