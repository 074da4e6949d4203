/** FileLock and other programs' flock(2) on the same file. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { after, describe, it } from "node:test";
import { lockFileName } from "../backends/file.ts";
import { FileLock } from "../mod.ts";
import type { Child } from "./_child.ts";
import { makeDirectory, removeDirectory, uniqueName } from "./_names.ts";
import { noFiles, noProgram } from "./_platform.ts";
import { type Processes, withProcesses } from "./_processes.ts";
import { pendingAfter, quantile, within } from "./_time.ts";

const directory = makeDirectory();
after(() => removeDirectory(directory));

const PYTHON = `
import fcntl, sys
file = open(sys.argv[1], "a")
try:
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    print("busy", flush=True)
    sys.exit(1)
print("held", flush=True)
sys.stdin.readline()
`;

interface Stranger {
  title: string;
  missing: string | false;
  /** Prints "held" and holds until a line comes; exits with 1 if it cannot. */
  command(path: string): string[];
}

const STRANGERS: Stranger[] = [
  {
    title: "flock(1)",
    missing: noProgram("flock", "--version"),
    command: (path) => ["flock", "-n", path, "-c", "echo held; read line"],
  },
  {
    title: "Python's fcntl.flock",
    missing: noProgram("python3", "-c", "import fcntl"),
    command: (path) => ["python3", "-c", PYTHON, path],
  },
];

for (const stranger of STRANGERS) {
  const skip = noFiles() || stranger.missing;
  describe(`FileLock and ${stranger.title}`, () => {
    testExclusion(stranger, skip);
    testWaiting(stranger, skip);
  });
}

function fresh(): { lock: FileLock; path: string } {
  const name = uniqueName();
  const path = join(directory, lockFileName(name));
  return { lock: new FileLock(name, { directory }), path };
}

async function hold(
  { program }: Processes,
  stranger: Stranger,
  path: string,
): Promise<Child> {
  const [command = "", ...args] = stranger.command(path);
  const child = program(command, ...args);
  await child.line("held");
  return child;
}

function isRefused(stranger: Stranger, path: string): boolean {
  const [command = "", ...args] = stranger.command(path);
  // It is given no input: where it has ended before that could be written, Deno
  // tells an error instead of what became of it.
  const stdio = ["ignore", "pipe", "ignore"] as const;
  const { error, stdout } = spawnSync(command, args, { stdio: [...stdio] });
  if (error) throw error;
  return !String(stdout).includes("held");
}

function testExclusion(stranger: Stranger, skip: string | false): void {
  it(
    "ours keeps it out, from the moment of the grant to the release",
    { skip },
    async () => {
      const { lock, path } = fresh();
      const lease = await lock.acquire();
      assert.equal(isRefused(stranger, path), true);
      lease.assertHeld();
      await lease.release();
      assert.equal(isRefused(stranger, path), false);
    },
  );

  it(
    "it keeps ours out, and its file's content is not touched",
    { skip },
    () =>
      withProcesses(async (processes) => {
        const { lock, path } = fresh();
        writeFileSync(path, "precious");
        const child = await hold(processes, stranger, path);
        assert.equal(await lock.tryAcquire(), null);
        await assert.rejects(lock.acquire({ timeoutMs: 200 }), {
          code: "LOCK_TIMEOUT",
        });
        assert.ok(await lock.holder(), "a stranger is a holder");
        assert.equal(await lock.tryAcquire(), null);
        assert.equal(readFileSync(path, "utf8"), "precious");
        child.write("");
        await child.exited;
        assert.equal(await lock.holder(), null);
        const lease = await lock.tryAcquire();
        assert.ok(lease);
        await lease.release();
      }),
  );
}

function testWaiting(stranger: Stranger, skip: string | false): void {
  it(
    "a lock that it frees is noticed within 50 ms or so",
    { skip },
    () =>
      withProcesses(async (processes) => {
        const { lock, path } = fresh();
        const took: number[] = [];
        for (let i = 0; i < 5; i++) {
          const child = await hold(processes, stranger, path);
          const waiting = lock.acquire();
          // By then a backoff without a bound would have grown past it.
          assert.equal(await pendingAfter(600, waiting), true);
          const start = performance.now();
          child.write("");
          const lease = await within(5000, "the grant", waiting);
          took.push(performance.now() - start);
          await lease.release();
        }
        const [median, most] = [0.5, 1].map((part) => quantile(took, part));
        console.log(
          `Freed by ${stranger.title}, noticed after ${
            median?.toFixed(0)
          } ms, ${most?.toFixed(0)} at most`,
        );
        // Its own end takes some milliseconds more, and this machine is shared.
        assert.ok(median! < 200, `${took} ms`);
      }),
  );
}

describe("FileLock whose file is another one's", () => {
  it("FIFO that is locked: holder() is told at once", {
    skip: noFiles() || noProgram("flock", "--version"),
  }, () =>
    withProcesses(async (processes) => {
      const { lock, path } = fresh();
      assert.equal(spawnSync("mkfifo", [path]).status, 0);
      // A FIFO that is opened for both directions has no writer to wait for.
      const script = 'exec 9<>"$0"; flock -n 9; echo held; read line';
      const child = processes.program("sh", "-c", script, path);
      await child.line("held");
      const { pid } = (await within(1000, "it", lock.holder()))!;
      assert.ok(pid >= 0);
      await assert.rejects(lock.tryAcquire(), { code: "LOCK_BACKEND" });
    }));

  it("file without an end: no more than its beginning is read", {
    skip: noFiles(),
  }, () =>
    withProcesses(async (processes) => {
      const { lock, path } = fresh();
      const child = await hold(processes, STRANGERS[0]!, path);
      truncateSync(path, 2 ** 30);
      const before = process.memoryUsage().rss;
      assert.equal((await lock.holder())?.pid, child.pid);
      assert.ok(process.memoryUsage().rss - before < 2 ** 28);
    }));
});
