/**
 * A cron that every host starts, and that one of them does. The first to have
 * the lock does it; the others wait, see that it is done, and end. When a host
 * dies over it, another one does it.
 *
 * In the crontab of every host:
 *
 *     * * * * * REDIS_URL=redis://web-3 node examples/cron_once.ts
 */
import process from "node:process";
import { createClient } from "redis";
import { type Lease, RedisLock } from "../mod.ts";

// Hosts that are a little early or late mean the same minute by it, as long as
// their clocks differ by less.
const tick = process.argv[2] ?? new Date().toISOString().slice(0, 16);

const DONE = "cron/report:done";
const url = process.env.REDIS_URL ?? "redis://localhost:6379";
const store = createClient({ url });
store.on("error", (error) => console.error(error.message));
await store.connect();

async function report(lease: Lease): Promise<void> {
  console.log(`${tick}: works with token ${lease.fencingToken}`);
  await new Promise((resolve) => setTimeout(resolve, 500));
}

const isOurs = await new RedisLock("cron/report", { hosts: url })
  .withLock(async (lease) => {
    // A host that is late has nothing to do.
    if ((await store.get(DONE) ?? "") >= tick) return false;
    await report(lease);
    lease.assertHeld();
    await store.set(DONE, tick);
    return true;
  }, { timeoutMs: 50_000 });

store.destroy();
console.log(`${tick}: ${isOurs ? "did it" : "another host did it"}`);
