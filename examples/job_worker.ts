/**
 * The pattern that the locks are made for: many jobs, many workers, nobody in
 * charge. Start it in several terminals at once, and kill one of them.
 *
 *     deno run -A examples/job_worker.ts
 *     bun examples/job_worker.ts
 *     node examples/job_worker.ts
 */
import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { claim, SocketLock } from "../mod.ts";

const jobs = ["amsterdam", "berlin", "copenhagen", "dublin", "edinburgh"];

const isOpen = (job: string): boolean => !existsSync(`results/${job}`);

async function work(job: string): Promise<void> {
  console.log(`${job}: works`);
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  writeFileSync(`results/.${job}`, "done\n");
  // Whenever this process is killed, a result is whole or not there.
  renameSync(`results/.${job}`, `results/${job}`);
}

mkdirSync("results", { recursive: true });
while (true) {
  const left = jobs.filter(isOpen);
  const job = await claim(left, (name) => new SocketLock(`job/${name}`));
  if (job === null) break;
  try {
    // Looked up under the lock: who held it before may have done the job.
    if (isOpen(job.name)) await work(job.name);
  } finally {
    await job.lease.release();
  }
}
console.log("nothing is left to take");
