/** Waiting for a limited time. */
import assert from "node:assert/strict";
import process from "node:process";
import type { LockTimeoutError } from "../mod.ts";
import { takeAndFree } from "./_contract_threading.ts";
import { hostPattern } from "./_platform.ts";
import type { Suite } from "./_suite.ts";
import { pendingAfter, timed } from "./_time.ts";

/** Declares the tests of timeouts. */
export function testTimeouts(suite: Suite): void {
  testErrors(suite);
  testLengths(suite);
}

function testErrors({ fresh, twin, test }: Suite): void {
  test("LockTimeoutError says which lock, how long and who holds it", async () => {
    const lock = fresh();
    const lease = await lock.acquire();
    const waiting = twin(lock).acquire({ timeoutMs: 30 });
    await assert.rejects(waiting, (error: LockTimeoutError) => {
      assert.equal(error.name, "LockTimeoutError");
      assert.equal(error.code, "LOCK_TIMEOUT");
      assert.equal(error.lockName, lock.name);
      const [message = "", holder = ""] = error.message.split(", held by ");
      assert.equal(
        message,
        `Cannot acquire "${lock.name}": timed out after 30 ms`,
      );
      const expected = `^${hostPattern()} \\(pid ${process.pid}\\)$`;
      assert.match(holder, new RegExp(expected));
      return true;
    });
    await lease.release();
  });

  // The Python original's DynamoLock blocks for ever.
  test("timeoutMs 0 makes one attempt: LOCK_TIMEOUT at once, or the lease", async () => {
    const lock = fresh();
    const lease = await lock.acquire({ timeoutMs: 0 });
    const { ms, error } = await timed(() =>
      twin(lock).acquire({ timeoutMs: 0 })
    );
    assert.equal((error as { code?: string }).code, "LOCK_TIMEOUT");
    assert.ok(ms < 500, `took ${ms} ms`);
    await lease.release();
    await takeAndFree(lock);
  });

  test("a timed-out task leaves no place in the queue", async () => {
    const lock = fresh();
    const lease = await lock.acquire();
    const impatient = twin(lock).acquire({ timeoutMs: 5 });
    const patient = twin(lock).acquire({ timeoutMs: 5000 });
    await assert.rejects(impatient, { code: "LOCK_TIMEOUT" });
    await lease.release();
    await (await patient).release();
    await takeAndFree(lock);
  });

  // The Python original's SocketLock raises at once under contention.
  test("a task with a timeout gets a lock that is released in time", async () => {
    const lock = fresh();
    const lease = await lock.acquire();
    const waiting = twin(lock).acquire({ timeoutMs: 5000 });
    assert.equal(await pendingAfter(50, waiting), true);
    await lease.release();
    await (await waiting).release();
  });
}

function testLengths({ fresh, twin, test }: Suite): void {
  // setTimeout fires after 1 ms beyond 2^31-1 ms.
  for (const timeoutMs of [2 ** 31 - 1, 2 ** 31, 2 ** 32 + 1, 2 ** 53, 1e300]) {
    test(`timeoutMs ${timeoutMs} does not run out at once`, async () => {
      const lock = fresh();
      const lease = await lock.acquire();
      const waiting = twin(lock).acquire({ timeoutMs });
      assert.equal(await pendingAfter(50, waiting), true);
      await lease.release();
      await (await waiting).release();
    });
  }

  test("timeouts run out in their own order, not in the queue's", async () => {
    const lock = fresh();
    const lease = await lock.acquire();
    const order: number[] = [];
    const tasks = [120, 60, 10].map((timeoutMs) =>
      assert.rejects(twin(lock).acquire({ timeoutMs })).then(() => {
        order.push(timeoutMs);
      })
    );
    await Promise.all(tasks);
    assert.deepEqual(order, [10, 60, 120]);
    await lease.release();
  });
}
