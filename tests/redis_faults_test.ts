/** RedisLock when the server, the network or the holder fails. */
import assert from "node:assert/strict";
import { createServer, type Socket } from "node:net";
import { after, before, describe, it } from "node:test";
import { makeStamp, readStamp } from "../backends/redis/stamp.ts";
import { type Lease, RedisLock } from "../mod.ts";
import { uniqueName } from "./_names.ts";
import { Proxy } from "./_proxy.ts";
import { freePort, noRedis, RedisProcess, withRedis } from "./_redis.ts";
import { longRun } from "./_runtimes.ts";
import { sleep, timed, until, within } from "./_time.ts";

const skip = noRedis();
let server: RedisProcess;
let proxy: Proxy;

before(async () => {
  if (skip) return;
  server = await RedisProcess.start();
  proxy = await Proxy.start(server.port);
});

after(async () => {
  await proxy?.end();
  await server?.end();
});

const TERMS = { ttlMs: 1000, heartbeatIntervalMs: 250 };

// A machine that others use, too, is late by so much now and then.
const LATE_MS = 150;

function lockThrough(host: string, name = uniqueName()): RedisLock {
  return new RedisLock(name, { hosts: host, ...TERMS });
}

/** When a lease's signal aborts, on this process's clock. */
function lostAt(lease: Lease): Promise<number> {
  return new Promise((resolve) => {
    lease.signal.addEventListener("abort", () => resolve(performance.now()));
  });
}

async function keyOf(lock: RedisLock): Promise<string | null> {
  return await server.command("GET", `locking:{${lock.name}}`) as string | null;
}

describe("RedisLock through a network that fails", () => {
  const rounds = longRun() ? 200 : 12;
  it(
    `a holder that is cut off is told by one time to live after its last renewal, ${rounds} times`,
    { skip },
    async () => {
      const trials = Array.from({ length: rounds }, async () => {
        const lock = lockThrough(proxy.host);
        const lease = await lock.acquire();
        const lost = lostAt(lease);
        return { lock, lease, lost };
      });
      const held = await Promise.all(trials);
      await sleep(600);
      proxy.mode = "cut";
      const cut = performance.now();
      for (const { lost, lease, lock } of held) {
        const at = await within(5000, "the loss", lost);
        // The last heartbeat was sent before the cut, one interval at the most.
        assert.ok(at - cut <= TERMS.ttlMs + LATE_MS, `${at - cut} ms`);
        assert.ok(at - cut >= 500, `${at - cut} ms`);
        assert.throws(() => lease.assertHeld(), { code: "LOCK_LOST" });
        assert.equal(lock.locked, false);
      }
      proxy.mode = "pass";
      proxy.reset();
      await Promise.all(held.map(({ lease }) => lease.release()));
    },
  );

  for (const mode of ["hold", "drop", "cut"] as const) {
    it(`a cut shorter than the time to live loses nothing (${mode})`, {
      skip,
    }, async () => {
      const lease = await lockThrough(proxy.host).acquire();
      for (let i = 0; i < 3; i++) {
        await sleep(300);
        proxy.mode = mode;
        await sleep(450);
        proxy.mode = "pass";
        await sleep(450);
        lease.assertHeld();
      }
      assert.equal(lease.signal.aborted, false);
      await lease.release();
    });
  }

  it("connections that break again and again lose nothing", {
    skip,
  }, async () => {
    const lease = await lockThrough(proxy.host).acquire();
    for (let i = 0; i < 20; i++) {
      await sleep(100);
      proxy.reset();
    }
    lease.assertHeld();
    await lease.release();
  });

  it("validity counts from before the request was sent, not from the answer", {
    skip,
  }, async () => {
    const lock = lockThrough(proxy.host);
    await lock.withLock(() => {});
    proxy.mode = "hold";
    const began = performance.now();
    const waiting = lock.acquire();
    await sleep(500);
    proxy.mode = "pass";
    const lease = await waiting;
    proxy.mode = "cut";
    const at = await within(2000, "the loss", lostAt(lease));
    // A call is sent again after a tenth of the time to live, until it is
    // answered; it is the first answer that counts.
    assert.ok(at - began <= TERMS.ttlMs + LATE_MS, `${at - began} ms`);
    proxy.mode = "pass";
    proxy.reset();
    await lease.release();
  });

  it("a grant whose answer comes after its own end is not handed out", {
    skip,
  }, async () => {
    const options = { hosts: proxy.host, ttlMs: 100 };
    const lock = new RedisLock(uniqueName(), options);
    await lock.withLock(() => {});
    proxy.mode = "hold";
    const waiting = lock.acquire();
    await sleep(250);
    proxy.mode = "pass";
    const outcome = await waiting.then((lease) => {
      lease.assertHeld();
      return "held";
    }, (error) => error.code as string);
    // Either a later try brought it, or none did.
    assert.match(outcome, /held|LOCK_BACKEND/);
    if (outcome === "held") await lock.release();
    await until("no key", async () => await keyOf(lock) === null);
  });

  it(
    "a wait whose grants all come after their own end ends with LOCK_BACKEND",
    {
      skip,
    },
    async () => {
      const name = uniqueName();
      const own = new RedisLock(name, { hosts: server.host });
      const lease = await own.acquire();
      const options = { hosts: proxy.host, ttlMs: 100 };
      const waiting = new RedisLock(name, options).acquire();
      const end = assert.rejects(waiting, { message: /ttlMs allows/ });
      await until("a place", async () => {
        const place = `locking:{${name}}:queue`;
        return await server.command("EXISTS", place) === 1;
      });
      // Longer than its time to live.
      proxy.delay = () => 110;
      try {
        await lease.release();
        await within(20_000, "the end", end);
      } finally {
        proxy.delay = () => 0;
      }
    },
  );

  it("a grant whose message tells of an old refresh is not handed out", {
    skip,
  }, async () => {
    const lock = lockThrough(server.host);
    const lease = await lock.acquire();
    const waiting = lockThrough(proxy.host, lock.name).acquire();
    await waiters(lock.name, 1);
    await age(lock.name, 2 * TERMS.ttlMs);
    await lease.release();
    // It asks again, and is told of a grant that it can trust.
    const theirs = await within(3000, "the grant", waiting);
    theirs.assertHeld();
    await theirs.release();
  });

  for (const mode of ["drop", "hold"] as const) {
    it(`an answer lost on acquire leaves no orphan (${mode})`, {
      skip,
    }, async () => {
      // An orphan would end after 5 s.
      const lock = new RedisLock(uniqueName(), { hosts: proxy.host });
      await lock.withLock(() => {});
      proxy.mode = mode;
      const waiting = lock.acquire();
      await until("a grant", async () => await keyOf(lock) !== null);
      proxy.mode = "pass";
      const lease = await within(3000, "the grant", waiting);
      lease.assertHeld();
      await lease.release();
      assert.equal(await keyOf(lock), null);
    });

    it(`an answer lost on release is no loss, and leaves no orphan (${mode})`, {
      skip,
    }, async () => {
      const lock = lockThrough(proxy.host);
      const lease = await lock.acquire();
      proxy.mode = mode;
      const done = lock.release();
      await until("a release", async () => await keyOf(lock) === null);
      proxy.mode = "pass";
      await within(3000, "the release", done);
      assert.equal(lease.signal.aborted, false);
    });
  }

  it(
    "a server that is silent to its first connection alone is used by another",
    {
      skip,
    },
    async () => {
      const hosts = `redis://${proxy.host}/1`;
      const lock = new RedisLock(uniqueName(), { hosts });
      proxy.mode = "drop";
      await assert.rejects(lock.tryAcquire(), { code: "LOCK_BACKEND" });
      // What that connection waits for is lost for good.
      proxy.mode = "pass";
      await until("a grant", async () => {
        const lease = await lock.tryAcquire().catch(() => null);
        await lease?.release();
        return lease !== null;
      }, 10_000);
    },
  );

  it("an attempt none of whose answers comes leaves no orphan", {
    skip,
  }, async () => {
    const lock = new RedisLock(uniqueName(), { hosts: proxy.host });
    await lock.withLock(() => {});
    proxy.mode = "drop";
    await assert.rejects(lock.tryAcquire(), { code: "LOCK_BACKEND" });
    proxy.mode = "pass";
    // Long before its time to live is over.
    await until("no key", async () => await keyOf(lock) === null, 1500);
  });

  it("an aborted attempt whose answer is lost leaves no orphan", {
    skip,
  }, async () => {
    const lock = lockThrough(proxy.host);
    await lock.withLock(() => {});
    proxy.mode = "drop";
    const controller = new AbortController();
    const waiting = lock.acquire({ signal: controller.signal });
    await until("a grant", async () => await keyOf(lock) !== null);
    controller.abort(new Error("enough"));
    await assert.rejects(waiting, { message: "enough" });
    proxy.mode = "pass";
    await until("no key", async () => await keyOf(lock) === null, 900);
  });

  it("waiters are served although their messages are lost", {
    skip,
  }, async () => {
    const name = uniqueName();
    const holder = lockThrough(server.host, name);
    const lease = await holder.acquire();
    const waiting = lockThrough(proxy.host, name).acquire();
    await waiters(name, 1);
    proxy.mode = "drop";
    await lease.release();
    // The message is on its way to be lost.
    await sleep(50);
    proxy.mode = "pass";
    const theirs = await within(2000, "the grant", waiting);
    theirs.assertHeld();
    await theirs.release();
  });
});

/** Has the server believe that a waiter's last refresh was made earlier. */
async function age(name: string, ms: number): Promise<void> {
  const key = `locking:{${name}}:waiters`;
  const [owner] = await server.command("HKEYS", key) as string[];
  const record = await server.command("HGET", key, owner!) as string;
  const older = record.replace(/\S+\/\S+\/\S+/, (stamp) => {
    const { monotonic, wall } = readStamp(stamp);
    return makeStamp({ monotonic: monotonic - ms, wall });
  });
  await server.command("HSET", key, owner!, older);
}

async function waiters(name: string, count: number): Promise<void> {
  await until(`${count} waiters`, async () => {
    return await server.command("ZCARD", `locking:{${name}}:queue`) === count;
  });
}

describe("RedisLock of a server that forgets", () => {
  it(
    "FLUSHALL: the holder is told within a heartbeat, and the next token is greater",
    {
      skip,
    },
    async () => {
      const lock = lockThrough(server.host);
      const lease = await lock.acquire();
      const lost = lostAt(lease);
      await server.command("FLUSHALL");
      const flushed = performance.now();
      const at = await within(2000, "the loss", lost);
      assert.ok(at - flushed <= TERMS.heartbeatIntervalMs + LATE_MS);
      const next = await lock.acquire();
      assert.ok(next.fencingToken! > lease.fencingToken!);
      await next.release();
    },
  );

  it("a restart without persistence: the same, and a waiter gets the lock", {
    skip,
  }, () =>
    withRedis(1, async ([own]) => {
      const name = uniqueName();
      const lease = await lockThrough(own!.host, name).acquire();
      const lost = lostAt(lease);
      const waiting = lockThrough(own!.host, name).acquire();
      await own!.restart();
      const restarted = performance.now();
      const at = await within(2000, "the loss", lost);
      assert.ok(at - restarted <= 2 * TERMS.heartbeatIntervalMs + LATE_MS);
      const next = await within(5000, "the grant", waiting);
      assert.ok(next.fencingToken! > lease.fencingToken!);
      await next.release();
    }));

  it("withLock() rejects with LOCK_LOST when the server forgot meanwhile", {
    skip,
  }, async () => {
    const lock = lockThrough(server.host);
    const work = lock.withLock(() => server.command("FLUSHALL"));
    await assert.rejects(work, { code: "LOCK_LOST" });
    await lock.withLock(() => {});
  });
});

describe("RedisLock of a server that refuses for a while", () => {
  it("a lease is kept although renewals are refused for half of its time", {
    skip,
  }, () =>
    withRedis(1, async ([own]) => {
      const lease = await lockThrough(own!.host).acquire();
      const nobody = String(await freePort());
      await own!.command("REPLICAOF", "127.0.0.1", nobody);
      await sleep(TERMS.ttlMs / 2);
      await own!.command("REPLICAOF", "NO", "ONE");
      await sleep(TERMS.ttlMs);
      lease.assertHeld();
      assert.equal(lease.signal.aborted, false);
      await lease.release();
    }));
});

describe("RedisLock of a server that has refused a renewal", () => {
  it(
    "is asked again before the next heartbeat",
    { skip },
    () =>
      withRedis(1, async ([own]) => {
        const terms = { ttlMs: 2000, heartbeatIntervalMs: 900 };
        const lock = new RedisLock(uniqueName(), {
          hosts: own!.host,
          ...terms,
        });
        const lease = await lock.acquire();
        const key = `locking:{${lock.name}}`;
        const nobody = String(await freePort());
        await own!.command("REPLICAOF", "127.0.0.1", nobody);
        await sleep(terms.ttlMs / 2); // The first heartbeat comes meanwhile.
        await own!.command("REPLICAOF", "NO", "ONE");
        const isRenewed = async (): Promise<boolean> =>
          Number(await own!.command("PTTL", key)) > terms.ttlMs / 2;
        await until("a renewal", isRenewed, 450);
        await lease.release();
      }),
  );
});

describe("RedisLock of a server that cannot be used", () => {
  it("fails at once with LOCK_BACKEND where nobody listens", {
    skip,
  }, async () => {
    const port = await freePort();
    const lock = lockThrough(`127.0.0.1:${port}`);
    for (
      const use of [
        () => lock.acquire(),
        () => lock.tryAcquire(),
        () => lock.acquire({ timeoutMs: 0 }),
        () => lock.withLock(() => {}),
        () => lock.holder(),
      ]
    ) {
      const { ms, error } = await timed<unknown>(use);
      assert.ok(ms < 1500, `${ms} ms`);
      isBackendError(error, new RegExp(`127.0.0.1:${port}.*REFUSED`));
    }
  });

  it("fails with LOCK_BACKEND within the timeout where nobody answers", {
    skip,
  }, async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => sockets.push(socket));
    await new Promise<void>((resolve) =>
      silent.listen(0, "127.0.0.1", resolve)
    );
    const { port } = silent.address() as { port: number };
    const lock = lockThrough(`127.0.0.1:${port}`);
    const { ms, error } = await timed(() => lock.acquire({ timeoutMs: 600 }));
    assert.ok(ms < 900, `${ms} ms`);
    isBackendError(error, /no answer for \d+ ms/);
    const other = lockThrough(`127.0.0.1:${port}`);
    const once = await timed(() => other.tryAcquire());
    assert.ok(once.ms < 3000, `${once.ms} ms`);
    isBackendError(once.error, /no answer for \d+ ms/);
    silent.close();
    sockets.forEach((socket) => socket.destroy());
  });

  it("a wrong password, a read-only replica and a full memory each say so", {
    skip,
  }, async () => {
    await withRedis(1, async ([own]) => {
      await own!.command("CONFIG", "SET", "requirepass", "right");
      const wrong = lockThrough(`redis://:wrong@${own!.host}`);
      const { error } = await timed(() => wrong.acquire({ timeoutMs: 2000 }));
      isBackendError(error, /check user and password/);
      assert.doesNotMatch(String(error), /wrong@/);
      const none = lockThrough(own!.host);
      isBackendError((await timed(() => none.acquire())).error, /check user/);
    });
    await withRedis(2, async ([master, replica]) => {
      const { port } = master!;
      await replica!.command("REPLICAOF", "127.0.0.1", String(port));
      const lock = lockThrough(replica!.host);
      const { error } = await timed(() => lock.acquire());
      isBackendError(error, /this is a replica/);
    });
    await withRedis(1, async ([own]) => {
      const held = await lockThrough(own!.host).acquire();
      await own!.command("CONFIG", "SET", "maxmemory", "1");
      const { error } = await timed(() => lockThrough(own!.host).acquire());
      isBackendError(error, /out of memory/);
      await sleep(TERMS.ttlMs * 1.5);
      held.assertHeld();
      await held.release();
    });
  });

  it("a wait ends with LOCK_BACKEND when the server is gone for long", {
    skip,
  }, () =>
    withRedis(1, async ([own]) => {
      const name = uniqueName();
      const key = `locking:{${name}}`;
      await own!.command("SET", key, "somebody else's");
      const waiting = lockThrough(own!.host, name).acquire();
      await until("a waiter", async () => {
        return await own!.command("ZCARD", `${key}:queue`) === 1;
      });
      await own!.kill();
      const { ms, error } = await timed(() => waiting);
      isBackendError(error, new RegExp(own!.host));
      assert.ok(ms > 3000 && ms < 9000, `${ms} ms`);
    }));

  it("release() tells when the server is gone, and gives up with the lease", {
    skip,
  }, () =>
    withRedis(1, async ([own]) => {
      const lock = lockThrough(own!.host);
      const lease = await lock.acquire();
      await own!.kill();
      const { ms, error } = await timed(() => lease.release());
      isBackendError(error, /Cannot release .* it frees itself/);
      assert.ok(ms < TERMS.ttlMs + LATE_MS, `${ms} ms`);
      // The next one fails by itself, and does not hang behind the last.
      isBackendError((await timed(() => lock.tryAcquire())).error, /REFUSED/);
    }));
});

function isBackendError(error: unknown, message: RegExp): void {
  const { code } = error as { code?: string };
  assert.equal(code, "LOCK_BACKEND", String(error));
  assert.match((error as Error).message, message);
}
