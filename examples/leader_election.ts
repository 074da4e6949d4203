/**
 * A leader among many processes. Each waits for the lock; who has it leads,
 * until it is told to end, or has lost the lock: then its work stops at once,
 * and it waits again.
 *
 *     export REDIS_URL=redis://localhost
 *     deno run -A examples/leader_election.ts
 *     bun examples/leader_election.ts
 *     node examples/leader_election.ts
 */
import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";
import { RedisLock } from "../mod.ts";

const end = new AbortController();
process.once("SIGTERM", () => end.abort());

const url = process.env.REDIS_URL ?? "redis://localhost:6379";
const lock = new RedisLock("leader", { hosts: url });

/** What only one may do at a time: until the signal, and no longer. */
async function lead(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await pause(100, undefined, { signal }).catch(() => {});
  }
}

console.log("waits");
while (!end.signal.aborted) {
  const lease = await lock.acquire({ signal: end.signal }).catch((error) => {
    // Told to end while it waited.
    if (end.signal.aborted) return null;
    throw error;
  });
  if (lease === null) break;
  console.log(`leads, with token ${lease.fencingToken}`);
  await lead(AbortSignal.any([lease.signal, end.signal]));
  if (lease.signal.aborted) console.log(lease.signal.reason.code);
  await lease.release();
}
console.log("ends");
