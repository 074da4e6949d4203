/** RedisLock that is passed on from task to task of one process. */
import assert from "node:assert/strict";
import { describe } from "node:test";
import type { HeldLease } from "../backends/core/held_lease.ts";
import {
  ACQUIRE,
  LEAVE,
  PASS,
  type Script,
} from "../backends/redis/scripts.ts";
import { type Lease, RedisLock, type RedisLockOptions } from "../mod.ts";
import { uniqueName } from "./_names.ts";
import {
  assertGrantedAnew,
  assertGrowing,
  assertTurns,
  runTasks,
} from "./_passing.ts";
import { Proxy } from "./_proxy.ts";
import { fileServer, redisTest, withRedis } from "./_redis.ts";
import { pendingAfter, sleep, until, within } from "./_time.ts";

const file = fileServer();

/** A lock as this process has it, and as another one would. */
interface Pair {
  readonly name: string;
  ours(options?: RedisLockOptions): RedisLock;
  theirs(options?: RedisLockOptions): RedisLock;
}

/** Runs with a proxy, through which the other one comes, or both. */
async function withPair(run: (pair: Pair, proxy: Proxy) => Promise<void>) {
  const name = uniqueName();
  const proxy = await Proxy.start(file.own.port);
  const at = (hosts: string) => (options: RedisLockOptions = {}) =>
    new RedisLock(name, { hosts, ...options });
  try {
    await run({ name, ours: at(proxy.host), theirs: at(file.own.host) }, proxy);
  } finally {
    await proxy.end();
  }
}

async function waiters(name: string, count = 1): Promise<void> {
  await until(`${count} in the queue`, async () => {
    const found = await file.own.command("ZCARD", `locking:{${name}}:queue`);
    return found === count;
  });
}

async function lastFence(name: string): Promise<bigint> {
  return BigInt(
    String(await file.own.command("GET", `locking:{${name}}:fence`)),
  );
}

describe("RedisLock of which many tasks of one process want one", () => {
  redisTest(
    "gives each a greater fencing token, and the server hardly anything to do",
    () =>
      withPair(async ({ name, ours, theirs }) => {
        const lock = ours();
        await lock.withLock(() => {}); // The scripts are loaded.
        const before = await file.own.calls("eval", "evalsha");
        // More than are set aside at once.
        const tokens = await runTasks(lock, 2500);
        const calls = await file.own.calls("eval", "evalsha") - before;
        assertGrowing(tokens);
        // Asked each 5 ms at the most, and each 1000 tokens; 5000 without that.
        assert.ok(calls < 500, `${calls} calls`);
        // None that was set aside in vain stays so.
        assert.equal(await lastFence(name), tokens.at(-1));
        const next = await theirs().acquire();
        assert.ok(next.fencingToken! > tokens.at(-1)!);
        await next.release();
      }),
  );

  redisTest(
    "leaves it to a process that came before the next task asks",
    () =>
      withPair(async ({ name, ours, theirs }) => {
        const first = await ours().acquire();
        const other = theirs().acquire();
        await waiters(name);
        const second = ours().acquire();
        await first.release();
        const lease = await within(5000, "the other's grant", other);
        assert.ok(await pendingAfter(50, second));
        await lease.release();
        const last = await within(5000, "the next task's grant", second);
        assertGrowing([first, lease, last].map((one) => one.fencingToken!));
        await last.release();
      }),
  );

  redisTest(
    "leaves it to a process that comes while it is passed on for ever",
    () => withPair(({ ours, theirs }) => assertTurns(ours(), theirs, 10)),
  );

  redisTest(
    "leaves it to a process that came while a task to which it was passed on had it",
    () =>
      withPair(async ({ name, ours, theirs }) => {
        const lock = ours();
        const first = await lock.acquire();
        const tasks = [lock.acquire(), lock.acquire()];
        await first.release();
        const second = await tasks[0]!;
        // Nearly a thousand tokens are left; but the server is asked anew after
        // 5 ms, and a task has the lock for longer than that.
        const other = theirs().acquire();
        await waiters(name);
        await sleep(10);
        await second.release();
        const lease = await within(5000, "the other's grant", other);
        assert.ok(await pendingAfter(50, tasks[1]!));
        await lease.release();
        const last = await within(5000, "the next task's grant", tasks[1]!);
        assertGrowing(
          [first, second, lease, last].map((one) => one.fencingToken!),
        );
        await last.release();
      }),
  );

  redisTest(
    "passes it on only on the terms that the next task wants",
    () =>
      withPair(async ({ name, ours }) => {
        const long = await ours({ ttlMs: 60_000 }).acquire();
        const waiting = ours({ ttlMs: 1000 }).acquire();
        await long.release();
        const short = await waiting;
        const leftMs = await file.own.command("PTTL", `locking:{${name}}`);
        assert.ok(Number(leftMs) <= 1000, `${leftMs} ms`);
        assert.ok(short.fencingToken! > long.fencingToken!);
        await short.release();
      }),
  );

  redisTest(
    "tells the holder of the token that its task has",
    () =>
      withPair(async ({ ours, theirs }) => {
        const first = await ours().acquire();
        const waiting = ours().acquire();
        await first.release();
        const second = await waiting;
        const holder = await theirs().holder();
        assert.equal(holder?.fencingToken, second.fencingToken);
        await second.release();
      }),
  );

  redisTest(
    "tells whoever releases that it was gone, and goes on with a new grant",
    () =>
      withPair(({ name, ours }) =>
        assertGrantedAnew(
          ours(),
          () => file.own.command("DEL", `locking:{${name}}`),
        )
      ),
  );

  redisTest(
    "goes on with greater tokens on a server that has lost its memory",
    () =>
      withRedis(1, async ([server]) => {
        const lock = new RedisLock(uniqueName(), { hosts: server!.host });
        const before = await runTasks(lock, 1500);
        await server!.command("FLUSHALL");
        const after = await runTasks(lock, 1500);
        assertGrowing([...before, ...after]);
      }),
  );
});

describe("RedisLock whose server's answer is lost when it is passed on", () => {
  /** Releases with lost answers, until the lock is passed on in another try. */
  async function releaseUnheard(lease: Lease, proxy: Proxy): Promise<void> {
    const before = await file.own.calls("evalsha");
    proxy.mode = "drop";
    const released = lease.release();
    await until("the first try", async () => {
      return await file.own.calls("evalsha") > before;
    });
    proxy.mode = "pass";
    await within(5000, "the release", released);
  }

  redisTest(
    "passes it on all the same",
    () =>
      withPair(async ({ ours, theirs }, proxy) => {
        const lock = ours();
        await runTasks(lock, 2); // The scripts are loaded.
        const first = await lock.acquire();
        const waiting = lock.acquire();
        await releaseUnheard(first, proxy);
        const second = await within(5000, "the next task's grant", waiting);
        second.assertHeld();
        assert.equal(await theirs().tryAcquire(), null);
        await second.release();
        const last = await theirs().acquire();
        assertGrowing([first, second, last].map((one) => one.fencingToken!));
        await last.release();
      }),
  );

  redisTest(
    "believes in it no longer than the server keeps it",
    () =>
      withPair(async ({ name, ours }, proxy) => {
        // No heartbeat comes between that would make up for it.
        const lock = ours({ ttlMs: 10_000, heartbeatIntervalMs: 4999 });
        await runTasks(lock, 2); // The scripts are loaded.
        const first = await lock.acquire();
        const waiting = lock.acquire();
        // The first try is done, and half a second later another is answered.
        await releaseUnheard(first, proxy);
        const second = await within(5000, "the next task's grant", waiting);
        const began = performance.now();
        const believedMs = (second as HeldLease).remainingMs;
        const key = `locking:{${name}}`;
        const keptMs = Number(await file.own.command("PTTL", key)) +
          performance.now() - began;
        assert.ok(believedMs <= keptMs, `${believedMs} of ${keptMs} ms`);
        await second.release();
      }),
  );

  redisTest(
    "takes the lock for handed over, not for lost, if another waited",
    () =>
      withPair(async ({ name, ours, theirs }, proxy) => {
        const lock = ours();
        await runTasks(lock, 2); // The scripts are loaded.
        const first = await lock.acquire();
        const other = theirs().acquire();
        await waiters(name);
        const waiting = lock.acquire();
        await releaseUnheard(first, proxy);
        assert.equal(first.signal.aborted, false);
        await (await within(5000, "the other's grant", other)).release();
        await (await within(5000, "the next task's grant", waiting)).release();
      }),
  );
});

describe("A step that passes a lock on", () => {
  let stamps = 0;
  async function call(
    name: string,
    { text }: Script,
    ...args: string[]
  ): Promise<string[]> {
    const key = `locking:{${name}}`;
    const keys = [
      key,
      ...["fence", "queue", "waiters"].map((k) => `${key}:${k}`),
    ];
    const answer = await file.own.command(
      ...["EVAL", text, "4", ...keys, `${++stamps}`, ...args],
    );
    return (answer as string[]).slice(1).map(String);
  }

  const WHO = '"host":"x","pid":1';
  const WAIT = ["no-channel", "60000", "0", ""];

  redisTest("is done once, however late a copy of it arrives", async () => {
    const name = uniqueName();
    const acquire = [WHO, "fifo"];
    const [, token] = await call(name, ACQUIRE, "a", "60000", ...acquire);
    const from = BigInt(token!);
    const step = (noted: bigint, used: bigint): Promise<string[]> =>
      call(
        name,
        PASS,
        "a",
        "60000",
        ...[noted, used, used + 1n, used + 1000n].map(String),
      );
    assert.deepEqual(await step(from, from), ["kept"]);
    // Now somebody waits: what was done is not done again in another way.
    await call(name, ACQUIRE, "b", "60000", ...acquire, ...WAIT);
    assert.deepEqual(await step(from, from), ["kept"]);
    assert.equal(await lastFence(name), from + 1000n);
    // Passed on 300 times, and then to the waiter.
    assert.deepEqual(await step(from + 1n, from + 300n), ["left"]);
    assert.deepEqual(await step(from, from), ["gone"]);
    assert.deepEqual(await step(from + 1n, from + 300n), ["gone"]);
    assert.deepEqual(await call(name, LEAVE, "b", "hand over"), ["1"]);
  });

  redisTest(
    "is renewed by a copy though the server is out of memory",
    async () => {
      const name = uniqueName();
      const [, token] = await call(name, ACQUIRE, "a", "60000", WHO, "fifo");
      const from = BigInt(token!);
      const tokens = [from, from, from + 1n, from + 1000n].map(String);
      await call(name, PASS, "a", "60000", ...tokens);
      await file.own.command("PEXPIRE", `locking:{${name}}`, "5000");
      await file.own.command("CONFIG", "SET", "maxmemory", "1");
      try {
        const answer = await call(name, PASS, "a", "60000", ...tokens);
        assert.deepEqual(answer, ["kept"]);
      } finally {
        await file.own.command("CONFIG", "SET", "maxmemory", "0");
      }
      const leftMs = await file.own.command("PTTL", `locking:{${name}}`);
      assert.ok(Number(leftMs) > 30_000, `${leftMs} ms`);
    },
  );

  redisTest("is not done by a copy that comes after the next one", async () => {
    const name = uniqueName();
    const [, token] = await call(name, ACQUIRE, "a", "60000", WHO, "fifo");
    const from = BigInt(token!);
    const step = (noted: bigint, used: bigint): Promise<string[]> =>
      call(
        name,
        PASS,
        "a",
        "60000",
        ...[noted, used, used + 1n, used + 1000n].map(String),
      );
    await step(from, from);
    await step(from + 1n, from + 700n);
    const last = await lastFence(name);
    await call(name, ACQUIRE, "b", "60000", WHO, "fifo", ...WAIT);
    assert.deepEqual(await step(from, from), ["gone"]);
    assert.equal(await lastFence(name), last);
    assert.deepEqual(
      await call(name, LEAVE, "a", "drop", String(from + 900n)),
      ["1"],
    );
    assert.equal(await lastFence(name), from + 900n);
  });
});
