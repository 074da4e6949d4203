/**
 * The path of somebody who has the README and an empty folder: install, the
 * first lock, contention, a kill, a loss, each as it stands there.
 */
import assert from "node:assert/strict";
import { describe } from "node:test";
import { drivers } from "../../scripts/npm_project.ts";
import { uniqueName } from "../_names.ts";
import { withProcesses } from "../_processes.ts";
import { fileServer } from "../_redis.ts";
import type { TestRuntime } from "../_runtimes.ts";
import { within } from "../_time.ts";
import {
  beforePackageTests,
  npmRuntimes,
  packageTest,
  Project,
} from "./_project.ts";

const README = new URL("../../README.md", import.meta.url);

/** A block of the README that can be run as it is. */
interface Block {
  /** The file that it becomes. */
  readonly file: string;
  readonly text: string;
  /** Whether it has syntax that not all runtimes know. */
  readonly isNew: boolean;
}

async function blocksOf(): Promise<Block[]> {
  const text = await Deno.readTextFile(README);
  const blocks = [...text.matchAll(/^```(ts|js)\n([^]*?)^```$/gm)];
  return blocks.map(([, kind, text = ""], i) => ({
    file: `block_${i}.m${kind}`,
    text,
    isNew: kind === "ts",
  }));
}

// Holds a lock until it is killed, as the README's smallest program does while
// it works.
const HOLD = (name: string): string => `
import { SocketLock } from "@x/locking";
const lease = await new SocketLock(${JSON.stringify(name)}).acquire();
console.log("holds " + lease.lockName);
setInterval(() => {}, 1000);`;

// Waits as the README's "Use" does, and then for as long as it takes.
const WAIT = (name: string): string => `
import { SocketLock } from "@x/locking";
const lock = new SocketLock(${JSON.stringify(name)});
console.log(await lock.tryAcquire());
try {
  await lock.acquire({ timeoutMs: 50 });
} catch (error) {
  console.log(error.code, (await lock.holder()).pid);
}
const lease = await lock.acquire();
console.log("holds " + lease.lockName);
await lease.release();`;

// Works until the lock is lost, and says what it was told.
const LOSE = (name: string, hosts: string): string => `
import { RedisLock } from "@x/locking";
const options = { hosts: ${
  JSON.stringify(hosts)
}, ttlMs: 1000, heartbeatIntervalMs: 100 };
const lease = await new RedisLock(${JSON.stringify(name)}, options).acquire();
console.log("holds with a token: " + (lease.fencingToken > 0n));
lease.signal.addEventListener("abort", () => {
  console.log(lease.signal.reason.code);
  try {
    lease.assertHeld();
  } catch (error) {
    console.log(error.code);
  }
});
const work = setInterval(() => {}, 1000);
lease.signal.addEventListener("abort", () => clearInterval(work));`;

// Node 22 knows no `await using`.
const knows = ({ id }: TestRuntime): boolean => id !== "node22";

describe("a newcomer with the README", () => {
  const redis = fileServer();
  let project: Project;
  let blocks: Block[];

  beforePackageTests(async () => {
    project = await Project.make("newcomer", { packages: drivers });
    blocks = await blocksOf();
    for (const { file, text } of blocks) await project.write(file, text);
  });

  for (const runtime of npmRuntimes()) {
    packageTest(`runs each of its programs on ${runtime.id}`, async () => {
      const fit = blocks.filter(({ isNew }) => !isNew || knows(runtime));
      assert.ok(fit.length >= (knows(runtime) ? 4 : 1), `${fit.length}`);
      for (const { file } of fit) {
        const { code, stdout, stderr } = await project.run(runtime, file);
        assert.equal(code, 0, `${file}: ${stdout}${stderr}`);
      }
    });

    packageTest(
      `meets a holder, waits, and gets the lock when that is killed, on ${runtime.id}`,
      async () => {
        const name = uniqueName();
        await project.write("hold.mjs", HOLD(name));
        await project.write("wait.mjs", WAIT(name));
        await withProcesses(async ({ program }) => {
          const start = (file: string) => {
            const [command = "", ...args] = runtime.command;
            return program(command, ...args, `${project.folder}/${file}`);
          };
          const holder = start("hold.mjs");
          await holder.line(`holds ${name}`);
          const waiter = start("wait.mjs");
          await waiter.line(`LOCK_TIMEOUT ${holder.pid}`);
          assert.equal(waiter.lines[0], "null");
          holder.signal("SIGKILL");
          await waiter.line(`holds ${name}`);
          const { code } = await within(5000, "its end", waiter.exited);
          assert.equal(code, 0, waiter.describe());
        });
      },
    );

    packageTest(
      `is told when the server forgets the lock, on ${runtime.id}`,
      async () => {
        const name = uniqueName();
        await project.write("lose.mjs", LOSE(name, redis.own.host));
        await withProcesses(async ({ program }) => {
          const [command = "", ...args] = runtime.command;
          const path = `${project.folder}/lose.mjs`;
          const holder = program(command, ...args, path);
          await holder.line("holds with a token: true");
          await redis.own.command("FLUSHALL");
          await within(5000, "its end", holder.exited);
          const told = ["LOCK_LOST", "LOCK_LOST"];
          assert.deepEqual(holder.lines.slice(1), told, holder.describe());
        });
      },
    );
  }
});
