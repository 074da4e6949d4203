/**
 * A worker for spot machines, which may be taken away at any time. Workers on
 * many hosts take jobs by their locks on Redis, and save each step of a job.
 * When one is killed, another goes on with its job one time to live later;
 * when one is told to end (SIGTERM), another goes on at once. When one was
 * paused for so long that it lost its lock, it stops, and nothing that it still
 * sends is saved.
 *
 *     export REDIS_URL=redis://localhost
 *     deno run -A examples/spot_worker.ts amsterdam berlin copenhagen
 *     bun examples/spot_worker.ts amsterdam berlin copenhagen
 *     node examples/spot_worker.ts amsterdam berlin copenhagen
 */
import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";
import { createClient } from "redis";
import { claim, type Lease, RedisLock } from "../mod.ts";

const STEPS = 5;
const STEP_MS = Number(process.env.STEP_MS ?? 1_000);
const AGAIN_MS = 500;

const jobs = process.argv.slice(2);
const url = process.env.REDIS_URL ?? "redis://localhost:6379";
const store = createClient({ url });
store.on("error", (error) => console.error(error.message));
await store.connect();

const notice = new AbortController();
process.once("SIGTERM", () => notice.abort());

// Saves a step, unless a later holder of the job's lock has saved one.
const SAVE = `
local saved = redis.call('HGET', KEYS[1], 'token') or '0'
if tonumber(saved) > tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'token', ARGV[1], 'step', ARGV[2])
return 1`;

async function save(job: string, step: number, lease: Lease): Promise<boolean> {
  const values = [String(lease.fencingToken), String(step)];
  const call = { keys: [`job:${job}`], arguments: values };
  return await store.eval(SAVE, call) === 1;
}

async function stepOf(job: string): Promise<number> {
  return Number(await store.hGet(`job:${job}`, "step") ?? 0);
}

async function work(job: string, lease: Lease): Promise<void> {
  const stop = AbortSignal.any([lease.signal, notice.signal]);
  let step = await stepOf(job);
  if (step < STEPS) console.log(`${job}: begins after step ${step}`);
  while (step < STEPS && !stop.aborted) {
    await pause(STEP_MS, undefined, { signal: stop }).catch(() => {});
    if (stop.aborted || !await save(job, step + 1, lease)) break;
    console.log(`${job}: step ${++step}`);
  }
  if (lease.signal.aborted) console.log(`${job}: lost, to somebody else`);
}

async function openJobs(): Promise<string[]> {
  const steps = await Promise.all(jobs.map(stepOf));
  return jobs.filter((_, i) => steps[i]! < STEPS);
}

async function main(): Promise<void> {
  console.log("ready");
  while (!notice.signal.aborted) {
    const left = await openJobs();
    if (left.length === 0) break;
    const job = await claim(
      left,
      (name) => new RedisLock(name, { hosts: url }),
    );
    if (job === null) await pause(AGAIN_MS);
    else await work(job.name, job.lease).finally(() => job.lease.release());
  }
  store.destroy();
  console.log(notice.signal.aborted ? "ends, as told" : "all is done");
}

await main();
