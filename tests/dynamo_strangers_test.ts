/** DynamoLock and other programs' items: Python's `locking`, and worse. */
import assert from "node:assert/strict";
import { hostname } from "node:os";
import process from "node:process";
import { describe } from "node:test";
import { DynamoLock, type Lease } from "../mod.ts";
import {
  type DynamoServer,
  dynamoTest,
  type Engine,
  fileDynamo,
  noBoto3,
  noEngine,
  type RawItem,
} from "./_dynamo.ts";
import { uniqueName } from "./_names.ts";
import { withProcesses } from "./_processes.ts";
import { PythonDynamo, type PythonDynamoOptions } from "./_python_dynamo.ts";
import { nthRuntime } from "./_runtimes.ts";
import { pendingAfter, sleep, timed, until, within } from "./_time.ts";

const TERMS = { ttlMs: 600, heartbeatIntervalMs: 150 };

// Python's takes what a busy machine, or an engine that has just started, lets
// expire.
const CALM = { ttlMs: 2500, heartbeatIntervalMs: 250 };

// A busy machine is late by so much now and then, engines with their answers
// even more. Whoever waited for what a stranger's item says waits for a minute.
const LATE_MS = 2000;

interface Engines {
  readonly own: DynamoServer;
}

const dynalite = fileDynamo("dynalite");
const local = fileDynamo("local");
const engines = Object.entries({ dynalite, local }) as [Engine, Engines][];

/** A lock of ours and a process of Python's that has one of the same name. */
interface Pair {
  readonly lock: DynamoLock;
  readonly python: PythonDynamo;
  /** What stands in the table. */
  item(): Promise<RawItem | undefined>;
}

interface PairOptions extends PythonDynamoOptions {
  /** @default {dynalite} */
  engine?: Engine;
  /** @default {TERMS} */
  terms?: typeof TERMS;
}

function withPython(
  name: string,
  run: (pair: Pair) => Promise<void>,
  { engine = "dynalite", terms = TERMS, ...options }: PairOptions = {},
): void {
  dynamoTest(name, async () => {
    const { own } = engine === "local" ? local : dynalite;
    const { endpoint } = own;
    const lock = new DynamoLock(uniqueName(), { endpoint, ...terms });
    const python = await PythonDynamo.start(endpoint, lock.name, options);
    const item = (): Promise<RawItem | undefined> =>
      own.get(lock.name, options.table);
    await run({ lock, python, item }).finally(() => python.end());
  }, noEngine(engine) || noBoto3());
}

/** Asserts that something takes a time, within some bounds. */
async function takes<T>(
  [leastMs, mostMs]: readonly [number, number],
  run: () => Promise<T>,
  what = "it took",
): Promise<T> {
  const { ms, value, error } = await timed(run);
  if (error) throw error;
  assert.ok(ms >= leastMs && ms <= mostMs + LATE_MS, `${what}: ${ms} ms`);
  return value!;
}

/** A lease that has stood unchanged since this began is taken when it is dead. */
function takeOver(lock: DynamoLock): Promise<Lease> {
  const { ttlMs } = TERMS;
  const acquire = (): Promise<Lease> => lock.acquire({ timeoutMs: 5000 });
  return takes([ttlMs, ttlMs], acquire);
}

describe("DynamoLock and Python's locking", () => {
  for (const [engine] of engines) {
    withPython(
      `ours keeps Python's out until it is released (${engine})`,
      async ({ lock, python }) => {
        const lease = await lock.acquire();
        for (let i = 0; i < 9; i++) {
          assert.equal(await python.ask("acquire"), "busy");
          await sleep(CALM.ttlMs / 6);
        }
        lease.assertHeld();
        const holder = await lock.holder();
        assert.equal(holder?.host, hostname());
        assert.equal(holder.pid, process.pid);
        await lease.release();
        assert.equal(await python.ask("acquire"), "held");
      },
      { engine, terms: CALM },
    );

    withPython(
      `Python's keeps ours out as long as it beats, and one ttlMs longer (${engine})`,
      async ({ lock, python }) => {
        assert.equal(await python.ask("acquire"), "held");
        const waiting = lock.acquire();
        for (let i = 0; i < 8; i++) {
          assert.equal(await pendingAfter(TERMS.ttlMs / 4, waiting), true);
          assert.equal(await python.ask("beat"), "beaten");
        }
        const { ttlMs } = TERMS;
        const lease = await takes([ttlMs, 2 * ttlMs], async () => {
          assert.equal(await python.ask("beat"), "beaten");
          // The beat is seen by one time to live later.
          return await within(5000, "the grant", waiting);
        });
        assert.equal(await python.ask("beat"), "refused");
        await sleep(2 * TERMS.heartbeatIntervalMs);
        lease.assertHeld();
        await lease.release();
      },
      { engine },
    );
  }

  withPython("Python's is told of, and not waited for by a try", async (
    { lock, python },
  ) => {
    assert.equal(await python.ask("acquire"), "held");
    const { pid } = python.child;
    assert.equal(await lock.tryAcquire(), null);
    const { expiresAt, ...who } = (await lock.holder())!;
    assert.deepEqual(who, { host: hostname(), pid });
    assert.ok(Math.abs(expiresAt!.getTime() - Date.now()) < 6000);
    await assert.rejects(lock.acquire({ timeoutMs: 100 }), {
      code: "LOCK_TIMEOUT",
      message: new RegExp(`held by .*${pid}`),
    });
  });

  withPython(
    "Python's release leaves a lease, which ours takes after ttlMs",
    async ({ lock, python, item }) => {
      assert.equal(await python.ask("acquire"), "held");
      assert.equal(await python.ask("release"), "kept");
      assert.equal((await item())?.pid?.N, String(python.child.pid));
      await (await takeOver(lock)).release();
      assert.equal(await python.ask("acquire"), "held");
    },
  );

  withPython(
    "Python's beat does not harm ours that has taken over",
    async ({ lock, python, item }) => {
      assert.equal(await python.ask("acquire"), "held");
      const lease = await takeOver(lock);
      const before = await item();
      assert.equal(await python.ask("beat"), "refused");
      assert.equal(await python.ask("release"), "kept");
      const { lockid, fence, ttl } = (await item())!;
      assert.deepEqual([lockid, fence, ttl], [
        before?.lockid,
        before?.fence,
        before?.ttl,
      ]);
      await sleep(2 * TERMS.ttlMs);
      lease.assertHeld();
      await lease.release();
    },
  );

  withPython(
    "our fencing tokens increase across Python's leases, which drop them",
    async ({ lock, python, item }) => {
      let last = 0n;
      for (let round = 0; round < 3; round++) {
        const lease = await lock.acquire();
        assert.ok(lease.fencingToken! > last, `round ${round}`);
        last = lease.fencingToken!;
        await lease.release();
        assert.equal(await python.ask("acquire"), "held");
        assert.equal((await item())?.fence, undefined);
      }
    },
  );

  withPython("a holder of ours that dies is succeeded by Python's", (
    { lock: { name }, python },
  ) =>
    withProcesses(async ({ worker }) => {
      const other = await worker(nthRuntime(1));
      const options = { endpoint: dynalite.own.endpoint, ...TERMS };
      const theirs = await other.create({ kind: "DynamoLock", name, options });
      await theirs.take();
      other.child.signal("SIGKILL");
      // By the expiry, whatever the clock of who wrote it.
      await takes([0, TERMS.ttlMs], () =>
        until("Python's turn", async () => {
          return await python.ask("acquire") === "held";
        }));
    }));

  const table = uniqueName("table");
  withPython(
    "ours works in a table that Python's has made",
    async ({ lock: { name }, python }) => {
      assert.equal(await python.ask("acquire"), "created");
      const { endpoint } = dynalite.own;
      const lock = new DynamoLock(name, {
        endpoint,
        table,
        createTable: true,
        ...TERMS,
      });
      await until("the table", async () => await isThere(table));
      const lease = await lock.acquire({ timeoutMs: 5000 });
      assert.equal(await python.ask("acquire"), "busy");
      await lease.release();
      assert.equal(await python.ask("acquire"), "held");
    },
    { table },
  );
});

async function isThere(table: string): Promise<boolean> {
  return (await dynalite.own.tables()).includes(table);
}

describe("DynamoLock that a Python with a fast clock steals", () => {
  for (const [engine] of engines) {
    withPython(
      `its holder is told by its next heartbeat, and touches nothing (${engine})`,
      async ({ lock, python, item }) => {
        const lease = await lock.acquire();
        const { signal } = lease;
        assert.equal(await python.ask("acquire"), "held");
        const stolen = await item();
        await takes(
          [0, TERMS.heartbeatIntervalMs],
          () => until("the loss", () => signal.aborted),
        );
        assert.throws(() => lease.assertHeld(), { code: "LOCK_LOST" });
        // What heartbeats there were to come would come now.
        await sleep(2 * TERMS.heartbeatIntervalMs);
        await lease.release();
        assert.deepEqual(await item(), stolen);
        assert.equal(await python.ask("beat"), "beaten");
      },
      { engine, clockShift: 10 },
    );
  }

  withPython(
    "its release() is LOCK_LOST, and touches nothing",
    async ({ lock: { name }, python, item }) => {
      const { endpoint } = dynalite.own;
      const lock = new DynamoLock(name, { endpoint, ttlMs: 60_000 });
      await lock.acquire();
      assert.equal(await python.ask("acquire"), "held");
      const stolen = await item();
      await assert.rejects(lock.release(), { code: "LOCK_LOST" });
      assert.deepEqual(await item(), stolen);
    },
    { clockShift: 70 },
  );
});

/** A lease that was over long ago, if a clock were asked. */
const LEASE: RawItem = { expiry: { N: "1" }, lockid: { N: "5" } };
const NUMBERS = { host: { N: "7" }, pid: { N: "1.5" } };
const TEXTS = { lockid: { S: "31415" }, pid: { S: "x" }, ttl: { S: "1" } };

/** Items that neither a lock of ours nor one of Python's has written. */
const GARBAGE: Record<string, RawItem> = {
  "an expiry alone": { expiry: { N: "99999999999" } },
  "an expiry that is a text": { ...LEASE, expiry: { S: "soon" } },
  "an expiry that is a text of nothing": { ...LEASE, expiry: { S: "" } },
  "an expiry that is a text of zero": { ...LEASE, expiry: { S: "0" } },
  "an expiry before all times": { ...LEASE, expiry: { N: "-5" } },
  "an expiry after all times": { ...LEASE, expiry: { N: "1e100" } },
  "an expiry in milliseconds": { expiry: { N: String(Date.now()) } },
  "numbers for texts": { ...LEASE, ...NUMBERS },
  "texts for numbers": { ...LEASE, ...TEXTS },
  "a ttl of 5, as if in seconds": { ...LEASE, ttl: { N: "5" } },
  "a ttl below nothing": { ...LEASE, ttl: { N: "-1e9" } },
  "a ttl beyond all measure": { ...LEASE, ttl: { N: "1e100" } },
};

/** Items that the original, too, takes for free. */
const FREE: Record<string, RawItem> = {
  "nothing else": {},
  "no expiry": { lockid: { N: "5" }, host: { S: "x" }, ttl: { N: "60000" } },
};

describe("DynamoLock of an item with", () => {
  for (const [engine, file] of engines) {
    const missing = noEngine(engine);
    const lockOf = async (item: RawItem): Promise<DynamoLock> => {
      const { endpoint } = file.own;
      const lock = new DynamoLock(uniqueName(), { endpoint, ...TERMS });
      await file.own.put({ lockname: { S: lock.name }, ...item });
      return lock;
    };

    dynamoTest(`garbage: it is taken after ttlMs (${engine})`, async () => {
      const items = Object.entries(GARBAGE);
      await Promise.all(items.map(async ([title, item]) => {
        const lock = await lockOf(item);
        await takes([TERMS.ttlMs, TERMS.ttlMs], async () => {
          await assertHeldBySomebody(lock, title);
          await (await lock.acquire({ timeoutMs: 5000 })).release();
        }, title);
      }));
    }, missing);

    dynamoTest(`too little: it is taken at once (${engine})`, async () => {
      for (const [title, item] of Object.entries(FREE)) {
        const lock = await lockOf(item);
        assert.equal(await lock.holder(), null, title);
        const lease = await lock.tryAcquire();
        assert.ok(lease, title);
        await lease.release();
      }
    }, missing);
  }

  dynamoTest("a ttl of a day: it is not taken after ttlMs", async () => {
    const { endpoint } = dynalite.own;
    const lock = new DynamoLock(uniqueName(), { endpoint, ...TERMS });
    const ttl = { N: "86400000" };
    await dynalite.own.put({ lockname: { S: lock.name }, ...LEASE, ttl });
    const timeoutMs = 3 * TERMS.ttlMs;
    await assert.rejects(lock.acquire({ timeoutMs }), { code: "LOCK_TIMEOUT" });
  });
});

async function assertHeldBySomebody(
  lock: DynamoLock,
  title: string,
): Promise<void> {
  const { host, pid } = await lock.holder() ?? {};
  assert.equal(typeof host, "string", title);
  assert.equal(typeof pid, "number", title);
  assert.equal(await lock.tryAcquire(), null, title);
}
