/** DynamoLock's leases: dead and stopped holders, wrong clocks, many cycles. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe } from "node:test";
import { DynamoLock, type DynamoLockOptions } from "../mod.ts";
import { dynamoTest, fileDynamo, noDynalite } from "./_dynamo.ts";
import { noFaketime, shifted } from "./_faketime.ts";
import { isAcquire, withProxy } from "./_dynamo_locks.ts";
import { makeDirectory, removeDirectory, uniqueName } from "./_names.ts";
import { withProcesses } from "./_processes.ts";
import { currentRuntime, longRun, nthRuntime } from "./_runtimes.ts";
import { testStoppedHolder } from "./_stopped_holder.ts";
import { sleep, within } from "./_time.ts";
import type { LockSpec } from "./fixtures/protocol.ts";
import type { Worker } from "./_worker.ts";

const TERMS = { ttlMs: 600, heartbeatIntervalMs: 200 };

// The longest pause between two looks at a lock.
const POLL_MS = 1000;

// A machine that others use, too, is late by so much now and then.
const LATE_MS = 500;

const file = fileDynamo("dynalite");
const directory = makeDirectory();
after(() => removeDirectory(directory));

function specOf(name: string): LockSpec {
  const options = { endpoint: file.own.endpoint, ...TERMS };
  return { kind: "DynamoLock", name, options };
}

function create(name: string, options: DynamoLockOptions = {}): DynamoLock {
  const all = { endpoint: file.own.endpoint, ...TERMS, ...options };
  return new DynamoLock(name, all);
}

describe("DynamoLock of a holder that is stopped past its time to live", () => {
  testStoppedHolder(specOf, noDynalite());
});

/** When an item's last heartbeat was, on this process's clock. */
async function lastBeat(name: string): Promise<number> {
  const item = await file.own.get(name);
  const wall = Number(item?.expiry?.N) * 1000 - TERMS.ttlMs;
  return performance.now() - (Date.now() - wall);
}

async function assertTakenOver(worker: Worker, name: string): Promise<void> {
  const waiting = create(name).acquire();
  // Long enough to see it renewed.
  await sleep(2 * TERMS.heartbeatIntervalMs);
  worker.child.signal("SIGKILL");
  await within(5000, "its end", worker.child.exited);
  const beat = await lastBeat(name);
  const lease = await within(5000, "the grant", waiting);
  const ms = performance.now() - beat;
  assert.ok(ms >= TERMS.ttlMs - 5, `${ms} ms after its last heartbeat`);
  assert.ok(ms <= TERMS.ttlMs + POLL_MS + LATE_MS, `${ms} ms`);
  await lease.release();
}

describe("DynamoLock of a holder that is killed", () => {
  dynamoTest(
    "is taken over one time to live after its last heartbeat, and a poll at the most",
    () =>
      withProcesses(async (processes) => {
        for (let round = 0; round < 3; round++) {
          const worker = await processes.worker(nthRuntime(round));
          const name = uniqueName();
          await (await worker.create(specOf(name))).take();
          await assertTakenOver(worker, name);
        }
      }),
  );

  dynamoTest(
    "is found dead by one who only tries now and then",
    () =>
      withProcesses(async (processes) => {
        const worker = await processes.worker();
        const name = uniqueName();
        await (await worker.create(specOf(name))).take();
        worker.child.signal("SIGKILL");
        await within(5000, "its end", worker.child.exited);
        assert.equal(await create(name).tryAcquire(), null);
        await sleep(TERMS.ttlMs / 2);
        assert.equal(await create(name).tryAcquire(), null);
        await sleep(TERMS.ttlMs / 2 + 10);
        assert.equal(await create(name).holder(), null);
        const lease = await create(name).tryAcquire();
        assert.ok(lease, "dead, and seen to be");
        await lease.release();
      }),
  );
});

describe("DynamoLock of hosts whose clocks are an hour apart", () => {
  const skip = noDynalite() || noFaketime();
  const shifts = ["+1h", "-1h", "+0", "+1h"];

  dynamoTest(
    "keeps 4 processes apart, and loses no lease",
    () =>
      withProcesses(async (processes) => {
        const counter = join(directory, "clocks");
        writeFileSync(counter, "0");
        const spec = specOf(uniqueName());
        const rounds = longRun() ? 100 : 12;
        const counts = shifts.map(async (by, i) => {
          const worker = await processes.worker(shifted(nthRuntime(i), by));
          return (await worker.create(spec)).count(counter, rounds);
        });
        const overlaps = await within(50_000, "the count", Promise.all(counts));
        assert.deepEqual(overlaps, [0, 0, 0, 0]);
        assert.equal(readFileSync(counter, "utf8"), String(4 * rounds));
      }),
    skip,
  );

  for (const by of ["+1h", "-1h"]) {
    dynamoTest(
      `a holder at ${by} keeps its lock while it lives, and not longer`,
      () =>
        withProcesses(async (processes) => {
          const runtime = shifted(nthRuntime(1), by);
          const worker = await processes.worker(runtime);
          const name = uniqueName();
          const theirs = await worker.create(specOf(name));
          await theirs.take();
          await assert.rejects(
            create(name).acquire({ timeoutMs: 2 * TERMS.ttlMs }),
            { code: "LOCK_TIMEOUT" },
          );
          await theirs.assertHeld();
          // What it writes is true time all the same: others rely on it.
          const item = await file.own.get(name);
          const leftMs = Number(item?.expiry?.N) * 1000 - Date.now();
          assert.ok(Math.abs(leftMs) < TERMS.ttlMs + 2000, `${leftMs} ms`);
          worker.child.signal("SIGKILL");
          const lease = await create(name).acquire({
            timeoutMs: TERMS.ttlMs + POLL_MS + LATE_MS,
          });
          await lease.release();
        }),
      skip,
    );
  }
});

describe("DynamoLock and what it asks of the table", () => {
  const cycles = longRun() ? 10_000 : 300;
  dynamoTest(
    `${cycles} cycles: one write each to take and to free, and growing fencing tokens`,
    () =>
      withProxy(file.own, async (proxy) => {
        proxy.keepAlive = true;
        const lock = create(uniqueName(), { endpoint: proxy.endpoint });
        // The first one asks for the time, too.
        await lock.withLock(() => {});
        proxy.reset();
        let last = 0n;
        for (let i = 0; i < cycles; i++) {
          const { fencingToken } = await lock.acquire();
          assert.ok(fencingToken! > last, `${fencingToken} after ${last}`);
          last = fencingToken!;
          await lock.release();
        }
        assert.equal(proxy.count("UpdateItem"), 2 * cycles);
        assert.equal(proxy.count(), 2 * cycles);
      }),
  );

  dynamoTest(
    "a clean release is usable by another process's next request",
    () =>
      withProcesses(async (processes) => {
        const spec = specOf(uniqueName());
        const workers = [0, 1].map((i) => processes.worker(nthRuntime(i)));
        const locks = await Promise.all(
          (await Promise.all(workers)).map((worker) => worker.create(spec)),
        );
        for (let round = 0; round < 30; round++) {
          const lock = locks[round % 2]!;
          assert.equal(await lock.tryAcquire(), true, `round ${round}`);
          await lock.release();
        }
      }),
  );

  dynamoTest(
    "timeoutMs 0 asks once",
    () =>
      withProxy(file.own, async (proxy) => {
        const name = uniqueName();
        const lease = await create(name).acquire();
        const options = { endpoint: proxy.endpoint };
        const lock = create(name, options);
        await lock.holder();
        proxy.reset();
        await assert.rejects(lock.acquire({ timeoutMs: 0 }), {
          code: "LOCK_TIMEOUT",
        });
        // dynalite does not say what stands there: that takes a look.
        assert.equal(proxy.count("UpdateItem"), 1);
        assert.equal(proxy.count("GetItem"), 1);
        await lease.release();
      }),
  );

  dynamoTest(
    "all tasks of a process that wait for one name poll as one",
    () =>
      withProxy(file.own, async (proxy) => {
        const name = uniqueName();
        const lease = await create(name).acquire();
        const options = { endpoint: proxy.endpoint };
        const waits = Array.from(
          { length: 50 },
          () => create(name, options).acquire({ timeoutMs: 3000 }),
        );
        const ends = Promise.allSettled(waits);
        await sleep(2000);
        // Pauses of up to 100, 200, 400, 800, and then 1000 ms, half on average.
        assert.ok(proxy.count() <= 20, `${proxy.count()} requests`);
        assert.ok(proxy.count("UpdateItem") <= 1);
        const reads = proxy.calls.filter((call) =>
          call.operation === "GetItem"
        );
        const strong = reads.filter((call) =>
          call.body.ConsistentRead === true
        );
        assert.ok(strong.length <= 1, `${strong.length} consistent reads`);
        await ends;
        await lease.release();
      }),
  );

  dynamoTest(
    "a script whose attempt failed ends by itself, though it cannot give back what it took",
    () =>
      withProxy(file.own, (proxy) =>
        withProcesses(async ({ script }) => {
          let attempts = 0;
          proxy.onRequest = (call) => {
            if (isAcquire(call)) attempts++;
            return attempts > 1 ? { kind: "silent" } : null;
          };
          const options = { endpoint: proxy.endpoint, ttlMs: 600_000 };
          const spec = { kind: "DynamoLock", name: uniqueName(), options };
          const args = ["triesAgain", JSON.stringify(spec)];
          const child = script(currentRuntime(), "script.ts", ...args);
          await child.line("had");
          await child.line("LOCK_BACKEND", 10_000);
          // Far less than the lease would have lasted.
          await within(15_000, "the end by itself", child.exited);
        })),
  );

  dynamoTest(
    "a lease that was not seen for its time to live is looked at before it is replaced",
    () =>
      withProxy(file.own, async (proxy) => {
        const terms = { ttlMs: 250, heartbeatIntervalMs: 80 };
        const name = uniqueName();
        const lease = await create(name, terms).acquire();
        const item = (await file.own.get(name))!;
        await lease.release();
        let expiry = Number(item.expiry!.N);
        // Whoever looks finds it renewed, however long the pause was.
        proxy.onRequest = ({ operation }) => {
          if (operation !== "GetItem") return null;
          expiry++;
          const Item = { ...item, expiry: { N: String(expiry) } };
          return { kind: "answer", body: { Item } };
        };
        const options = { endpoint: proxy.endpoint, ...terms };
        // Pauses of up to a second: most outlast the time to live.
        const waits = Array.from({ length: 10 }, () => {
          const waiting = create(uniqueName(), options);
          return assert.rejects(waiting.acquire({ timeoutMs: 4000 }), {
            code: "LOCK_TIMEOUT",
          });
        });
        await Promise.all(waits);
        assert.equal(proxy.count("UpdateItem"), 0);
        assert.ok(proxy.count("GetItem") > 20);
      }),
  );
});
