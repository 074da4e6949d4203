/** `lock.withLock()`: a critical section as a callback. */
import assert from "node:assert/strict";
import { takeAndFree } from "./_contract_threading.ts";
import type { Suite } from "./_suite.ts";
import { sleep } from "./_time.ts";

/** Declares the tests of `withLock`. */
export function testWithLock(suite: Suite): void {
  testResults(suite);
  testErrors(suite);
}

function testResults({ fresh, twin, test }: Suite): void {
  test("lock.withLock() resolves to what the callback returns, now or later", async () => {
    const lock = fresh();
    assert.equal(await lock.withLock(() => 42), 42);
    assert.equal(
      await lock.withLock(async () => await Promise.resolve(43)),
      43,
    );
    assert.equal(await lock.withLock(() => undefined), undefined);
  });

  test("lock.withLock() hands its callback a live lease of the lock", async () => {
    const lock = fresh();
    await lock.withLock(async (lease) => {
      assert.equal(lease.lockName, lock.name);
      assert.equal(lock.locked, true);
      lease.assertHeld();
      assert.equal(await twin(lock).tryAcquire(), null);
    });
    assert.equal(lock.locked, false);
  });

  test("lock.withLock() has released when it settles", async () => {
    const lock = fresh();
    for (let i = 0; i < 20; i++) {
      await lock.withLock(() => {});
      const lease = await twin(lock).tryAcquire();
      assert.ok(lease, `round ${i}`);
      await lease.release();
    }
  });

  test("lock.withLock() callbacks never overlap", async () => {
    const lock = fresh();
    let inside = 0;
    let most = 0;
    const section = async (): Promise<void> => {
      most = Math.max(most, ++inside);
      await sleep(1);
      inside--;
    };
    await Promise.all(
      Array.from({ length: 20 }, () => twin(lock).withLock(section)),
    );
    assert.equal(most, 1);
  });

  test("lock.withLock() bears a lease that its callback has released", async () => {
    const lock = fresh();
    const result = await lock.withLock(async (lease) => {
      await lease.release();
      return "done";
    });
    assert.equal(result, "done");
    await takeAndFree(lock);
  });
}

function testErrors({ fresh, twin, test }: Suite): void {
  test("lock.withLock() rethrows the callback's error, the same object, and releases", async () => {
    const lock = fresh();
    const error = new Error("the callback's");
    const same = (caught: unknown): boolean => caught === error;
    const fail = (): never => {
      throw error;
    };
    await assert.rejects(lock.withLock(fail), same);
    await assert.rejects(lock.withLock(() => Promise.reject(error)), same);
    await takeAndFree(twin(lock));
  });

  test("lock.withLock() rethrows even undefined", async () => {
    const lock = fresh();
    const outcome = lock.withLock(() => Promise.reject(undefined)).then(
      () => "resolved",
      (reason) => reason,
    );
    assert.equal(await outcome, undefined);
    await takeAndFree(twin(lock));
  });

  test("lock.withLock() does not call back when it times out or is aborted", async () => {
    const lock = fresh();
    await lock.acquire();
    let calls = 0;
    const count = (): void => void calls++;
    await assert.rejects(twin(lock).withLock(count, { timeoutMs: 5 }), {
      code: "LOCK_TIMEOUT",
    });
    const reason = new Error("no more");
    const signal = AbortSignal.abort(reason);
    await assert.rejects(
      twin(lock).withLock(count, { signal }),
      (error) => error === reason,
    );
    await lock.release();
    assert.equal(calls, 0);
  });

  test("lock.withLock() releases although its signal aborts meanwhile", async () => {
    const lock = fresh();
    const controller = new AbortController();
    const result = await lock.withLock(() => {
      controller.abort(new Error("too late"));
      return "done";
    }, { signal: controller.signal });
    assert.equal(result, "done");
    await takeAndFree(twin(lock));
  });
}
