/**
 * A job that Deno Deploy starts every minute, wherever the program runs, and
 * that must be done once a minute.
 *
 * Whoever has the lock looks whether the job has been done, does it, and notes
 * that, all before the next one can look. When an instance dies over the job,
 * another one that waits does it, a few seconds later. `REDIS_URL` names the
 * server.
 *
 *     deno run --unstable-cron --allow-net --allow-env examples/deno_deploy.ts
 */
import { createClient } from "redis";
import { type Lease, RedisLock } from "../mod.ts";

const DONE = "cron/clean-up:done";

const url = Deno.env.get("REDIS_URL") ?? "redis://localhost:6379";
const client = createClient({ url });
client.on("error", (error) => console.error(error.message));
await client.connect();

const lock = new RedisLock("cron/clean-up", { client });

/**
 * Does the job of one minute, unless it has been done.
 *
 * @param minute The minute, as whatever tells it from the others.
 * @returns Whether it was this instance that did it.
 */
export function cleanUpOnce(minute: string): Promise<boolean> {
  return lock.withLock(async (lease) => {
    if (await client.get(DONE) === minute) return false;
    await cleanUp(lease);
    await client.set(DONE, minute);
    return true;
  }, { timeoutMs: 30_000 });
}

async function cleanUp(lease: Lease): Promise<void> {
  // Whatever is written carries the token, so that a store can refuse what an
  // instance sends late, when it has lost its lease.
  console.log(`cleans up with token ${lease.fencingToken}`);
  await Promise.resolve();
  lease.assertHeld();
}

if (import.meta.main) {
  Deno.cron("clean up", "* * * * *", async () => {
    const minute = new Date().toISOString().slice(0, "2026-01-01T00:00".length);
    const isOurs = await cleanUpOnce(minute);
    console.log(isOurs ? `did it at ${minute}` : `another one did it`);
  });
}
