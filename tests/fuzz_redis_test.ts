/**
 * Made-up values in RedisLock's keys, and messages on its channels: whoever may
 * write there may write anything.
 */
import assert from "node:assert/strict";
import process from "node:process";
import { describe } from "node:test";
import { createClient } from "redis";
import type { CreateRedisClient } from "../backends/redis.ts";
import { type Holder, type Lease, RedisLock } from "../mod.ts";
import { fuzz, mutate, nastyNumber, nastyText, nearJson } from "./_fuzz.ts";
import type { Random } from "./_random.ts";
import { uniqueName } from "./_names.ts";
import { fileServer, redisTest } from "./_redis.ts";
import { pendingAfter, until, within } from "./_time.ts";

// A busy machine is not to be taken for a silent server.
const TERMS = { ttlMs: 1000, heartbeatIntervalMs: 300 };

// A waiter looks three times in its time to live.
const SOON_MS = 5000;

const server = fileServer();

const RECORD = {
  token: "0123456789abcdef0123456789abcdef-1",
  host: "web-3",
  pid: 812,
  acquired: 1_795_542_588.25,
  expiry: 1_795_542_593.25,
  fence: 1_795_542_588_000_000,
};

function fresh(): { lock: RedisLock; key: string } {
  const options = { hosts: server.own.host, ...TERMS };
  const lock = new RedisLock(uniqueName(), options);
  return { lock, key: `locking:{${lock.name}}` };
}

/** A way to fill a key, as a command without the key. */
type Fill = readonly [command: string, ...args: string[]];

/** Values of every type; most are nearly what a lock of ours has written. */
function makeFill(random: Random, record: object): Fill {
  switch (random.below(12)) {
    case 0:
      return ["RPUSH", nastyText(random), "b"];
    case 1:
      return ["HSET", "token", nastyText(random)];
    case 2:
      return ["XADD", "*", "field", nastyText(random)];
    case 3:
      return ["ZADD", String(random.pick([0, -1, "inf", 1e308])), "owner"];
    case 4:
      return ["SADD", nastyText(random)];
    case 5:
      return ["SET", String(nastyNumber(random))];
    case 6:
      return ["SET", nastyText(random)];
    default:
      return ["SET", nearJson(random, record)];
  }
}

async function fill(key: string, [command, ...args]: Fill): Promise<void> {
  await server.own.command("DEL", key);
  await server.own.command(command, key, ...args);
}

function assertHolder({ host, pid, ...rest }: Holder): void {
  assert.equal(typeof host, "string");
  assert.ok(Number.isSafeInteger(pid) && pid >= 0, `pid ${pid}`);
  for (const date of [rest.acquiredAt, rest.expiresAt]) {
    if (date) assert.ok(Number.isFinite(date.getTime()), "an invalid date");
  }
  const { fencingToken = 0n } = rest;
  assert.equal(typeof fencingToken, "bigint");
}

/** What came of something that may fail with an error of the server. */
async function outcome<T>(
  what: string,
  run: () => Promise<T>,
): Promise<T | Error> {
  try {
    return await within(20_000, what, run());
  } catch (error) {
    const { code, message } = error as Error & { code?: string };
    if (code !== "LOCK_TIMEOUT") assert.equal(code, "LOCK_BACKEND", message);
    assert.match(message, /^Cannot /);
    return error as Error;
  }
}

describe("RedisLock with made-up values in", () => {
  redisTest(
    "its key: it is held, or an error, until they are gone",
    () =>
      fuzz("values of a key", {
        rounds: 120,
        atOnce: 40,
        make: (random) => ({
          value: makeFill(random, RECORD),
          ms: random.pick(["", "60000", "9000000000000000"]),
        }),
        check: async ({ value, ms }) => {
          const { lock, key } = fresh();
          await fill(key, value);
          if (ms) await server.own.command("PEXPIRE", key, ms);
          const tried = await outcome("a try", () => lock.tryAcquire());
          assert.ok(tried === null || tried instanceof Error, "granted");
          const holder = await outcome("holder()", () => lock.holder());
          assert.ok(holder, "a key that is there, and no holder");
          if (!(holder instanceof Error)) assertHolder(holder);
          const waiting = outcome("a wait", () => lock.acquire());
          await pendingAfter(300, waiting);
          await server.own.command("DEL", key);
          const lease = await within(SOON_MS, "the grant", waiting);
          if (!(lease instanceof Error)) await lease.release();
          else assert.ok(tried instanceof Error || isLate(lease), `${lease}`);
          assert.deepEqual(
            (await server.own.keys(`${key}*`)).filter((k) =>
              !k.endsWith(":fence")
            ),
            [],
          );
        },
      }),
  );

  redisTest(
    "its fence: the next token is greater, or it is an error",
    () =>
      fuzz("values of a fence", {
        rounds: 120,
        atOnce: 30,
        make: (random) =>
          random.once(2)
            ? makeFill(random, RECORD)
            : ["SET", makeNumber(random)] as const,
        check: async (value) => {
          const { lock, key } = fresh();
          let last = 0n;
          await lock.withLock(({ fencingToken }) => last = fencingToken!);
          await fill(`${key}:fence`, value);
          for (let i = 0; i < 2; i++) {
            const lease = await outcome("a try", () => lock.tryAcquire());
            assert.ok(lease !== null);
            if (lease instanceof Error) {
              assert.match(lease.message, /use another keyPrefix/);
              continue;
            }
            assert.ok(lease.fencingToken! > last, `${lease.fencingToken}`);
            last = lease.fencingToken!;
            await lease.release();
          }
          assert.equal(await lock.holder(), null);
        },
      }),
  );

  redisTest(
    "its fence meanwhile: who holds and who waits go on, or hear of it",
    () =>
      fuzz("values of a fence of a lock that is held", {
        rounds: 30,
        atOnce: 30,
        make: (random) => makeFill(random, RECORD),
        check: async (value) => {
          const { lock, key } = fresh();
          const lease = await lock.acquire();
          const waiting = outcome("a wait", () => rivalOf(lock).acquire());
          await until(
            "a waiter",
            async () => await server.own.command("ZCARD", `${key}:queue`) === 1,
            20_000,
          );
          await fill(`${key}:fence`, value);
          await outcome("a release", () => lease.release());
          await pendingAfter(50, waiting);
          await server.own.command("DEL", `${key}:fence`);
          const next = await within(2 * SOON_MS, "the next", waiting);
          if (!(next instanceof Error)) {
            await next.release();
          }
          await until(
            "a free lock",
            async () => await lock.holder() === null,
          );
        },
      }),
  );

  redisTest(
    "its queue: it is had or an error, and leaves nothing of ours",
    () =>
      fuzz("values of a queue", {
        rounds: 90,
        atOnce: 30,
        make: (random) => ({
          queue: random.once(3) ? makeFill(random, RECORD) : makeQueue(random),
          waiters: random.once(3)
            ? makeFill(random, RECORD)
            : makeWaiters(random),
        }),
        check: async ({ queue, waiters }) => {
          const { lock, key } = fresh();
          await fill(`${key}:queue`, queue);
          await fill(`${key}:waiters`, waiters);
          for (let i = 0; i < 2; i++) {
            const options = { timeoutMs: 100 };
            const lease = await outcome("it", () => lock.acquire(options));
            if (!(lease instanceof Error)) await assertFreed(lease);
          }
          await server.own.command("DEL", `${key}:queue`, `${key}:waiters`);
          const holder = await lock.holder();
          // Nobody of ours is left; a waiter that was made up may have it.
          assert.notEqual(holder?.pid, process.pid);
        },
      }),
  );
});

/** Whether the machine, or the server, was too busy to answer in time. */
function isLate({ message }: Error): boolean {
  return /no answer for/.test(message);
}

async function assertFreed(lease: Lease): Promise<void> {
  lease.assertHeld();
  const released = await outcome("a release", () => lease.release());
  // Else it frees itself.
  if (released instanceof Error) await pendingAfter(TERMS.ttlMs, never);
}

const never = new Promise<never>(() => {});

function rivalOf({ name }: RedisLock): RedisLock {
  const options = { hosts: server.own.host, ...TERMS };
  // By a connection of its own, so that it waits at the server.
  const apart: CreateRedisClient = (options) => createClient(options);
  return new RedisLock(name, { ...options, createClient: apart });
}

/** Numbers as they may be written, also such as are no tokens. */
function makeNumber(random: Random): string {
  return random.pick([
    ...["0", "-5", "007", "1.5", " 5", "1e3", "1e30", "-1e30", "0x7f", "inf"],
    ...[
      "nan",
      "",
      "9223372036854775807",
      "9223372036854775806",
      "1".repeat(60),
    ],
    ...["9007199254740993", "-9223372036854775808", "0x7fffffffffffffff"],
    String(nastyNumber(random)),
  ]);
}

function makeQueue(random: Random): Fill {
  const score = (): string =>
    random.pick(["0", "-1", "inf", "-inf", "1e308", "1.5"]);
  return ["ZADD", score(), "a-1", score(), nastyText(random), score(), "b-2"];
}

/** Records that are nearly such as waiters write. */
function makeWaiters(random: Random): Fill {
  const record = (): string => {
    const parts = [String(Date.now() + 60_000), "600", "1", "channel", "1/2/3"];
    parts[random.below(5)] = random.pick([
      ...["", "0", "-1", "1e3", "9".repeat(30), "x", " ", "%d", "\0"],
    ]);
    const text = `${parts.join(" ")} "host":"a","pid":5`;
    return random.once(3)
      ? new TextDecoder().decode(mutate(random, text)).slice(0, 10_000)
      : text;
  };
  return ["HSET", "a-1", record(), "b-2", record(), nastyText(random), ""];
}

describe("RedisLock's waiter that is sent", () => {
  redisTest("made-up messages takes none of them for a grant", async () => {
    const { lock, key } = fresh();
    const foreign = JSON.stringify(RECORD);
    await server.own.command("SET", key, foreign, "PX", "60000");
    const waiting = lock.acquire();
    await until(
      "a waiter",
      async () => await server.own.command("HLEN", `${key}:waiters`) === 1,
    );
    const [[owner], [record]] = await Promise.all(
      ["HKEYS", "HVALS"].map((command) =>
        server.own.command(command, `${key}:waiters`) as Promise<string[]>
      ),
    ) as [string[], string[]];
    const channel = record!.split(" ")[3]!;
    await fuzz("messages", {
      rounds: 300,
      make: (random) =>
        random.once(3)
          ? random.pick([
            ...[owner!, `${owner} `, `${owner} free`, `${owner} 5`],
            `${owner} ${nastyText(random)}`,
            nastyText(random),
          ])
          : `${owner} ${makeNumber(random)} ${makeStamp(random)}`,
      check: (message) => server.own.command("PUBLISH", channel, message),
    });
    assert.ok(await pendingAfter(300, waiting), "granted");
    assert.equal(await server.own.command("GET", key), foreign);
    await server.own.command("DEL", key);
    const lease = await within(SOON_MS, "the grant", waiting);
    lease.assertHeld();
    await lease.release();
  });
});

/** Stamps that no process of ours makes, or not before tomorrow. */
function makeStamp(random: Random): string {
  const number = (): string =>
    random.pick(["", "x", "NaN", "-1", "1e999", "1e15", "8e15", "Infinity"]);
  return `${number()}/${number()}/${random.below(5)}`;
}

describe("RedisLock whose value changes under a waiter", () => {
  redisTest(
    "again and again waits on, or hears why not",
    () =>
      fuzz("values under a waiter", {
        rounds: 40,
        atOnce: 20,
        make: (random) =>
          Array.from(
            { length: 6 },
            () => ["SET", nearJson(random, RECORD)] as Fill,
          ),
        check: async (values) => {
          const { lock, key } = fresh();
          await fill(key, ["SET", JSON.stringify(RECORD)]);
          const waiting = lock.acquire({ timeoutMs: 10_000 });
          for (const value of values) {
            await server.own.command(...["SET", key, value[1]!]);
            assert.ok(
              await pendingAfter(100, waiting),
              "granted, or an error",
            );
          }
          await server.own.command("DEL", key);
          await (await within(SOON_MS, "the grant", waiting)).release();
        },
      }),
  );
});
