/**
 * One worker of the demo, started by demo.ts on Deno, Bun or Node. It takes
 * jobs by their locks until each has its result, and never sleeps for luck: it
 * either works, or waits for a lock.
 */
import { existsSync, renameSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { FileLock, type Lease, type Lock, SocketLock } from "../mod.ts";
import type { Job, Plan, WorkerEvent } from "./demo_events.ts";

/** A job whose lock this worker holds. */
interface TakenJob {
  job: Job;
  lease: Lease;
  passedOver: number;
}

const plan = JSON.parse(process.argv[2] ?? "{}") as Plan;

function lockFor(name: string): Lock {
  const fullName = `${plan.prefix}/${name}`;
  return plan.lock === "file"
    ? new FileLock(fullName)
    : new SocketLock(fullName);
}

function report(event: WorkerEvent): void {
  writeSync(1, JSON.stringify(event) + "\n");
}

function runtimeName(): string {
  const { deno, bun, node } = process.versions as Record<string, string>;
  if (deno) return `Deno ${deno}`;
  return bun ? `Bun ${bun}` : `Node ${node}`;
}

function resultPath(job: Job): string {
  return join(plan.folder, `${job.name}.json`);
}

function isDone(job: Job): boolean {
  return existsSync(resultPath(job));
}

async function takeFreeJob(jobs: Job[]): Promise<TakenJob | null> {
  let passedOver = 0;
  for (const job of jobs) {
    const lease = await lockFor(job.name).tryAcquire();
    if (lease) return { job, lease, passedOver };
    passedOver++;
  }
  return null;
}

// Every job left is in some worker's hands: wait for whichever lock comes free
// first, because its job is done or because its worker has died.
async function waitForJob(jobs: Job[]): Promise<TakenJob> {
  report({ type: "waiting", jobs: jobs.length });
  const enough = new AbortController();
  return await Promise.any(jobs.map(async (job) => {
    const lock = lockFor(job.name);
    const lease = await lock.acquire({ signal: enough.signal });
    if (enough.signal.aborted) {
      // Two came free in one moment: keep the first.
      await lease.release();
      throw enough.signal.reason;
    }
    enough.abort();
    return { job, lease, passedOver: 0 };
  }));
}

async function work({ job, passedOver }: TakenJob): Promise<void> {
  // Looked up under the lock: who held it before may have finished the job.
  if (isDone(job)) return;
  report({ type: "started", job: job.name, passedOver });
  await new Promise((resolve) => setTimeout(resolve, job.workMs));
  const draft = `${resultPath(job)}.${process.pid}`;
  writeFileSync(draft, JSON.stringify({ by: process.pid }));
  // A rename is whole or not at all, whenever this process is killed.
  renameSync(draft, resultPath(job));
  report({ type: "finished", job: job.name });
}

async function main(): Promise<void> {
  report({ type: "ready", pid: process.pid, runtime: runtimeName() });
  // The parent holds this lock until every worker is there.
  await lockFor("gate").withLock(() => {});
  while (true) {
    const left = plan.jobs.filter((job) => !isDone(job));
    if (left.length === 0) return;
    const taken = await takeFreeJob(left) ?? await waitForJob(left);
    try {
      await work(taken);
    } finally {
      await taken.lease.release();
    }
  }
}

await main();
