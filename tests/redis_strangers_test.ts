/** RedisLock and other programs' keys: Python's `locking`, and worse. */
import assert from "node:assert/strict";
import { hostname } from "node:os";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { createClient } from "redis";
import {
  type CreateRedisClient,
  RedisLock,
  type RedisLockOptions,
} from "../backends/redis.ts";
import type { Lease } from "../mod.ts";
import { Child } from "./_child.ts";
import { uniqueName } from "./_names.ts";
import { noProgram } from "./_platform.ts";
import { fixture } from "./_fixture.ts";
import { noRedis, RedisProcess } from "./_redis.ts";
import { pendingAfter, sleep, timed, until, within } from "./_time.ts";

// The one that Debian's packages are for; another may come first in the path.
const PYTHON = "/usr/bin/python3";
const TERMS = { ttlMs: 1000, heartbeatIntervalMs: 250 };

// A machine that others use, too, is late by so much now and then.
const LATE_MS = 200;

const skip = noRedis();
const noPython = skip || noPythonRedis();
let server: RedisProcess;

before(async () => {
  if (!skip) server = await RedisProcess.start();
});

after(() => server?.end());

function noPythonRedis(): string | false {
  return noProgram(PYTHON, "-c", "import redis") &&
    `${PYTHON} has no redis: apt-get install python3-redis`;
}

/** A process with the original's requests. */
class Python {
  readonly child: Child;

  private constructor() {
    const file = fixture("python_locking.py");
    this.child = new Child([PYTHON, file, String(server.port)]);
  }

  static async start(): Promise<Python> {
    const python = new Python();
    await python.child.line("ready");
    return python;
  }

  async ask(...request: (string | number)[]): Promise<string> {
    const { child } = this;
    const answer = new Promise<string>((resolve, reject) => {
      child.onLine(resolve);
      child.exited.then(() => reject(new Error(child.describe())));
    });
    child.write(request.join(" "));
    return await within(5000, request.join(" "), answer);
  }
}

function test(name: string, run: () => Promise<void>): void {
  it(name, { skip }, run);
}

function withPython(
  name: string,
  run: (python: Python) => Promise<void>,
): void {
  it(name, { skip: noPython }, async () => {
    const python = await Python.start();
    await run(python).finally(() => python.child.end());
  });
}

/** A lock that Python's excludes, on a key with the bare name. */
function bare(
  name = uniqueName(),
  options: RedisLockOptions = TERMS,
): RedisLock {
  const { host: hosts } = server;
  return new RedisLock(name, { hosts, keyPrefix: "", ...options });
}

async function get(name: string): Promise<string | null> {
  return await server.command("GET", name) as string | null;
}

async function timeToLive(name: string): Promise<number> {
  return Number(await server.command("PTTL", name));
}

async function assertLostWithinHeartbeat(lease: Lease): Promise<void> {
  const lost = new Promise((resolve) => {
    lease.signal.addEventListener("abort", resolve);
  });
  const { ms } = await timed(() => within(2000, "the loss", lost));
  assert.ok(ms <= TERMS.heartbeatIntervalMs + LATE_MS, `${ms} ms`);
  assert.throws(() => lease.assertHeld(), { code: "LOCK_LOST" });
}

/** Runs something of ours, through which Python's key lives on unchanged. */
async function assertUntouched(
  name: string,
  run: () => Promise<unknown>,
): Promise<void> {
  const value = await get(name);
  const leftMs = await timeToLive(name);
  assert.ok(value !== null && leftMs > 0);
  const start = performance.now();
  await run();
  const ms = performance.now() - start;
  assert.equal(await get(name), value);
  const stillMs = await timeToLive(name);
  // The server counts in whole milliseconds.
  assert.ok(stillMs <= leftMs - ms + 3, `${leftMs}, ${ms} later ${stillMs}`);
}

describe("RedisLock without a prefix and Python's locking", () => {
  withPython("ours keeps Python's out until it is released", async (python) => {
    const lock = bare();
    const lease = await lock.acquire();
    for (let i = 0; i < 20; i++) {
      assert.equal(await python.ask("acquire", lock.name, 5000), "refused");
      // The original's EXPIRE takes milliseconds for seconds.
      const leftMs = await timeToLive(lock.name);
      assert.ok(leftMs > 0 && leftMs <= TERMS.ttlMs, `${leftMs} ms`);
      await sleep(TERMS.ttlMs / 10);
    }
    const holder = await lock.holder();
    assert.equal(holder?.host, hostname());
    assert.equal(holder?.pid, process.pid);
    assert.equal(holder?.fencingToken, lease.fencingToken);
    lease.assertHeld();
    await lease.release();
    assert.equal(await python.ask("acquire", lock.name, 5000), "held");
  });

  withPython(
    "Python's keeps ours out, and is waited for",
    async (python) => {
      const lock = bare();
      const { name } = lock;
      assert.equal(await python.ask("acquire", name, 1500), "held");
      assert.equal(await lock.tryAcquire(), null);
      const { expiresAt, ...who } = (await lock.holder())!;
      assert.deepEqual(who, { host: hostname(), pid: python.child.pid });
      // By the server, not by what Python wrote there.
      assert.ok(expiresAt!.getTime() <= Date.now() + 1500);
      await assert.rejects(lock.acquire({ timeoutMs: 100 }), {
        code: "LOCK_TIMEOUT",
        message: new RegExp(`held by .*${python.child.pid}`),
      });
      const waiting = lock.acquire();
      for (let i = 0; i < 3; i++) {
        assert.equal(await pendingAfter(700, waiting), true);
        assert.equal(await python.ask("heartbeat", name, 1500), "beaten");
      }
      assert.equal(await python.ask("release", name), "deleted");
      await (await within(2000, "the grant", waiting)).release();
      assert.equal(await lock.holder(), null);
    },
  );

  withPython(
    "a Python holder that dies is succeeded after its TTL",
    async (python) => {
      const lock = bare();
      const waiter = bare(lock.name);
      assert.equal(await python.ask("acquire", lock.name, 1500), "held");
      await python.child.end();
      const leftMs = await timeToLive(lock.name);
      const waiting = timed(() => waiter.acquire({ timeoutMs: 5000 }));
      const { ms, value: lease } = await waiting;
      assert.ok(ms >= leftMs - 5 && ms <= leftMs + LATE_MS, `${ms}, ${leftMs}`);
      await lease!.release();
    },
  );

  withPython(
    "our fencing tokens increase across Python's leases",
    async (python) => {
      const lock = bare();
      const tokens: bigint[] = [];
      for (let i = 0; i < 5; i++) {
        await lock.withLock(({ fencingToken }) => tokens.push(fencingToken!));
        assert.equal(await python.ask("acquire", lock.name, 5000), "held");
        await python.ask("release", lock.name);
      }
      assert.ok(tokens.every((token, i) => i === 0 || token > tokens[i - 1]!));
    },
  );
});

describe("RedisLock whose key Python's locking takes away", () => {
  const thefts: Record<string, string[][]> = {
    "deletes": [["release"], ["acquire", "5000"]],
    "overwrites": [["heartbeat", "5000"]],
  };
  for (const [title, requests] of Object.entries(thefts)) {
    const steal = async (python: Python, name: string): Promise<void> => {
      for (const [request = "", ...ms] of requests) {
        assert.notEqual(await python.ask(request, name, ...ms), "gone");
      }
    };

    withPython(
      `its holder is told, and touches it no more (${title})`,
      async (python) => {
        const lock = bare();
        const lease = await lock.acquire();
        await steal(python, lock.name);
        await assertUntouched(lock.name, async () => {
          if (!lease.signal.aborted) await assertLostWithinHeartbeat(lease);
          // What heartbeats there were to come would come now.
          await sleep(2 * TERMS.heartbeatIntervalMs);
          await lease.release();
          await assert.rejects(lock.release(), { code: "LOCK_NOT_HELD" });
        });
        assert.equal(await lock.tryAcquire(), null);
      },
    );

    withPython(
      `release() of it is LOCK_LOST, and touches it not (${title})`,
      async (python) => {
        const lock = bare(uniqueName(), { ttlMs: 60_000 });
        const lease = await lock.acquire();
        await steal(python, lock.name);
        await assertUntouched(lock.name, async () => {
          await assert.rejects(lock.release(), { code: "LOCK_LOST" });
          await lease.release();
        });
      },
    );
  }

  test("a deleted key is not restored by a heartbeat", async () => {
    const lock = bare();
    const lease = await lock.acquire();
    await server.command("DEL", lock.name);
    await assertLostWithinHeartbeat(lease);
    await sleep(2 * TERMS.heartbeatIntervalMs);
    await lease.release();
    assert.equal(await get(lock.name), null);
  });
});

describe("RedisLock without the original's faults", () => {
  test("neither heartbeat nor release of a lost lease touches its successor", async () => {
    const lock = bare();
    const lease = await lock.acquire();
    const record = (await get(lock.name))!;
    const next = record.replace(/"token":"[^"]*"/, '"token":"successor-1"');
    assert.notEqual(next, record);
    await server.command("SET", lock.name, next, "PX", "5000");
    await assertUntouched(lock.name, async () => {
      await assertLostWithinHeartbeat(lease);
      await sleep(2 * TERMS.heartbeatIntervalMs);
      await lease.release();
    });
  });

  test("release() before acquire() harms neither the next lease nor another's", async () => {
    const lock = bare();
    const early = { code: "LOCK_NOT_HELD" };
    await assert.rejects(lock.release(), early);
    const lease = await lock.acquire();
    await assert.rejects(bare(lock.name).release(), early);
    await sleep(1.5 * TERMS.ttlMs);
    lease.assertHeld();
    assert.ok(await get(lock.name));
    await lease.release();
  });
});

describe("RedisLock whose key is of another type", () => {
  const foreign = {
    code: "LOCK_BACKEND",
    message: /something else keeps the lock's key: use another keyPrefix/,
  };

  test("every use fails at once with LOCK_BACKEND, and the key stays", async () => {
    const lock = bare();
    await server.command("RPUSH", lock.name, "precious");
    const uses = [
      () => lock.tryAcquire(),
      () => lock.acquire(),
      () => lock.acquire({ timeoutMs: 0 }),
      () => lock.acquire({ timeoutMs: 5000 }),
      () => lock.withLock(() => {}),
      () => lock.holder(),
    ];
    for (const use of uses) {
      const refused = assert.rejects(use, foreign);
      await within(1000, "the refusal", refused);
    }
    const kept = await server.command("LRANGE", lock.name, "0", "-1");
    assert.deepEqual(kept, ["precious"]);
    assert.deepEqual(await server.keys(`*${lock.name}*`), [lock.name]);
  });

  test("a holder is told within a heartbeat, and a waiter as soon", async () => {
    const lock = bare();
    const lease = await lock.acquire();
    // By a connection of its own, so that it waits at the server.
    const apart: CreateRedisClient = (options) => createClient(options);
    const waiter = bare(lock.name, { ...TERMS, createClient: apart });
    const refused = assert.rejects(waiter.acquire(), foreign);
    await until("a waiter", async () => {
      return await server.command("ZCARD", `{${lock.name}}:queue`) === 1;
    });
    await server.command("DEL", lock.name);
    await server.command("RPUSH", lock.name, "precious");
    await assertLostWithinHeartbeat(lease);
    await within(2000, "the refusal", refused);
    await lease.release();
    assert.equal(await server.command("LLEN", lock.name), 1);
  });
});

describe("RedisLock whose key is overwritten while somebody waits", () => {
  // Each of them once ended the waiter's process, or its list of locks.
  const values: Record<string, string> = {
    "a time of which no number can be made":
      '{"acquired":{"toString":0,"valueOf":0}}',
    "a time that is nested without an end": `{"acquired":${"[".repeat(20_000)}${
      "]".repeat(20_000)
    }}`,
    "a token of more digits than a number may have": `{"fence":${
      "9".repeat(400_000)
    }}`,
  };
  for (const [title, value] of Object.entries(values)) {
    test(`by ${title}: it waits on`, async () => {
      const lock = bare();
      // So long that no date tells its end.
      const ms = "9000000000000000";
      await server.command("SET", lock.name, "{}", "PX", ms);
      const waiting = lock.acquire();
      assert.equal(await pendingAfter(100, waiting), true);
      await server.command("SET", lock.name, value, "PX", ms);
      assert.equal(await pendingAfter(600, waiting), true);
      const holder = await lock.holder();
      assert.deepEqual(holder, { host: "", pid: 0 });
      await server.command("DEL", lock.name);
      await (await within(2000, "the grant", waiting)).release();
    });
  }
});
