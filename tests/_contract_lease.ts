/** The lease and the lock's own state: what can be asked and given back. */
import assert from "node:assert/strict";
import process from "node:process";
import type { Lease, LockError, LockLostError } from "../mod.ts";
import { takeAndFree } from "./_contract_threading.ts";
import { hostPattern } from "./_platform.ts";
import type { Suite } from "./_suite.ts";
import { turn } from "./_time.ts";

/** Declares the tests of leases, `release()`, `locked` and `holder()`. */
export function testLease(suite: Suite): void {
  testRelease(suite);
  testUnheldRelease(suite);
  testLeaseState(suite);
  testLockState(suite);
}

function testRelease({ fresh, twin, test }: Suite): void {
  test("lease.release() is idempotent, also while it is under way", async () => {
    const lock = fresh();
    const lease = await lock.acquire();
    await Promise.all([lease.release(), lease.release()]);
    await lease.release();
    await takeAndFree(twin(lock));
  });

  test("a late lease.release() never touches the successor's lock", async () => {
    const lock = fresh();
    const old = await lock.acquire();
    await old.release();
    const next = await lock.acquire();
    await old.release();
    await turn();
    next.assertHeld();
    assert.equal(lock.locked, true);
    assert.equal(await twin(lock).tryAcquire(), null);
    await next.release();
  });

  test("lease[Symbol.asyncDispose]() releases, and bears a release before", async () => {
    const lock = fresh();
    const lease = await lock.acquire();
    await lease[Symbol.asyncDispose]();
    await takeAndFree(twin(lock));
    await lease[Symbol.asyncDispose]();
  });

  test("a lock is free for tryAcquire() as soon as release() has settled", async () => {
    const lock = fresh();
    for (let i = 0; i < 50; i++) {
      const lease = await lock.tryAcquire();
      assert.ok(lease, `round ${i}`);
      await lease.release();
    }
  });
}

function testUnheldRelease({ fresh, twin, test }: Suite): void {
  test("lock.release() without a lease rejects with LOCK_NOT_HELD", async () => {
    const lock = fresh();
    await assertNotHeld(lock.release(), lock.name);
    const lease = await lock.acquire();
    await lease.release();
    await assertNotHeld(lock.release(), lock.name);
  });

  test("lock.release() of an object that holds none leaves the holder alone", async () => {
    const lock = fresh();
    const lease = await lock.acquire();
    await assertNotHeld(twin(lock).release(), lock.name);
    lease.assertHeld();
    assert.equal(await twin(lock).tryAcquire(), null);
    await lock.release();
  });

  // The Python original's RedisLock: the next lock vanishes.
  test("a lock.release() too many does not harm the next acquire()", async () => {
    const lock = fresh();
    await assertNotHeld(lock.release(), lock.name);
    const lease = await lock.acquire();
    lease.assertHeld();
    assert.equal(await twin(lock).tryAcquire(), null);
    await lock.release();
  });
}

async function assertNotHeld(
  promise: Promise<void>,
  lockName: string,
): Promise<void> {
  await assert.rejects(promise, (error: LockError) => {
    assert.equal(error.name, "LockError");
    assert.equal(error.code, "LOCK_NOT_HELD");
    assert.equal(error.lockName, lockName);
    return true;
  });
}

function testLeaseState({ fresh, test, capabilities }: Suite): void {
  test("a lease carries its lock's name, a live signal and its token", async () => {
    const lock = fresh();
    const lease = await lock.acquire();
    assert.equal(lease.lockName, lock.name);
    assert.equal(lease.signal.aborted, false);
    const type = capabilities.fencing ? "bigint" : "object";
    assert.equal(typeof lease.fencingToken, type);
    if (!capabilities.fencing) assert.equal(lease.fencingToken, null);
    lease.assertHeld();
    await lease.release();
  });

  test("lease.assertHeld() throws LOCK_LOST once released", async () => {
    const lock = fresh();
    const lease = await lock.acquire();
    await lease.release();
    assertLost(lease, lock.name);
    const next = await lock.acquire();
    assertLost(lease, lock.name);
    next.assertHeld();
    await next.release();
  });

  test("lease.signal is not aborted by a release", async () => {
    const lock = fresh();
    const lease = await lock.acquire();
    await lease.release();
    await takeAndFree(lock);
    await turn();
    assert.equal(lease.signal.aborted, false);
  });

  test("fencing tokens strictly increase", async () => {
    const lock = fresh();
    let last = -1n;
    for (let i = 0; i < 5; i++) {
      const { fencingToken } = await lock.acquire();
      assert.ok(fencingToken !== null && fencingToken > last);
      last = fencingToken;
      await lock.release();
    }
  }, capabilities.fencing ? false : "one-host locks have no fencing tokens");
}

function assertLost(lease: Lease, lockName: string): void {
  assert.throws(() => lease.assertHeld(), (error: LockLostError) => {
    assert.equal(error.name, "LockLostError");
    assert.equal(error.code, "LOCK_LOST");
    assert.equal(error.lockName, lockName);
    return true;
  });
}

function testLockState({ fresh, twin, test }: Suite): void {
  test("lock.locked tells of this object's lease, not of another's", async () => {
    const lock = fresh();
    const other = twin(lock);
    assert.equal(lock.locked, false);
    const lease = await lock.acquire();
    assert.equal(lock.locked, true);
    assert.equal(other.locked, false);
    const waiting = other.acquire();
    await lease.release();
    assert.equal(lock.locked, false);
    await waiting;
    assert.equal(other.locked, true);
    assert.equal(lock.locked, false);
    await other.release();
  });

  test("lock.holder() resolves to null when the lock is free", async () => {
    const lock = fresh();
    assert.equal(await lock.holder(), null);
    await takeAndFree(lock);
    assert.equal(await lock.holder(), null);
  });

  test("lock.holder() names this process while a task of it holds", async () => {
    const lock = fresh();
    const before = Date.now();
    const lease = await lock.acquire();
    for (const object of [lock, twin(lock)]) {
      const holder = await object.holder();
      assert.equal(holder?.pid, process.pid);
      assert.match(holder.host, new RegExp(`^${hostPattern()}$`));
      const at = holder.acquiredAt?.getTime() ?? before;
      assert.ok(at >= before - 1000 && at <= Date.now() + 1000);
    }
    await lease.release();
    assert.equal(await lock.holder(), null);
  });

  test("lock.holder() does not disturb the holder or the lock", async () => {
    const lock = fresh();
    const lease = await lock.acquire();
    await Promise.all(Array.from({ length: 20 }, () => twin(lock).holder()));
    lease.assertHeld();
    await lease.release();
    const asking = Array.from({ length: 20 }, () => twin(lock).holder());
    const next = await lock.tryAcquire();
    assert.ok(next, "asking for the holder of a free lock must not take it");
    await Promise.all(asking);
    await next.release();
  });
}
