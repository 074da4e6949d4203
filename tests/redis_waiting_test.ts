/** RedisLock's queue between processes: its order, its cost, and the dead. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { RedisLock } from "../mod.ts";
import { uniqueName } from "./_names.ts";
import { type Processes, withProcesses } from "./_processes.ts";
import { noRedis, RedisProcess } from "./_redis.ts";
import { longRun, nthRuntime } from "./_runtimes.ts";
import { until, within } from "./_time.ts";
import type { RemoteLock, RemoteWait, Worker } from "./_worker.ts";
import type { LockSpec } from "./fixtures/protocol.ts";

const skip = noRedis();
let server: RedisProcess;

before(async () => {
  if (!skip) server = await RedisProcess.start();
});
after(() => server?.end());

const TTL_MS = 2000;
// 50 processes take half a minute to start on two cores.
const PROCESSES = longRun() ? 50 : 10;

interface Waiter {
  worker: Worker;
  lock: RemoteLock;
  wait: RemoteWait;
}

function freshSpec(): LockSpec {
  const options = { hosts: server.host, ttlMs: TTL_MS };
  return { kind: "RedisLock", name: uniqueName(), options };
}

/** Starts processes that wait, one after the other in the queue. */
async function startWaiters(
  processes: Processes,
  spec: LockSpec,
  count: number,
): Promise<Waiter[]> {
  const waiters: Waiter[] = [];
  for (let from = 0; from < count; from += 5) {
    const batch = Array.from({ length: Math.min(5, count - from) }, (_, i) => {
      return processes.worker(nthRuntime(from + i));
    });
    for (const worker of await Promise.all(batch)) {
      const lock = await worker.create(spec);
      const wait = lock.acquire();
      waiters.push({ worker, lock, wait });
      await until("a place", async () => {
        const key = `locking:{${spec.name}}:queue`;
        return await server.command("ZCARD", key) === waiters.length;
      });
    }
  }
  return waiters;
}

describe("RedisLock between many processes", () => {
  it(
    `${PROCESSES} waiting processes are served in order, at three commands a grant at the most`,
    {
      skip,
    },
    () =>
      withProcesses(async (processes) => {
        const spec = freshSpec();
        const lease = await new RedisLock(spec.name, spec.options).acquire();
        const waiters = await startWaiters(processes, spec, PROCESSES);
        const granted: number[] = [];
        const served = waiters.map(async ({ lock, wait }, i) => {
          await wait.granted;
          granted.push(i);
          await lock.release();
        });
        const before = await commands();
        await lease.release();
        await within(20_000, "all grants", Promise.all(served));
        const each = (await commands() - before) / PROCESSES;
        assert.deepEqual(granted, waiters.map((_, i) => i));
        if (longRun()) console.log(`${each} commands a grant`);
        assert.ok(each <= 3, `${each} commands a grant`);
      }),
  );

  it("a third of the waiters killed cost one time to live in all at the most", {
    skip,
  }, () =>
    withProcesses(async (processes) => {
      const spec = freshSpec();
      const lease = await new RedisLock(spec.name, spec.options).acquire();
      const waiters = await startWaiters(processes, spec, PROCESSES);
      const isDead = (i: number): boolean => i % 3 === 0;
      const dead = waiters.filter((_, i) => isDead(i));
      const live = waiters.filter((_, i) => !isDead(i));
      await Promise.all(dead.map(({ worker }) => worker.child.end()));
      const granted: Waiter[] = [];
      const served = live.map(async (waiter) => {
        await waiter.wait.granted;
        granted.push(waiter);
        await waiter.lock.release();
      });
      const began = performance.now();
      await lease.release();
      await within(20_000, "all grants", Promise.all(served));
      const ms = performance.now() - began;
      if (longRun()) console.log(`${dead.length} dead waiters: ${ms} ms`);
      assert.deepEqual(granted, live);
      assert.ok(ms < TTL_MS, `${ms} ms`);
    }));

  it("a waiter that is stopped costs the others one time to live at the most", {
    skip,
  }, () =>
    withProcesses(async (processes) => {
      const spec = freshSpec();
      const lease = await new RedisLock(spec.name, spec.options).acquire();
      const [stopped, next] = await startWaiters(processes, spec, 2);
      stopped!.worker.child.signal("SIGSTOP");
      await lease.release();
      await within(TTL_MS + 500, "the next grant", next!.wait.granted);
      stopped!.worker.child.signal("SIGCONT");
      await next!.lock.assertHeld();
      await next!.lock.release();
      await within(TTL_MS, "the stopped one's grant", stopped!.wait.granted);
      await stopped!.lock.assertHeld();
      await stopped!.lock.release();
    }));

  it("a newcomer does not overtake those who wait, nor does the releaser", {
    skip,
  }, () =>
    withProcesses(async (processes) => {
      const spec = freshSpec();
      const ours = new RedisLock(spec.name, spec.options);
      const lease = await ours.acquire();
      const [waiter] = await startWaiters(processes, spec, 1);
      const order: string[] = [];
      const served = waiter!.wait.granted.then(async () => {
        order.push("waiter");
        await waiter!.lock.release();
      });
      const released = lease.release();
      const again = ours.acquire().then(async (lease) => {
        order.push("releaser");
        await lease.release();
      });
      await within(5000, "both", Promise.all([released, served, again]));
      assert.deepEqual(order, ["waiter", "releaser"]);
    }));

  it(
    "1,000 waiting tasks of one process take turns with another process, at three commands a grant",
    {
      skip,
    },
    () =>
      withProcesses(async (processes) => {
        const spec = freshSpec();
        const ours = new RedisLock(spec.name, spec.options);
        const lease = await ours.acquire();
        const [waiter] = await startWaiters(processes, spec, 1);
        const order: number[] = [];
        const tasks = Array.from({ length: 1000 }, async (_, i) => {
          const mine = await ours.acquire();
          order.push(i);
          await mine.release();
        });
        const theirs = waiter!.wait.granted.then(() => {
          order.push(-1);
          return waiter!.lock.release();
        });
        const before = await commands();
        await lease.release();
        await within(20_000, "all", Promise.all([...tasks, theirs]));
        const each = (await commands() - before) / 1001;
        assert.deepEqual(order, [-1, ...tasks.map((_, i) => i)]);
        assert.ok(each <= 3, `${each} commands a grant`);
      }),
  );

  it("waiting costs about a command a second, and nothing is left behind", {
    skip,
  }, () =>
    withProcesses(async (processes) => {
      const spec = freshSpec();
      const lease = await new RedisLock(spec.name, spec.options).acquire();
      const [waiter] = await startWaiters(processes, spec, 1);
      const before = await commands();
      await new Promise((resolve) => setTimeout(resolve, 3000));
      // Refreshes of the waiter, at least three per time to live, and the
      // holder's heartbeats.
      assert.ok(await commands() - before <= 10);
      await lease.release();
      await waiter!.wait.granted;
      await waiter!.lock.release();
      const keys = await server.keys(`locking:{${spec.name}}*`);
      assert.deepEqual(keys, [`locking:{${spec.name}}:fence`]);
      assert.ok(Number(await server.command("PTTL", keys[0]!)) > 0);
    }));
});

/** What clients asked of the server for their locks. */
function commands(): Promise<number> {
  return server.calls("evalsha", "eval", "subscribe", "unsubscribe");
}
