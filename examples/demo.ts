/**
 * The main job, with nothing to install: `deno task demo`.
 *
 * A pool of worker processes on Deno, Bun and Node shares a list of jobs. Each
 * takes a job by taking its lock, and another one when that fails. One worker is
 * killed in mid-job with SIGKILL: its lock frees itself, and a worker that waits
 * takes the job over at once.
 *
 * `deno task demo --file` does the same with FileLock, and `--picture=FILE`
 * draws what happened as an SVG.
 */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { FileLock, type Lock, type LockError, SocketLock } from "../mod.ts";
import type { Job, Plan, WorkerEvent } from "./demo_events.ts";
import { killWorker, startWorkers, type Worker } from "./demo_pool.ts";
import { drawDemo, type Wait } from "./demo_picture.ts";
import {
  findOverlaps,
  gapOf,
  type Run,
  seconds,
  tableOf,
} from "./demo_record.ts";
import { findRuntimes, stopFetching } from "./demo_runtimes.ts";

const WORKERS = 6;
const JOBS = 12;
/** Start without the workers that are not there by then. */
const GATE_MS = 4_000;
/** Once a worker waits, let it settle for this long before the kill. */
const KILL_AFTER_MS = 100;
/** Kill only a worker with at least this much work left. */
const MID_JOB_MS = 100;
/** The whole show is over by then, whatever happens. */
const DEADLINE_MS = 14_000;

const startedAt = performance.now();
const runs: Run[] = [];
const waits: Wait[] = [];
const idle = new Map<Worker, Wait>();
let workers: Worker[] = [];
let killTimer: ReturnType<typeof setTimeout> | undefined;
let victim: Worker | undefined;
let wake = (): void => {};

function now(): number {
  return performance.now() - startedAt;
}

function say(text: string): void {
  console.log(`${seconds(now()).padStart(7)}  ${text}`);
}

function makePlan(folder: string): Plan {
  return {
    prefix: `demo-${process.pid}`,
    lock: process.argv.includes("--file") ? "file" : "socket",
    folder,
    jobs: Array.from({ length: JOBS }, (_, index) => ({
      name: `job-${String(index + 1).padStart(2, "0")}`,
      // From 0.3 to 0.8 s; the last ones are long, so that somebody waits.
      workMs: index >= JOBS - 3 ? 800 : 300 + (index * 170) % 500,
    })),
  };
}

function onEvent(plan: Plan, worker: Worker, event: WorkerEvent): void {
  if (event.type === "ready") say(`${nameOf(worker)} is there`);
  if (event.type === "started") started(worker, event.job, event.passedOver);
  if (event.type === "finished") finished(worker, event.job);
  if (event.type === "waiting") waiting(plan, worker, event.jobs);
  wake();
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}

function nameOf(worker: Worker): string {
  return `${worker.id} (${worker.runtime})`;
}

function started(worker: Worker, job: string, passedOver: number): void {
  const from = runs.findLast((run) => run.job === job && run.killed);
  const run: Run = {
    job,
    worker: worker.id,
    runtime: worker.runtime,
    started: now(),
    killed: false,
    ...(from ? { takenOverFrom: from } : {}),
  };
  runs.push(run);
  endWait(worker);
  if (from) {
    say(`${nameOf(worker)} takes ${job} over, ${gapOf(run)} after the kill`);
  } else {
    const busy = passedOver > 0
      ? `, after ${count(passedOver, "taken one")}`
      : "";
    say(`${nameOf(worker)} takes ${job}${busy}`);
  }
}

// It waits anew whenever another job is done: said once is enough.
function waiting(plan: Plan, worker: Worker, jobs: number): void {
  killTimer ??= setTimeout(() => killOne(plan), KILL_AFTER_MS);
  if (idle.has(worker)) return;
  const wait = { worker: worker.id, from: now(), until: Infinity };
  waits.push(wait);
  idle.set(worker, wait);
  say(
    `${nameOf(worker)} waits: nothing is free, ${count(jobs, "job")} in work`,
  );
}

function endWait(worker: Worker): void {
  const wait = idle.get(worker);
  if (wait) wait.until = now();
  idle.delete(worker);
}

function finished(worker: Worker, job: string): void {
  const run = runOf(worker);
  if (run?.job === job) run.ended = now();
}

function runOf(worker: Worker): Run | undefined {
  return runs.find((run) =>
    run.worker === worker.id && run.ended === undefined
  );
}

// The kill comes while another worker waits: the first moment at which an
// immediate takeover can be seen.
function killOne(plan: Plan): void {
  const left = (worker: Worker): number => timeLeft(plan.jobs, runOf(worker));
  const choice = workers.filter((worker) => left(worker) >= MID_JOB_MS)
    .sort((a, b) => left(b) - left(a))[0];
  if (choice === undefined) return;
  const run = runOf(choice);
  if (run === undefined) return;
  victim = choice;
  say(`${nameOf(choice)} is killed with SIGKILL in the midst of ${run.job}`);
  run.killed = true;
  run.ended = now();
  killWorker(choice);
}

function timeLeft(jobs: readonly Job[], run: Run | undefined): number {
  if (run === undefined) return 0;
  const job = jobs.find((job) => job.name === run.job);
  return (job?.workMs ?? 0) - (now() - run.started);
}

function onEnd(worker: Worker, how: string): void {
  endWait(worker);
  if (worker !== victim && how !== "exit 0") {
    say(`${nameOf(worker)} ended early: ${how}`);
    const run = runOf(worker);
    if (run) Object.assign(run, { ended: now(), killed: true });
  }
  wake();
}

async function until(condition: () => boolean, ms: number): Promise<boolean> {
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    wake();
  }, ms);
  while (!condition() && !late) {
    await new Promise<void>((resolve) => wake = resolve);
  }
  clearTimeout(timer);
  return condition();
}

async function runPool(plan: Plan): Promise<void> {
  const kind = plan.lock === "file" ? "FileLock" : "SocketLock";
  console.log(`${JOBS} jobs, ${WORKERS} worker processes, ${kind}`);
  // Nobody starts before all are there: the parent holds the gate's lock.
  const gate = await lockFor(plan, "gate").acquire();
  const runtimes = await findRuntimes();
  workers = startWorkers(
    Array.from({ length: WORKERS }, (_, i) => runtimes[i % runtimes.length]!),
    plan,
    {
      onEvent: (worker, event) => onEvent(plan, worker, event),
      onEnd,
    },
  );
  await until(() => workers.every((w) => w.pid > 0 || w.ended), GATE_MS);
  await gate.release();
  await until(() => workers.every((w) => w.ended), DEADLINE_MS - now());
}

function lockFor(plan: Plan, name: string): Lock {
  const fullName = `${plan.prefix}/${name}`;
  return plan.lock === "file"
    ? new FileLock(fullName)
    : new SocketLock(fullName);
}

function verdict(plan: Plan): boolean {
  const results = readdirSync(plan.folder).filter((f) => f.endsWith(".json"));
  const overlaps = findOverlaps(runs);
  const takeover = runs.find((run) => run.takenOverFrom !== undefined);
  console.log(`\n${tableOf(runs).join("\n")}\n`);
  for (const [a, b] of overlaps) {
    console.log(`${a.job}: ${a.worker} and ${b.worker} ran it at once`);
  }
  return [
    check(results.length === JOBS, `${results.length} of ${JOBS} jobs done`),
    check(
      takeover !== undefined,
      takeover
        ? `the killed worker's job was taken over ${
          gapOf(takeover)
        } after the kill`
        : "no job was taken over",
    ),
    check(
      overlaps.length === 0,
      overlaps.length === 0
        ? "no two workers ever ran one job at once"
        : `${overlaps.length} times two workers ran one job at once`,
    ),
  ].every(Boolean);
}

function drawPicture(plan: Plan): void {
  const option = "--picture=";
  const file = process.argv.find((arg) => arg.startsWith(option));
  if (file === undefined || runs.length === 0) return;
  const kind = plan.lock === "file" ? "FileLock" : "SocketLock";
  const title = `${JOBS} jobs, ${WORKERS} worker processes, ${kind}`;
  writeFileSync(file.slice(option.length), drawDemo({ title, runs, waits }));
}

function check(ok: boolean, text: string): boolean {
  console.log(`${ok ? "ok" : "FAILED"}: ${text}`);
  return ok;
}

function end(plan: Plan, code: number): never {
  stopFetching();
  for (const worker of workers) killWorker(worker);
  rmSync(plan.folder, { recursive: true, force: true });
  process.exit(code);
}

async function main(): Promise<void> {
  const plan = makePlan(mkdtempSync(join(tmpdir(), "locking-demo-")));
  process.on("SIGINT", () => end(plan, 130));
  process.on("SIGTERM", () => end(plan, 143));
  try {
    await runPool(plan);
    drawPicture(plan);
    end(plan, verdict(plan) ? 0 : 1);
  } catch (error) {
    const { code, message } = error as LockError;
    console.error(code ? `${code}: ${message}` : error);
    end(plan, 1);
  }
}

await main();
