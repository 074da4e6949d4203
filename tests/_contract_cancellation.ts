/** Ending a wait by an AbortSignal. */
import assert from "node:assert/strict";
import { takeAndFree } from "./_contract_threading.ts";
import type { Suite } from "./_suite.ts";
import { quantile, turn, wait } from "./_time.ts";

/** Declares the tests of cancellation. */
export function testCancellation(suite: Suite): void {
  testBefore(suite);
  testWhile(suite);
  testAfter(suite);
}

function testBefore({ fresh, twin, test }: Suite): void {
  test("an aborted signal rejects with its reason, the same object, and takes nothing", async () => {
    const lock = fresh();
    const reason = { not: "even an Error" };
    const signal = AbortSignal.abort(reason);
    const same = (error: unknown): boolean => error === reason;
    await assert.rejects(lock.acquire({ signal }), same);
    await assert.rejects(lock.tryAcquire({ signal }), same);
    await assert.rejects(lock.withLock(() => {}, { signal }), same);
    assert.equal(lock.locked, false);
    await takeAndFree(twin(lock));
  });

  test("an aborted signal wins over a timeout of 0 and over contention", async () => {
    const lock = fresh();
    const lease = await lock.acquire();
    const reason = new Error("no");
    const signal = AbortSignal.abort(reason);
    await assert.rejects(
      twin(lock).acquire({ signal, timeoutMs: 0 }),
      (error) => error === reason,
    );
    await assert.rejects(
      twin(lock).tryAcquire({ signal }),
      (error) => error === reason,
    );
    await lease.release();
  });
}

function testWhile({ fresh, twin, test }: Suite): void {
  test("lock.acquire() rejects with signal.reason within 20 ms when aborted while waiting", async () => {
    const lock = fresh();
    const lease = await lock.acquire();
    const took: number[] = [];
    for (let i = 0; i < 9; i++) {
      const controller = new AbortController();
      const reason = new Error("enough");
      const waiting = twin(lock).acquire({ signal: controller.signal });
      await (i % 2 === 0 ? wait() : turn());
      const start = performance.now();
      controller.abort(reason);
      await assert.rejects(waiting, (error) => error === reason);
      took.push(performance.now() - start);
    }
    // The median: one pause of a shared machine is no fault of the lock.
    assert.ok(quantile(took, 0.5) < 20, `took ${took} ms`);
    await lease.release();
  });

  test("lock.acquire() rejects with a DOMException when abort() has no reason", async () => {
    const lock = fresh();
    const lease = await lock.acquire();
    const controller = new AbortController();
    const waiting = twin(lock).acquire({ signal: controller.signal });
    controller.abort();
    await assert.rejects(waiting, { name: "AbortError" });
    await lease.release();
  });

  test("an aborted task leaves no place in the queue, at its head, middle or end", async () => {
    for (const place of [0, 1, 2]) {
      const lock = fresh();
      const lease = await lock.acquire();
      const controllers = [0, 1, 2].map(() => new AbortController());
      const waiting = controllers.map(({ signal }) =>
        twin(lock).acquire({ signal })
      );
      await turn();
      controllers[place]?.abort(new Error("gone"));
      await assert.rejects(waiting[place]!, { message: "gone" });
      await lease.release();
      for (const [i, promise] of waiting.entries()) {
        if (i !== place) await (await promise).release();
      }
      await takeAndFree(lock);
    }
  });

  test("one signal ends all the waits that it was given to", async () => {
    const lock = fresh();
    const lease = await lock.acquire();
    const controller = new AbortController();
    const { signal } = controller;
    const waiting = Array.from(
      { length: 50 },
      () => assert.rejects(twin(lock).acquire({ signal }), { message: "all" }),
    );
    controller.abort(new Error("all"));
    await Promise.all(waiting);
    await lease.release();
    await takeAndFree(lock);
  });
}

function testAfter({ fresh, twin, test }: Suite): void {
  test("a signal that aborts after the grant does not touch the lease", async () => {
    const lock = fresh();
    const controller = new AbortController();
    const lease = await lock.acquire({ signal: controller.signal });
    controller.abort(new Error("late"));
    await turn();
    lease.assertHeld();
    assert.equal(lease.signal.aborted, false);
    assert.equal(lock.locked, true);
    assert.equal(await twin(lock).tryAcquire(), null);
    await lease.release();
  });
}
