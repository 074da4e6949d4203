// How a lock of one host is handed over, where it cannot be seen from what
// callers get.
import assert from "node:assert/strict";
import {
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { lockFileName } from "../backends/file.ts";
import { socketAddress } from "../backends/socket.ts";
import { FileLock, SocketLock } from "../mod.ts";
import { runtime } from "../runtime/mod.ts";
import { PosixLockFiles } from "../runtime/posix_files.ts";
import { hostKinds, type Kind } from "./_kinds.ts";
import type { LockSpec } from "./fixtures/protocol.ts";
import { makeDirectory, removeDirectory, uniqueName } from "./_names.ts";
import { noFiles, noSockets } from "./_platform.ts";
import { withProcesses } from "./_processes.ts";
import { nthRuntime } from "./_runtimes.ts";
import { sleep, turn, within } from "./_time.ts";

const directory = makeDirectory();
after(() => removeDirectory(directory));

describe("a holder that blocks its event loop right after a release", () => {
  for (const kind of hostKinds()) testBlocking(kind);
});

// Within the first 2 ms of a waiter a release may pass in silence, since the
// holder may be back at once. If it is not, and does not let its event loop
// turn either, the waiter has to look for itself.
function testBlocking(kind: Kind): void {
  it(`does not keep ${kind.kind} from a waiter that has just come`, {
    skip: kind.missing,
  }, () =>
    withProcesses(async ({ script }) => {
      const spec = kind.fresh();
      const args = ["acquire", "4000", JSON.stringify(spec)];
      const child = script(nthRuntime(1), "contend.ts", ...args);
      await child.line("ready");
      child.write("go");
      const lock = kind.create(spec);
      for (let round = 0; !child.over; round++) {
        const lease = await lock.acquire();
        // From none to a dozen turns: the waiter comes before, in, or after.
        for (let i = 0; i < round % 12; i++) await turn();
        await lease.release();
        block(300);
        await turn();
      }
      const { longestMs } = JSON.parse(child.lines.at(-1)!);
      // A waiter that is not woken waits for the end of the block.
      assert.ok(longestMs < 200, `waited ${longestMs} ms`);
    }));
}

function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

describe("a first waiter that the machine does not run for a moment", () => {
  it(
    "keeps its turn at a SocketLock",
    { skip: noSockets() },
    () =>
      withProcesses(async (processes) => {
        const spec: LockSpec = { kind: "SocketLock", name: uniqueName() };
        const [slow, next] = [
          await processes.worker(),
          await processes.worker(),
        ];
        const locks = [await slow.create(spec), await next.create(spec)];
        const ours = new SocketLock(spec.name);
        let counted = 0;
        const end = performance.now() + 30_000;
        while (counted < 5 && performance.now() < end) {
          const lease = await ours.acquire();
          const order: number[] = [];
          const grants: Promise<void>[] = [];
          for (const [i, lock] of locks.entries()) {
            const wait = await lock.queue();
            grants.push(wait.granted.then(() => {
              order.push(i);
              return lock.release();
            }));
          }
          slow.child.signal("SIGSTOP");
          const stopped = performance.now();
          await lease.release();
          await sleep(5);
          slow.child.signal("SIGCONT");
          // It has 11 ms, and needs one or two of them to come: if it is run by
          // then, which its answer tells.
          await slow.create(spec);
          const ms = performance.now() - stopped;
          await within(5000, "the grants", Promise.all(grants));
          if (ms > 8) continue;
          counted++;
          assert.deepEqual(order, [0, 1], `after ${ms} ms`);
        }
        assert.ok(counted > 0, "no round was short enough");
      }),
  );
});

describe("FileLock", () => {
  it("lets waiters in at an abstract socket while it is held", {
    skip: noFiles() || noSockets(),
  }, async () => {
    const lock = new FileLock(uniqueName(), { directory });
    const { ino } = statSync(await touch(lock.name));
    const listed = (): boolean =>
      new RegExp(`@locking-file:\\d+:${ino}$`, "m")
        .test(readFileSync("/proc/net/unix", "utf8"));
    const lease = await lock.acquire();
    for (let i = 0; i < 10 && !listed(); i++) await turn();
    assert.ok(listed());
    await lease.release();
    for (let i = 0; i < 10 && listed(); i++) await turn();
    assert.ok(!listed());
  });

  it("locks the new file when its file is replaced between open and lock", {
    skip: noFiles(),
  }, async () => {
    const lock = new FileLock(uniqueName(), { directory });
    const path = await touch(lock.name);
    const { files } = runtime;
    const open = files.open;
    files.open = (name) => {
      const file = open.call(files, name);
      files.open = open;
      unlinkSync(path);
      writeFileSync(path, "");
      return file;
    };
    const lease = await lock.tryAcquire();
    assert.ok(lease);
    lease.assertHeld();
    const other = open.call(files, path);
    assert.equal(other.tryLock(), false, "the file that the path names");
    other.close();
    await lease.release();
  });

  it("takes an error of flock(2) for an error, and not for contention", {
    skip: noFiles(),
  }, () => {
    const ENOLCK = 37;
    const files = new PosixLockFiles(() => () => ENOLCK);
    const file = files.open(join(directory, uniqueName()));
    assert.throws(() => file.tryLock(), /ENOLCK/);
    file.close();
  });
});

async function touch(name: string): Promise<string> {
  const lease = await new FileLock(name, { directory }).acquire();
  await lease.release();
  return join(directory, lockFileName(name));
}

describe("a holder of a SocketLock that was told how many follow it", () => {
  it(
    "tells a newcomer that they come first, although they are still on the way",
    { skip: noSockets() },
    async () => {
      // It may be told only as long as they may still come: not where the
      // machine takes longer than that to run the two of us.
      for (let round = 0; round < 20; round++) {
        const { ms, ahead } = await comeAfterOthers();
        if (ms > 8) continue;
        assert.deepEqual(ahead, { newcomer: 3, follower: 0 });
        return;
      }
      assert.fail("The machine is too busy");
    },
  );

  it(
    "tells nobody of those who have not come within 10 ms",
    { skip: noSockets() },
    async () => {
      // What one holder says, the next says after it: for ever, if each holds
      // the lock for less time than it believes in those who were never there.
      const { ahead } = await comeAfterOthers({ afterMs: 12 });
      assert.deepEqual(ahead, { newcomer: 0, follower: 0 });
    },
  );
});

describe("a holder of a SocketLock that nobody told how many follow it", () => {
  it(
    "takes whoever comes for the former holder, and tells them of nobody else",
    { skip: noSockets() },
    async () => {
      let soon = 0;
      for (let round = 0; round < 20; round++) {
        const { ms, ahead } = await comeAfterOthers({ told: false });
        assert.equal(ahead.newcomer, 0);
        if (ms < 2) soon++;
      }
      assert.ok(soon > 0, "The machine is too busy");
    },
  );
});

/**
 * A holder with three waiters besides us is left, who may be told so; then two
 * others come, after a while.
 */
async function comeAfterOthers({ told = true, afterMs = 0 } = {}): Promise<
  { ms: number; ahead: { newcomer: number; follower: number } }
> {
  const name = uniqueName();
  const path = socketAddress(name);
  const reply = { ahead: 0, others: 3, settlesInMs: 0 };
  const former = { ...reply, host: "web-3", pid: 1, acquiredAt: Date.now() };
  const server = createServer((socket) => {
    socket.once("data", () => {
      server.close();
      socket.end(told ? JSON.stringify(former) + "\n" : "");
    });
  });
  await new Promise<void>((resolve) =>
    server.listen({ path, exclusive: true }, resolve)
  );
  const lease = await new SocketLock(name).acquire();
  const began = performance.now();
  if (afterMs > 0) await sleep(afterMs);
  // Whoever has just had the lock, and a waiter from before.
  const newcomer = await askForPlace(path, { waitedMs: 0 });
  const follower = await askForPlace(path, { waitedMs: 500, aheadBefore: 1 });
  const ms = performance.now() - began;
  await lease.release();
  return { ms, ahead: { newcomer, follower } };
}

/** Resolves to how many come first; stays for as long as something takes. */
function askForPlace(
  path: string,
  hello: object,
  stay = (): Promise<void> => Promise.resolve(),
): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    socket.on("error", reject);
    socket.once("data", (data) => {
      const { ahead } = JSON.parse(String(data).split("\n")[0]!);
      stay().finally(() => socket.destroy()).then(() => resolve(ahead), reject);
    });
    const said = { want: "turn", claim: false, ...hello };
    socket.write(JSON.stringify(said) + "\n");
  });
}

describe("a FileLock that is kept back for those with a better right", () => {
  it(
    "is not handed out when its file is replaced meanwhile",
    { skip: noSockets() || noFiles() },
    async () => {
      let replaced = 0;
      for (let round = 0; round < 20; round++) {
        const name = uniqueName();
        const path = join(directory, lockFileName(name));
        const lock = new FileLock(name, { directory });
        const first = await lock.acquire();
        const { dev, ino } = statSync(path);
        // A waiter that will not come; so the lock is kept back for it.
        const waiter = { waitedMs: 500, claim: true };
        await turn();
        await askForPlace(
          `\0locking-file:${dev}:${ino}`,
          waiter,
          () => first.release(),
        );
        let granted = false;
        const next = lock.acquire().finally(() => granted = true);
        await sleep(2 + round % 6);
        if (!granted) {
          replaced++;
          writeFileSync(`${path}.new`, "");
          renameSync(`${path}.new`, path);
        }
        const lease = await within(5000, "the grant", next);
        lease.assertHeld();
        await lease.release();
      }
      assert.ok(replaced > 0);
    },
  );
});
