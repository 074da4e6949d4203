/**
 * DynamoLock's requests that are made more than once: what a late, a lost or a
 * repeated one may do to the lock, to its holder and to the others.
 */
import assert from "node:assert/strict";
import { after, describe } from "node:test";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoLock, type DynamoLockOptions } from "../mod.ts";
import {
  type DynamoServer,
  dynamoTest,
  type Engine,
  fileDynamo,
  noEngine,
} from "./_dynamo.ts";
import { isAcquire, isFree, isRenewal } from "./_dynamo_locks.ts";
import { type Fault, HttpProxy } from "./_http_proxy.ts";
import { uniqueName } from "./_names.ts";
import { sleep, timed, until, within } from "./_time.ts";

const TERMS = { ttlMs: 1200, heartbeatIntervalMs: 300 };

// A machine that others use, too, is late by so much now and then.
const LATE_MS = 500;

const engines = {
  dynalite: fileDynamo("dynalite"),
  local: fileDynamo("local"),
};
const proxies = new Map<DynamoServer, HttpProxy>();

after(async () => {
  for (const proxy of proxies.values()) await proxy.end();
});

interface Stage {
  server: DynamoServer;
  proxy: HttpProxy;
  name: string;
  /** A lock whose requests go through the proxy. */
  ours(options?: DynamoLockOptions): DynamoLock;
  /** A lock of the same name, whose requests do not. */
  theirs(options?: DynamoLockOptions): DynamoLock;
}

/** Declares a test on each engine: only one sends what stands there. */
function test(
  name: string,
  run: (stage: Stage) => Promise<void>,
  on: readonly Engine[] = ["dynalite", "local"],
): void {
  for (const engine of on) {
    dynamoTest(`${name} (${engine})`, async () => {
      const server = engines[engine].own;
      const proxy = proxies.get(server) ?? await HttpProxy.start(server.port);
      proxies.set(server, proxy);
      const lock = uniqueName();
      const at = (endpoint: string) => (options: DynamoLockOptions = {}) =>
        new DynamoLock(lock, { endpoint, ...TERMS, ...options });
      const [ours, theirs] = [at(proxy.endpoint), at(server.endpoint)];
      // A first answer is waited for longer than later ones.
      await Promise.all([ours().holder(), theirs().holder()]);
      try {
        await run({ server, proxy, name: lock, ours, theirs });
      } finally {
        proxy.heal();
        proxy.reset();
      }
    }, noEngine(engine));
  }
}

describe("DynamoLock whose heartbeat is answered late", () => {
  test("counts from the request that was applied, not from a later one", async (stage) => {
    const lock = stage.ours();
    const lease = await lock.acquire();
    let renewals = 0;
    // The first one is applied at once, and no other ever.
    stage.proxy.onRequest = (call): Fault =>
      isRenewal(call) && renewals++ === 0
        ? { kind: "late", ms: 0.6 * TERMS.ttlMs }
        : { kind: "cut" };
    const next = await stage.theirs().acquire({ timeoutMs: 5 * TERMS.ttlMs });
    assert.equal(lock.locked, false, "both hold it");
    assert.equal(lease.signal.aborted, true);
    stage.proxy.heal();
    await lease.release();
    next.assertHeld();
    await next.release();
  });
});

describe("DynamoLock whose heartbeat arrives late", () => {
  test("never takes the expiry back, by which others tell heartbeats apart", async (stage) => {
    const lock = stage.ours();
    const lease = await lock.acquire();
    let renewals = 0;
    stage.proxy.onRequest = (call) =>
      isRenewal(call) && renewals++ === 0 ? { kind: "delay", ms: 700 } : null;
    let last = 0;
    const end = performance.now() + 2 * TERMS.ttlMs;
    while (performance.now() < end) {
      const item = await stage.server.get(stage.name);
      const expiry = Number(item?.expiry?.N);
      assert.ok(expiry >= last, `${expiry} after ${last}`);
      last = expiry;
      await sleep(5);
    }
    assert.ok(renewals >= 3);
    lease.assertHeld();
    await lease.release();
  });
});

describe("DynamoLock of a service whose answers are slow", () => {
  test("an attempt that gives null takes nothing", async (stage) => {
    const holder = await stage.theirs().acquire();
    const slow: Fault = { kind: "late", ms: 400 };
    stage.proxy.onRequest = () => slow;
    const trying = stage.ours().tryAcquire();
    await sleep(100);
    await holder.release();
    const lease = await trying;
    stage.proxy.onRequest = () => null;
    await lease?.release();
    await until(
      "a free lock",
      () => isFree(stage.server, stage.name),
      3 * TERMS.ttlMs,
    );
    await sleep(500); // What is on its way arrives.
    assert.ok(await isFree(stage.server, stage.name), "taken by nobody");
  });

  test("a waiter does not wait for itself", async (stage) => {
    const holder = await stage.theirs().acquire();
    stage.proxy.onRequest = () => ({ kind: "late", ms: 400 });
    const waiting = stage.ours().acquire();
    await sleep(100);
    await holder.release();
    const { ms, value } = await timed(() => within(10_000, "a grant", waiting));
    // A poll, and three slow answers: a look, a write, and another.
    assert.ok(ms <= 1000 + 3 * 400 + LATE_MS, `${ms} ms`);
    stage.proxy.onRequest = () => null;
    await value!.release();
    assert.ok(await isFree(stage.server, stage.name));
  });
});

describe("DynamoLock whose acquire arrives late", () => {
  test("does not take the lock when nobody waits for it any more", async (stage) => {
    const { proxy } = stage;
    proxy.onRequest = (call) =>
      isAcquire(call) ? { kind: "delay", ms: 1.5 * TERMS.ttlMs } : null;
    await assert.rejects(stage.ours().acquire({ timeoutMs: 500 }), {
      code: "LOCK_BACKEND",
    });
    const sent = proxy.calls.length;
    await sleep(2.5 * TERMS.ttlMs);
    assert.ok(proxy.calls.length > sent, "nothing was undone");
    assert.ok(await isFree(stage.server, stage.name), "taken by nobody");
    const lease = await stage.theirs().tryAcquire();
    await lease!.release();
  });

  test("does not replace a lease that has been renewed meanwhile", async (stage) => {
    const { server, proxy, name } = stage;
    const beat = (expiry: string): Promise<void> =>
      server.put({
        lockname: { S: name },
        expiry: { N: expiry },
        lockid: { N: "31415" },
        ttl: { N: String(TERMS.ttlMs) },
        fence: { N: "7" },
      });
    await beat("1000");
    const claims: unknown[] = [];
    proxy.onRequest = (call): Fault | null => {
      if (!isAcquire(call) || !JSON.stringify(call).includes(":dead")) {
        return null;
      }
      claims.push(call);
      return { kind: "delay", ms: 200 };
    };
    const waiting = stage.ours().acquire({ timeoutMs: 1.8 * TERMS.ttlMs });
    await until("a claim to the dead lease", () => claims.length > 0);
    await beat("1001");
    await assert.rejects(waiting);
    assert.equal((await server.get(name))?.lockid?.N, "31415");
  });

  test("does not take the lock again when it has been released", async (stage) => {
    const lock = stage.ours();
    let copies = 0;
    stage.proxy.onRequest = (call) => {
      if (!isAcquire(call)) return null;
      return copies++ === 0 ? { kind: "delay", ms: 600 } : null;
    };
    const lease = await lock.acquire();
    await lease.release();
    await sleep(800);
    assert.ok(copies >= 2);
    assert.ok(await isFree(stage.server, stage.name), "taken by nobody");
  });
});

describe("DynamoLock through a network that fails", () => {
  test(
    "a cut loses none of 40 leases, though connections hang on",
    async (stage) => {
      const locks = Array.from(
        { length: 40 },
        (_, i) =>
          new DynamoLock(`${stage.name}-${i}`, {
            endpoint: stage.proxy.endpoint,
            ttlMs: 5000,
          }),
      );
      const leases = await Promise.all(locks.map((lock) => lock.acquire()));
      stage.proxy.onRequest = () => ({ kind: "cut" });
      await sleep(3000);
      // Those that hang go on to hang.
      stage.proxy.onRequest = () => null;
      await sleep(2500);
      for (const lease of leases) lease.assertHeld();
      await Promise.all(leases.map((lease) => lease.release()));
    },
    ["local"],
  );

  test(
    "a patient acquire outlasts an outage after idle time",
    async (stage) => {
      const terms = { ttlMs: 300, heartbeatIntervalMs: 100 };
      const lock = stage.ours(terms);
      await sleep(5500); // Longer than an outage may be.
      stage.proxy.onRequest = () => ({ kind: "cut" });
      const waiting = lock.acquire({ timeoutMs: 10_000 });
      await sleep(2500);
      stage.proxy.heal();
      await (await waiting).release();
    },
    ["dynalite"],
  );
});

describe("DynamoLock that waits for a task of its own process", () => {
  test(
    "times out, although a request of another lock has failed before",
    async (stage) => {
      // No heartbeat that might tell that all is well again.
      const terms = { ttlMs: 60_000, heartbeatIntervalMs: 25_000 };
      const lease = await stage.ours(terms).acquire();
      const waiting = stage.ours(terms).acquire({ timeoutMs: 4000 });
      stage.proxy.onRequest = (): Fault => ({
        kind: "error",
        status: 400,
        type: "ThrottlingException",
        message: "Rate exceeded",
      });
      const other = new DynamoLock(`${stage.name}-2`, {
        endpoint: stage.proxy.endpoint,
        ttlMs: 100,
        heartbeatIntervalMs: 40,
      });
      await assert.rejects(other.tryAcquire(), { code: "LOCK_BACKEND" });
      await assert.rejects(waiting, { code: "LOCK_TIMEOUT" });
      stage.proxy.onRequest = () => null;
      await lease.release();
    },
    ["dynalite"],
  );
});

describe("DynamoLock whose driver asks twice", () => {
  test("gives back what it may have taken, though the second try was refused", async ({ proxy, name, server }) => {
    const { endpoint } = proxy;
    const client = new DynamoDBClient({ endpoint, maxAttempts: 2 });
    const lock = new DynamoLock(name, { client, ttlMs: 60_000 });
    await lock.withLock(() => {});
    const faults: Fault[] = [
      { kind: "lost" },
      {
        kind: "error",
        status: 400,
        type: "ValidationException",
        message: "no more",
      },
    ];
    proxy.onRequest = (call) => isAcquire(call) ? faults.shift() : null;
    await assert.rejects(lock.tryAcquire(), { code: "LOCK_BACKEND" });
    assert.equal(faults.length, 0);
    await until("its release", () => isFree(server, name));
    client.destroy();
  });
});
