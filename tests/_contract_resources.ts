/** What a lock may use and must give back. */
import assert from "node:assert/strict";
import { takeAndFree } from "./_contract_threading.ts";
import {
  assertDescriptors,
  noDescriptors,
  openDescriptors,
  spyListeners,
  spyTimers,
} from "./_spies.ts";
import type { Capabilities, Suite } from "./_suite.ts";
import { turn } from "./_time.ts";

function manyTimes({ slow }: Capabilities): number {
  return slow ? 500 : 10_000;
}

// Shared by all grants and waits of the process, however many there are: one for
// timeouts; of leases, one each for their ends, their heartbeats, the machine's
// sleep, and the requests that somebody or nobody waits for. The driver of a
// slow one sets some of its own for each request under way.
function mostTimers({ remote, slow }: Capabilities): number {
  return slow ? 12 : remote ? 6 : 1;
}

/** Declares the tests of resources. */
export function testResources(suite: Suite): void {
  testCycles(suite);
  testManyTasks(suite);
  testAbandoned(suite);
}

function testCycles({ fresh, test, capabilities }: Suite): void {
  const many = manyTimes(capabilities);
  test(
    `${
      many.toLocaleString("en")
    } acquire-release cycles leave no descriptor, timer or listener behind`,
    async () => {
      const lock = fresh();
      const { signal } = new AbortController();
      // The first use may load a library or open what is kept for good.
      for (let i = 0; i < 10; i++) await takeAndFree(lock);
      const listeners = spyListeners(signal);
      const timers = spyTimers();
      const before = openDescriptors();
      try {
        for (let i = 0; i < many; i++) {
          const lease = await lock.acquire({ signal, timeoutMs: 60_000 });
          await lease.release();
        }
        await assertDescriptors(before);
        assert.ok(timers.live() <= mostTimers(capabilities), "timers");
        assert.equal(listeners.live(), 0, "listeners");
      } finally {
        timers.stop();
        listeners.stop();
      }
    },
    noDescriptors(),
  );
}

function testManyTasks({ fresh, twin, test, capabilities }: Suite): void {
  const many = manyTimes(capabilities);
  test(
    `${
      many.toLocaleString("en")
    } waiting tasks are served in FIFO order with at most one more descriptor and timer`,
    async () => {
      const lock = fresh();
      for (let i = 0; i < 10; i++) await takeAndFree(lock);
      const timers = spyTimers();
      const lease = await lock.acquire();
      const before = { fds: openDescriptors(), timers: timers.live() };
      const order: number[] = [];
      const tasks = Array.from({ length: many }, async (_, i) => {
        const object = i % 2 === 0 ? lock : twin(lock);
        const options = i % 3 === 0 ? { timeoutMs: 60_000 + i } : {};
        const mine = await object.acquire(options);
        order.push(i);
        await mine.release();
      });
      try {
        for (let i = 0; i < 10; i++) await turn();
        assert.ok(
          timers.peak() <= before.timers + mostTimers(capabilities),
          "timers",
        );
        await assertDescriptors(before.fds + 1);
      } finally {
        timers.stop();
        await lease.release();
        await Promise.all(tasks);
      }
      assert.deepEqual(order, Array.from({ length: many }, (_, i) => i));
      await assertDescriptors(before.fds - (capabilities.remote ? 0 : 1));
    },
    noDescriptors(),
  );
}

function testAbandoned({ fresh, twin, test, capabilities }: Suite): void {
  test(
    "waits that time out or are aborted leave no descriptor, timer or listener behind",
    async () => {
      const lock = fresh();
      const controller = new AbortController();
      const { signal } = controller;
      await takeAndFree(lock);
      const listeners = spyListeners(signal);
      const timers = spyTimers();
      const before = openDescriptors();
      try {
        const lease = await lock.acquire();
        const timeouts = Array.from(
          { length: 500 },
          (_, i) =>
            assert.rejects(twin(lock).acquire({ signal, timeoutMs: i % 20 })),
        );
        await Promise.all(timeouts);
        assert.equal(listeners.live(), 0, "listeners after timeouts");
        const aborts = Array.from(
          { length: 500 },
          () =>
            assert.rejects(twin(lock).acquire({ signal, timeoutMs: 60_000 })),
        );
        controller.abort(new Error("enough"));
        await Promise.all(aborts);
        await lease.release();
        assert.equal(listeners.live(), 0, "listeners after aborts");
        assert.ok(timers.live() <= mostTimers(capabilities), "timers");
        await assertDescriptors(before);
      } finally {
        timers.stop();
        listeners.stop();
      }
    },
    noDescriptors(),
  );
}
