/**
 * The pattern that the locks are made for: many jobs, many workers, nobody in
 * charge. Start it in several terminals at once, and kill one of them.
 *
 *     deno run -A examples/job_worker.ts
 *     bun examples/job_worker.ts
 *     node examples/job_worker.ts
 */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { SocketLock } from "../mod.ts";

const jobs = ["amsterdam", "berlin", "copenhagen", "dublin", "edinburgh"];

async function work(job: string): Promise<void> {
  console.log(`${job}: works`);
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  writeFileSync(`results/${job}`, "done\n");
}

mkdirSync("results", { recursive: true });
for (const job of jobs) {
  const lease = await new SocketLock(`job/${job}`).tryAcquire();
  if (lease === null) {
    console.log(`${job}: taken, tries another`);
    continue;
  }
  try {
    // Looked up under the lock: who held it before may have done the job.
    if (!existsSync(`results/${job}`)) await work(job);
  } finally {
    await lease.release();
  }
}
