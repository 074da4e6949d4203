/**
 * The behaviours that CPython's `Lib/test/lock_tests.py` asks of a
 * non-reentrant lock (`BaseLockTests` and `LockTests`), each under its name
 * there; a task stands for a thread.
 */
import assert from "node:assert/strict";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Lease, Lock } from "../mod.ts";
import { assertDescriptors, noDescriptors, openDescriptors } from "./_spies.ts";
import type { Suite } from "./_suite.ts";
import { timed, wait } from "./_time.ts";

/** Declares the counterparts of CPython's tests. */
export function testThreadingLock(suite: Suite): void {
  testBasics(suite);
  testContention(suite);
  testTimeout(suite);
  testOrderOfUse(suite);
}

function testBasics({ fresh, twin, create, test }: Suite): void {
  // BaseLockTests.test_constructor
  test("new Lock() makes a free lock of its name", () => {
    const name = fresh().name;
    const lock = create(name);
    assert.equal(lock.name, name);
    assert.equal(lock.locked, false);
  });

  // BaseLockTests.test_repr
  test("String(lock) describes the lock, held or free", async () => {
    const lock = fresh();
    assert.equal(typeof String(lock), "string");
    const lease = await lock.acquire();
    assert.equal(typeof String(lock), "string");
    await lease.release();
  });

  // BaseLockTests.test_acquire_destroy; in the Python original a dropped
  // reference releases, here nothing does but release() and the process's end.
  test("a held lock stays held when its objects are dropped", async () => {
    const { name } = fresh();
    await (async (): Promise<void> => void await create(name).acquire())();
    await collectGarbage();
    assert.equal(await create(name).tryAcquire(), null);
  });

  // BaseLockTests.test_acquire_release
  test("lock.release() frees what lock.acquire() took", async () => {
    const lock = fresh();
    await lock.acquire();
    assert.equal(lock.locked, true);
    await lock.release();
    assert.equal(lock.locked, false);
    await takeAndFree(twin(lock));
  });

  // BaseLockTests.test_try_acquire
  test("lock.tryAcquire() takes a free lock", async () => {
    const lock = fresh();
    const lease = await lock.tryAcquire();
    assert.ok(lease);
    await lock.release();
  });
}

function testContention({ fresh, twin, test }: Suite): void {
  // BaseLockTests.test_try_acquire_contended
  test("lock.tryAcquire() resolves to null while another holds", async () => {
    const lock = fresh();
    await lock.acquire();
    assert.equal(await lock.tryAcquire(), null);
    assert.equal(await twin(lock).tryAcquire(), null);
    await lock.release();
  });

  // BaseLockTests.test_acquire_contended
  test("five waiting tasks are all served once the holder releases", async () => {
    const lock = fresh();
    await lock.acquire();
    let finished = 0;
    const tasks = Array.from({ length: 5 }, async () => {
      await takeAndFree(twin(lock));
      finished++;
    });
    await wait();
    assert.equal(finished, 0);
    await lock.release();
    await Promise.all(tasks);
    assert.equal(finished, 5);
  });

  // BaseLockTests.test_with
  test("lock.withLock() leaves the lock free, whether it returns or throws", async () => {
    const lock = fresh();
    await lock.withLock(() => {});
    await takeAndFree(twin(lock));
    const failing = lock.withLock(() => {
      throw new TypeError("from the callback");
    });
    await assert.rejects(failing, TypeError);
    await takeAndFree(twin(lock));
  });

  // BaseLockTests.test_thread_leak; what could leak here is a descriptor.
  test("fifteen tasks that acquire and release leak nothing", async () => {
    const lock = fresh();
    await takeAndFree(lock);
    const before = openDescriptors();
    await Promise.all(
      Array.from({ length: 15 }, () => takeAndFree(twin(lock))),
    );
    await assertDescriptors(before);
  }, noDescriptors());
}

function testTimeout({ fresh, twin, test, capabilities }: Suite): void {
  // BaseLockTests.test_timeout, its first half
  for (const timeoutMs of [-100, -1e-9, -Infinity, NaN, "5", null, 5n]) {
    test(`lock.acquire() rejects timeoutMs ${shown(timeoutMs)} with a RangeError`, async () => {
      const lock = fresh();
      const options = { timeoutMs: timeoutMs as number };
      await assert.rejects(async () => await lock.acquire(options), RangeError);
      await assert.rejects(
        async () => await lock.withLock(() => {}, options),
        RangeError,
      );
      await takeAndFree(twin(lock));
    });
  }

  // A server's answer may take longer than the shortest of them.
  const short = capabilities.remote ? [] : [0.5];
  for (const timeoutMs of [0, ...short, 5000, 2 ** 31, 2 ** 40, Infinity]) {
    test(`lock.acquire() of a free lock takes timeoutMs ${timeoutMs} and does not wait`, async () => {
      const lock = fresh();
      const { ms, value } = await timed(() => lock.acquire({ timeoutMs }));
      assert.ok(value);
      assert.ok(ms < 1000, `took ${ms} ms`);
      await value.release();
    });
  }

  // BaseLockTests.test_timeout, its second half, with its sanity bounds
  test("lock.acquire() gives up after about its timeout", async () => {
    const lock = fresh();
    await lock.acquire();
    const waiting = () => twin(lock).acquire({ timeoutMs: 500 });
    const { ms, error } = await timed(waiting);
    assert.equal((error as { code?: string }).code, "LOCK_TIMEOUT");
    assert.ok(ms >= 500 * 0.6 && ms < 500 * 10, `took ${ms} ms`);
    await lock.release();
  });
}

function testOrderOfUse({ fresh, test }: Suite): void {
  // LockTests.test_reacquire
  test("a second lock.acquire() of one task waits for a release: not reentrant", async () => {
    const lock = fresh();
    let phase = 0;
    const task = (async (): Promise<void> => {
      await lock.acquire();
      phase++;
      await lock.acquire();
      phase++;
    })();
    while (phase === 0) await wait();
    await wait();
    assert.equal(phase, 1);
    await lock.release();
    await task;
    assert.equal(phase, 2);
    await lock.release();
  });

  // LockTests.test_different_thread
  test("a task can release what another task acquired", async () => {
    const lock = fresh();
    await lock.acquire();
    await Promise.resolve().then(() => lock.release());
    await takeAndFree(lock);
  });

  // LockTests.test_state_after_timeout (bpo-11618)
  test("a lock is sound after a timeout: free once released, and to be had", async () => {
    const lock = fresh();
    await lock.acquire();
    await assert.rejects(lock.acquire({ timeoutMs: 10 }), {
      code: "LOCK_TIMEOUT",
    });
    assert.equal(lock.locked, true);
    await lock.release();
    assert.equal(lock.locked, false);
    const lease = await lock.tryAcquire();
    assert.ok(lease);
    await lease.release();
  });
}

/** Acquires, waiting if need be, and releases: shows that a lock gets free. */
export async function takeAndFree(lock: Lock): Promise<void> {
  const lease: Lease = await lock.acquire({ timeoutMs: 5000 });
  lease.assertHeld();
  await lease.release();
}

async function collectGarbage(): Promise<void> {
  const collect = collector();
  for (let i = 0; i < 10; i++) {
    collect();
    await wait();
  }
}

function collector(): () => void {
  const { Bun } = globalThis as { Bun?: { gc(force: boolean): void } };
  if (Bun) return () => Bun.gc(true);
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}

function shown(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
