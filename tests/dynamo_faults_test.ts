/** DynamoLock when the service or the network fails. */
import assert from "node:assert/strict";
import { after, describe } from "node:test";
import { DynamoLock, type DynamoLockOptions, type Lease } from "../mod.ts";
import { dynamoTest, fileDynamo, type RawItem } from "./_dynamo.ts";
import { isAcquire, isFree, isRelease, isRenewal } from "./_dynamo_locks.ts";
import { type Fault, HttpProxy, type IndexedCall } from "./_http_proxy.ts";
import { uniqueName } from "./_names.ts";
import { longRun } from "./_runtimes.ts";
import { sleep, timed, until, within } from "./_time.ts";

const TERMS = { ttlMs: 1000, heartbeatIntervalMs: 250 };

// Where nothing is to be lost: a busy machine may stop us for a while, too.
const CALM = { ttlMs: 2000, heartbeatIntervalMs: 250 };

// A machine that others use, too, is late by so much now and then.
const LATE_MS = 500;

const file = fileDynamo("dynalite");
let proxy: HttpProxy;

after(() => proxy?.end());

const BUSY: Fault[] = [
  {
    kind: "error",
    status: 400,
    type: "ThrottlingException",
    message: "Rate exceeded",
  },
  {
    kind: "error",
    status: 400,
    type: "ProvisionedThroughputExceededException",
    message: "The level of configured provisioned throughput was exceeded",
  },
  {
    kind: "error",
    status: 500,
    type: "InternalServerError",
    message: "The request processing has failed",
  },
  {
    kind: "error",
    status: 503,
    type: "ServiceUnavailable",
    message: "Service is unavailable",
  },
];

/** The same numbers from 0 to 1 each time. (Park and Miller, 1988.) */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = state * 48_271 % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

/** Some part of all requests is turned away, in one of some ways. */
function turnAway(part: number): (call: IndexedCall) => Fault | null {
  const random = randomFrom(12_345);
  return () =>
    random() < part ? BUSY[Math.floor(random() * BUSY.length)]! : null;
}

/** A fault for the requests of one kind, as often as it is to be. */
function once(
  isIt: (call: IndexedCall) => boolean,
  fault: Fault,
  times = 1,
): (call: IndexedCall) => Fault | null {
  return (call) => isIt(call) && times-- > 0 ? fault : null;
}

function lockOf(
  name = uniqueName(),
  options: DynamoLockOptions = {},
): DynamoLock {
  return new DynamoLock(name, {
    endpoint: proxy.endpoint,
    ...TERMS,
    ...options,
  });
}

function test(name: string, run: () => Promise<void>): void {
  dynamoTest(name, async () => {
    proxy ??= await HttpProxy.start(file.own.port);
    try {
      // A first answer may be waited for longer than later ones.
      await lockOf().holder();
      await run();
    } finally {
      proxy.heal();
    }
  });
}

async function itemOf({ name }: { name: string }): Promise<RawItem> {
  return await file.own.get(name) ?? {};
}

/** When a lease's signal aborts, on this process's clock. */
function lostAt(lease: Lease): Promise<number> {
  return new Promise((resolve) => {
    lease.signal.addEventListener("abort", () => resolve(performance.now()));
  });
}

describe("DynamoLock of a service that is busy", () => {
  test("30 % of all requests turned away: cycles succeed, and leases are kept", async () => {
    const held = lockOf(uniqueName(), CALM);
    const lease = await held.acquire();
    proxy.onRequest = turnAway(0.3);
    const lock = lockOf();
    let last = 0n;
    const end = performance.now() + 2 * CALM.ttlMs;
    for (let i = 0; i < 30 || performance.now() < end; i++) {
      const { fencingToken } = await lock.acquire({ timeoutMs: 10_000 });
      assert.ok(fencingToken! > last);
      last = fencingToken!;
      await lock.release();
      if (i >= 30) await sleep(50);
    }
    lease.assertHeld();
    assert.equal(lease.signal.aborted, false);
    await lease.release();
    assert.ok(await isFree(file.own, held.name));
  });

  test("30 % turned away: a waiter goes on until the lock is free", async () => {
    const holder = lockOf();
    const lease = await holder.acquire();
    proxy.onRequest = turnAway(0.3);
    const waiting = lockOf(holder.name).acquire({ timeoutMs: 10_000 });
    await sleep(1500);
    await lease.release();
    await (await waiting).release();
  });

  for (const [i, fault] of BUSY.entries()) {
    const { status, type } = fault as Extract<Fault, { kind: "error" }>;
    test(`all turned away (${status} ${type}): an acquire goes on to its deadline, and says so`, async () => {
      proxy.onRequest = () => BUSY[i];
      const lock = lockOf();
      const { ms, error } = await timed(() => lock.acquire({ timeoutMs: 700 }));
      const { code, message } = error as { code: string; message: string };
      assert.equal(code, "LOCK_BACKEND");
      assert.match(message, new RegExp(`within 700 ms.*"locks".*${type}`));
      assert.ok(ms >= 690 && ms <= 700 + LATE_MS, `${ms} ms`);
    });
  }

  test("one heartbeat turned away loses nothing", async () => {
    const lock = lockOf(uniqueName(), CALM);
    const lease = await lock.acquire();
    proxy.onRequest = once(isRenewal, BUSY[2]!);
    await sleep(1.25 * CALM.ttlMs);
    lease.assertHeld();
    await lease.release();
  });
});

describe("DynamoLock whose heartbeats fail", () => {
  const rounds = longRun() ? 200 : 20;
  const faults: Record<string, Fault> = {
    "are never answered": { kind: "cut" },
    "are turned away": BUSY[0]!,
    "are refused": {
      kind: "error",
      status: 400,
      type: "AccessDeniedException",
      message: "User is not authorized",
    },
  };
  for (const [what, fault] of Object.entries(faults)) {
    test(`${rounds} leases whose heartbeats ${what} are lost by one time to live after the last renewal`, async () => {
      const trials = Array.from({ length: rounds }, async () => {
        const lock = lockOf();
        const lease = await lock.acquire();
        return { lock, lease, lost: lostAt(lease) };
      });
      const held = await Promise.all(trials);
      await sleep(0.6 * TERMS.ttlMs);
      proxy.onRequest = () => fault;
      const cut = performance.now();
      for (const { lock, lease, lost } of held) {
        const at = await within(5000, "the loss", lost);
        // The last heartbeat was sent before the cut, one interval at the most.
        assert.ok(at - cut <= TERMS.ttlMs + LATE_MS, `${at - cut} ms`);
        assert.ok(at - cut >= TERMS.ttlMs / 2, `${at - cut} ms`);
        assert.throws(() => lease.assertHeld(), { code: "LOCK_LOST" });
        assert.equal(lock.locked, false);
      }
      proxy.heal();
      await Promise.all(held.map(({ lease }) => lease.release()));
    });
  }

  test("a cut shorter than the time to live loses nothing", async () => {
    const lease = await lockOf(uniqueName(), CALM).acquire();
    for (const kind of ["cut", "silent", "lost"] as const) {
      proxy.onRequest = () => ({ kind });
      await sleep(0.45 * CALM.ttlMs);
      proxy.heal();
      await sleep(0.45 * CALM.ttlMs);
      lease.assertHeld();
    }
    assert.equal(lease.signal.aborted, false);
    await lease.release();
  });

  test("a heartbeat that is applied after the loss brings nothing back to life", async () => {
    const lock = lockOf();
    const lease = await lock.acquire();
    proxy.onRequest = (call) =>
      isRenewal(call) ? { kind: "delay", ms: 2 * TERMS.ttlMs } : null;
    await until("the loss", () => lease.signal.aborted, 2 * TERMS.ttlMs);
    proxy.onRequest = () => null;
    const next = await new DynamoLock(lock.name, {
      endpoint: file.own.endpoint,
      ...TERMS,
    }).acquire({ timeoutMs: 6 * TERMS.ttlMs });
    const { lockid } = await itemOf(lock);
    await sleep(2.5 * TERMS.ttlMs);
    assert.deepEqual((await itemOf(lock)).lockid, lockid);
    next.assertHeld();
    assert.equal(lock.locked, false);
    await lease.release();
    next.assertHeld();
    assert.deepEqual((await itemOf(lock)).lockid, lockid);
    await next.release();
  });
});

describe("DynamoLock whose answers are lost", () => {
  for (const kind of ["lost", "silent", "twice"] as const) {
    test(`an acquire that is applied all the same leaves no orphan (${kind})`, async () => {
      const lock = lockOf();
      proxy.onRequest = once(isAcquire, { kind });
      const lease = await lock.acquire({ timeoutMs: 5000 });
      lease.assertHeld();
      const { fence } = await itemOf(lock);
      assert.equal(fence?.N, String(lease.fencingToken));
      await lease.release();
      assert.ok(await isFree(file.own, lock.name));
    });

    test(`a heartbeat that is applied all the same is no loss (${kind})`, async () => {
      const lock = lockOf(uniqueName(), CALM);
      const lease = await lock.acquire();
      proxy.onRequest = once(isRenewal, { kind }, 3);
      await sleep(1.25 * CALM.ttlMs);
      lease.assertHeld();
      assert.equal(lease.signal.aborted, false);
      await lease.release();
      assert.ok(await isFree(file.own, lock.name));
    });

    test(`a release that is applied all the same is none, and no loss (${kind})`, async () => {
      const lock = lockOf();
      const lease = await lock.acquire();
      proxy.onRequest = once(isRelease, { kind });
      await within(3000, "the release", lock.release());
      assert.ok(await isFree(file.own, lock.name));
      assert.equal(lease.signal.aborted, false);
    });
  }

  test("an acquire none of whose answers comes leaves no orphan", async () => {
    const lock = lockOf();
    proxy.onRequest = (call) => isAcquire(call) ? { kind: "silent" } : null;
    await assert.rejects(lock.acquire({ timeoutMs: 400 }), {
      code: "LOCK_BACKEND",
      message: /no answer/,
    });
    await until(
      "a release",
      () => isFree(file.own, lock.name),
      3 * TERMS.ttlMs,
    );
  });

  test("an aborted acquire whose answer comes later leaves no orphan", async () => {
    const lock = lockOf();
    proxy.onRequest = once(isAcquire, { kind: "late", ms: 80 });
    const controller = new AbortController();
    const waiting = lock.acquire({ signal: controller.signal });
    await until("a grant", async () => !await isFree(file.own, lock.name));
    controller.abort(new Error("enough"));
    await assert.rejects(waiting, { message: "enough" });
    await until("a release", () => isFree(file.own, lock.name), 500);
  });

  test("a grant whose answer comes after its own end is not handed out", async () => {
    const lock = lockOf(uniqueName(), { ttlMs: 100, heartbeatIntervalMs: 40 });
    proxy.onRequest = (call) =>
      isRelease(call) ? null : { kind: "late", ms: 150 };
    const outcome = await lock.acquire({ timeoutMs: 3000 }).then((lease) => {
      lease.assertHeld();
      return "held";
    }, (error) => error.code as string);
    assert.equal(outcome, "LOCK_BACKEND");
    proxy.heal();
    await until("a release", () => isFree(file.own, lock.name), 2000);
  });

  test("validity counts from before the request was sent, not from the answer", async () => {
    const ttlMs = 3000;
    const lock = lockOf(uniqueName(), { ttlMs });
    // Not so late that it would be asked for again.
    proxy.onRequest = once(isAcquire, { kind: "late", ms: 280 });
    const began = performance.now();
    const lease = await lock.acquire();
    proxy.onRequest = () => ({ kind: "cut" });
    const at = await within(4000, "the loss", lostAt(lease));
    assert.ok(at - began <= ttlMs + 150, `${at - began} ms`);
    proxy.heal();
    await lease.release();
  });
});

describe("DynamoLock whose table changes meanwhile", () => {
  test("withLock() rejects with LOCK_LOST when another took the lock meanwhile", async () => {
    const lock = lockOf();
    const run = lock.withLock(async (lease) => {
      const item = await itemOf(lock);
      await file.own.put({ ...item, lockid: { N: "1" } } as RawItem);
      await until("the loss", () => lease.signal.aborted);
    });
    await assert.rejects(run, { code: "LOCK_LOST", message: /another/ });
    assert.equal((await itemOf(lock)).lockid?.N, "1");
  });

  // It reaches the table after the release, or before that and is not answered.
  for (const kind of ["delay", "late"] as const) {
    test(`a release right after a heartbeat was sent frees the lock for good (${kind})`, async () => {
      const lock = lockOf();
      const lease = await lock.acquire();
      let seen = false;
      proxy.onRequest = (call) => {
        if (!isRenewal(call)) return null;
        seen = true;
        return { kind, ms: 60 };
      };
      await until("a heartbeat", () => seen);
      if (kind === "late") await sleep(20);
      await lease.release();
      assert.ok(await isFree(file.own, lock.name));
      await sleep(100);
      assert.ok(
        await isFree(file.own, lock.name),
        "the heartbeat came after the release",
      );
      assert.equal(lease.signal.aborted, false);
    });
  }

  test("a waiter whose endpoint goes is told, and not kept for ever", async () => {
    const gone = await HttpProxy.start(file.own.port);
    const holder = lockOf();
    const lease = await holder.acquire();
    const { endpoint } = gone;
    const waiting = lockOf(holder.name, { endpoint }).acquire();
    const outcome = timed(() => waiting);
    await until("a poll", () => gone.count("GetItem") > 1);
    await gone.end();
    const { error } = await within(12_000, "an error", outcome);
    const { code, message } = error as { code: string; message: string };
    assert.equal(code, "LOCK_BACKEND");
    assert.ok(message.includes(endpoint), message);
    await lease.release();
  });
});
