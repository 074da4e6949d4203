/** The queue of one process on one name. */
import assert from "node:assert/strict";
import type { Lease } from "../mod.ts";
import { takeAndFree } from "./_contract_threading.ts";
import type { Suite } from "./_suite.ts";
import { pendingAfter, turn } from "./_time.ts";

/** Declares the tests of the queue. */
export function testQueue(suite: Suite): void {
  testOrder(suite);
  testTry(suite);
}

function testOrder({ fresh, twin, test }: Suite): void {
  test("fifty tasks over several objects of one name are served in FIFO order", async () => {
    const lock = fresh();
    const objects = [lock, twin(lock), twin(lock), twin(lock)];
    const first = await lock.acquire();
    const order: number[] = [];
    let inside = 0;
    const tasks = Array.from({ length: 50 }, async (_, i) => {
      const lease = await objects[i % objects.length]!.acquire();
      assert.equal(++inside, 1, "two leases at once");
      order.push(i);
      if (i % 3 === 0) await turn();
      inside--;
      await lease.release();
    });
    await first.release();
    await Promise.all(tasks);
    assert.deepEqual(order, Array.from({ length: 50 }, (_, i) => i));
  });

  test("a task that has just released does not overtake one that waits", async () => {
    const lock = fresh();
    const order: string[] = [];
    const first = await lock.acquire();
    const waiter = twin(lock).acquire().then((lease) => {
      order.push("waiter");
      return lease.release();
    });
    await first.release();
    const again = await lock.acquire();
    order.push("releaser");
    await again.release();
    await waiter;
    assert.deepEqual(order, ["waiter", "releaser"]);
  });

  test("locks of different names do not wait for one another", async () => {
    const leases: Lease[] = [];
    for (let i = 0; i < 20; i++) {
      leases.push(await fresh().acquire({ timeoutMs: 1000 }));
    }
    for (const lease of leases) lease.assertHeld();
    await Promise.all(leases.map((lease) => lease.release()));
  });

  test("a task that waits keeps waiting while the holder holds", async () => {
    const lock = fresh();
    const lease = await lock.acquire();
    const waiting = twin(lock).acquire();
    // Longer than any period after which a lock might look again.
    assert.equal(await pendingAfter(300, waiting), true);
    await lease.release();
    await (await waiting).release();
  });
}

function testTry({ fresh, twin, test }: Suite): void {
  test("lock.tryAcquire() resolves to null while tasks of this process wait", async () => {
    const lock = fresh();
    const lease = await lock.acquire();
    const waiting = lock.acquire();
    const releasing = lease.release();
    // The lock is being handed over: the waiter's, not the newcomer's.
    assert.equal(await twin(lock).tryAcquire(), null);
    await releasing;
    const next = await waiting;
    assert.equal(await twin(lock).tryAcquire(), null);
    await next.release();
  });

  test("of many concurrent lock.tryAcquire() calls exactly one succeeds", async () => {
    for (let round = 0; round < 20; round++) {
      const lock = fresh();
      const tries = Array.from({ length: 10 }, () => twin(lock).tryAcquire());
      const leases = (await Promise.all(tries)).filter((lease) => lease);
      assert.equal(leases.length, 1, `round ${round}`);
      await leases[0]?.release();
      await takeAndFree(lock);
    }
  });

  test("a failed lock.tryAcquire() leaves no place in the queue", async () => {
    const lock = fresh();
    const lease = await lock.acquire();
    for (let i = 0; i < 10; i++) {
      assert.equal(await twin(lock).tryAcquire(), null);
    }
    await lease.release();
    const next = await twin(lock).tryAcquire();
    assert.ok(next);
    await next.release();
  });
}
