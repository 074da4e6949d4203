/** What every lock promises between processes, of one runtime and of several. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, describe, it } from "node:test";
import type { Kind } from "./_kinds.ts";
import { makeDirectory, removeDirectory } from "./_names.ts";
import { type Processes, withProcesses } from "./_processes.ts";
import { nthRuntime, testRuntimes } from "./_runtimes.ts";
import { assertDescriptors, openDescriptors } from "./_spies.ts";
import { sleep, turn, within } from "./_time.ts";
import type { RemoteLock } from "./_worker.ts";

const directory = makeDirectory();
after(() => removeDirectory(directory));

/**
 * Declares the tests for one kind of lock.
 *
 * @param kind The kind of lock.
 */
export function testBetweenProcesses(kind: Kind): void {
  const skip = kind.missing;
  describe(`${kind.kind} between processes`, () => {
    testExclusion(kind, skip);
    testCounting(kind, skip);
    testOrder(kind, skip);
    testBlockedReleaser(kind, skip);
    testCancellation(kind, skip);
    testHolder(kind, skip);
    testQueueOfOne(kind, skip);
  });
}

/** A lock that one process holds is not to be had in another. */
export function testExclusion(kind: Kind, skip: string | false): void {
  for (const runtime of testRuntimes()) {
    it(
      `a lock held here is not to be had in ${runtime.id}, and the other way round`,
      { skip },
      () =>
        withProcesses(async (processes) => {
          const worker = await processes.worker(runtime);
          const spec = kind.fresh();
          const [ours, theirs] = [kind.create(spec), await worker.create(spec)];
          const lease = await ours.acquire();
          assert.equal(await theirs.tryAcquire(), false);
          const wait = await theirs.queue();
          await lease.release();
          await within(5000, "their grant", wait.granted);
          assert.equal(await ours.tryAcquire(), null);
          const waiting = ours.acquire({ timeoutMs: 5000 });
          await theirs.release();
          await (await waiting).release();
          assert.equal(await theirs.tryAcquire(), true);
          await theirs.release();
        }),
    );
  }
}

function testCounting(kind: Kind, skip: string | false): void {
  // A server's round trips take longer than the kernel's calls.
  const rounds = kind.slow ? 25 : kind.lease ? 250 : 1000;
  it(
    `8 processes × ${rounds} unguarded read-modify-writes of one file come to ${
      8 * rounds
    }, without overlap`,
    { skip },
    () =>
      withProcesses(async (processes) => {
        const spec = kind.fresh();
        const file = join(directory, spec.kind);
        writeFileSync(file, "0");
        const locks = await startLocks(kind, processes, 8, spec);
        const counts = locks.map((lock) => lock.count(file, rounds));
        const overlaps = await within(50_000, "the count", Promise.all(counts));
        assert.equal(readFileSync(file, "utf8"), String(8 * rounds));
        assert.deepEqual(overlaps, [0, 0, 0, 0, 0, 0, 0, 0]);
      }),
  );
}

/** Starts processes, each in the next runtime, with one lock. */
async function startLocks(
  kind: Kind,
  processes: Processes,
  count: number,
  spec = kind.fresh(),
): Promise<RemoteLock[]> {
  const starting = Array.from({ length: count }, async (_, i) => {
    const worker = await processes.worker(nthRuntime(i));
    return await worker.create(spec);
  });
  return await Promise.all(starting);
}

function testOrder(kind: Kind, skip: string | false): void {
  const unordered = kind.fifo ? false : "order between processes: best effort";
  it("waiters of three processes are granted in the order in which they came", {
    skip: skip || unordered,
  }, () =>
    withProcesses(async (processes) => {
      const locks = await startLocks(kind, processes, 4);
      const orders = [[1, 2, 3], [3, 1, 2], [2, 3, 1]];
      const rounds = Array.from({ length: 4 }, () => orders).flat();
      const others: string[] = [];
      for (const order of rounds) {
        const granted = await grantInOrder(locks, order);
        if (String(granted) !== String(order)) {
          others.push(`${granted} instead of ${order}`);
        }
      }
      // On one host, a waiter that the machine does not run in time loses its
      // turn; a queue of a server knows no such thing.
      const allowed = kind.lease ? 0 : rounds.length / 6;
      assert.ok(others.length <= allowed, others.join("; "));
    }));
}

/** Lets locks wait one after the other; tells in which order they get it. */
async function grantInOrder(
  [holder, ...rest]: readonly RemoteLock[],
  order: readonly number[],
): Promise<number[]> {
  await holder!.take();
  const granted: number[] = [];
  const done: Promise<void>[] = [];
  for (const i of order) {
    const lock = rest[i - 1]!;
    const wait = await lock.queue();
    done.push(wait.granted.then(() => {
      granted.push(i);
      return lock.release();
    }));
  }
  await holder!.release();
  await within(5000, "the grants", Promise.all(done));
  return granted;
}

function testBlockedReleaser(kind: Kind, skip: string | false): void {
  it("a holder that releases and then blocks its event loop delays no waiter", {
    skip,
  }, () =>
    withProcesses(async (processes) => {
      const locks = await startLocks(kind, processes, 3);
      const [holder, first, second] = locks as [
        RemoteLock,
        RemoteLock,
        RemoteLock,
      ];
      await holder.take();
      const wait = await first.queue();
      const next = await second.queue();
      const { wakeMs } = kind;
      // Who waited for the end of the block would come too late.
      const blockMs = 2 * wakeMs + 600;
      const start = performance.now();
      const blocked = holder.releaseAndBlock(blockMs);
      // Should an assertion below fail, it is that one to be told of.
      blocked.catch(() => {});
      const granted = await within(
        blockMs - 100,
        "the first",
        Promise.race([
          wait.granted.then((at) => ({ at, lock: first })),
          next.granted.then((at) => ({ at, lock: second })),
        ]),
      );
      assert.ok(granted.at - start < wakeMs, `${granted.at - start} ms`);
      await granted.lock.release();
      const both = Promise.all([wait.granted, next.granted]);
      const last = Math.max(...await within(blockMs - 100, "the second", both));
      assert.ok(last - start < 2 * wakeMs, `${last - start} ms`);
      await blocked;
    }));
}

function testCancellation(kind: Kind, skip: string | false): void {
  it("an abort ends a wait for another process's lock, and frees its place", {
    skip,
  }, () =>
    withProcesses(async (processes) => {
      const [holder, first, second] = await startLocks(kind, processes, 3);
      await holder!.take();
      const wait = await first!.queue();
      const next = await second!.queue();
      await wait.abort();
      await assert.rejects(wait.granted, { message: "Aborted by the test" });
      await holder!.release();
      await within(5 * kind.wakeMs, "the next waiter", next.granted);
      await second!.release();
    }));

  it("a timeout ends a wait for another process's lock and names the holder", {
    skip,
  }, () =>
    withProcesses(async (processes) => {
      const worker = await processes.worker(nthRuntime(1));
      const spec = kind.fresh();
      const lock = await worker.create(spec);
      await lock.take();
      await assert.rejects(kind.create(spec).acquire({ timeoutMs: 300 }), {
        code: "LOCK_TIMEOUT",
        message:
          `Cannot acquire "${spec.name}": timed out after 300 ms, held by ${hostname()} (pid ${worker.child.pid})`,
      });
      await lock.release();
    }));

  it(
    "100 aborts raced against another process's release leave the lock free each time",
    { skip },
    () =>
      withProcesses(async (processes) => {
        const worker = await processes.worker(nthRuntime(1));
        const spec = kind.fresh();
        const theirs = await worker.create(spec);
        const ours = kind.create(spec);
        for (let round = 0; round < 100; round++) {
          await theirs.take();
          const controller = new AbortController();
          const waiting = ours.acquire({ signal: controller.signal });
          const outcome = waiting.then((lease) => lease.release(), () => {});
          await turn();
          const released = theirs.release();
          // The release takes about a millisecond to be heard of here; by who
          // polls, some more.
          await sleep((round % 4) * kind.wakeMs / 200);
          for (let i = 0; i < round % 7; i++) await turn();
          controller.abort();
          await Promise.all([released, outcome]);
          const lease = await kind.create(spec).acquire({ timeoutMs: 2000 });
          await lease.release();
        }
      }),
  );
}

function testHolder(kind: Kind, skip: string | false): void {
  it(
    "lock.holder() names the holder in another process",
    { skip },
    () =>
      withProcesses(async (processes) => {
        for (const runtime of testRuntimes()) {
          const worker = await processes.worker(runtime);
          const spec = kind.fresh();
          const theirs = await worker.create(spec);
          const ours = kind.create(spec);
          assert.equal(await ours.holder(), null);
          await theirs.take();
          const holder = await ours.holder();
          assert.equal(holder?.pid, worker.child.pid, runtime.id);
          assert.equal(holder.host, hostname(), runtime.id);
          await theirs.release();
          assert.equal(await ours.holder(), null);
          const lease = await ours.acquire();
          const seen = await theirs.holder();
          assert.equal(seen?.pid, process.pid, runtime.id);
          assert.equal(seen.host, hostname(), runtime.id);
          await lease.release();
        }
      }),
  );
}

function testQueueOfOne(kind: Kind, skip: string | false): void {
  const count = kind.slow ? 500 : 10_000;
  it(
    `of ${
      count.toLocaleString("en")
    } tasks that wait for another process only the first contends outside`,
    { skip },
    () =>
      withProcesses(async (processes) => {
        const worker = await processes.worker(nthRuntime(1));
        const spec = kind.fresh();
        const theirs = await worker.create(spec);
        await theirs.take();
        await assert.rejects(kind.create(spec).acquire({ timeoutMs: 50 }));
        const before = openDescriptors();
        const ours = kind.create(spec);
        const order: number[] = [];
        const tasks = Array.from({ length: count }, async (_, i) => {
          const lease = await ours.acquire();
          order.push(i);
          await lease.release();
        });
        // Time for every task to do whatever it does outside.
        await sleep(200);
        // A connection, and for a FileLock its file.
        const most = before + (kind.kind === "FileLock" ? 2 : 1);
        await assertDescriptors(most);
        await theirs.release();
        await within(10_000, "all tasks", Promise.all(tasks));
        assert.deepEqual(order, Array.from({ length: count }, (_, i) => i));
      }),
  );
}
