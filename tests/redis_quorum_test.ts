/** RedisLock on a quorum of five servers. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { HeldLease } from "../backends/core/held_lease.ts";
import { RedisLock } from "../mod.ts";
import { uniqueName } from "./_names.ts";
import { withProcesses } from "./_processes.ts";
import { Proxy } from "./_proxy.ts";
import { noRedis, type RedisProcess, withRedis } from "./_redis.ts";
import { currentRuntime, nthRuntime } from "./_runtimes.ts";
import { timed, until, within } from "./_time.ts";

const skip = noRedis();
const TERMS = { ttlMs: 1000, heartbeatIntervalMs: 250 };

function create(servers: readonly RedisProcess[], name: string): RedisLock {
  const hosts = servers.map(({ host }) => host);
  return new RedisLock(name, { hosts, ...TERMS });
}

describe("RedisLock on a quorum", () => {
  testOutages();
  testTrust();
  testLateVote();
  testVotes();
  testLoss();
});

function testOutages(): void {
  for (const how of ["dead", "silent"] as const) {
    it(`of five servers works with two that are ${how}`, {
      skip,
    }, () =>
      withRedis(5, async (servers) => {
        const name = uniqueName();
        await disable(servers.slice(0, 2), how);
        let last = 0n;
        for (let i = 0; i < 20; i++) {
          const lease = await create(servers, name).acquire({
            timeoutMs: 5000,
          });
          assert.ok(lease.fencingToken! > last);
          last = lease.fencingToken!;
          assert.equal(await create(servers, name).tryAcquire(), null);
          await lease.release();
        }
        await enable(servers.slice(0, 2), how);
      }));

    it(
      `of five servers with three that are ${how} says so, and leaves nothing behind`,
      {
        skip,
      },
      () =>
        withRedis(5, async (servers) => {
          const lock = create(servers, uniqueName());
          await lock.withLock(() => {});
          await disable(servers.slice(0, 3), how);
          const { ms, error } = await timed(() =>
            lock.acquire({ timeoutMs: 2000 })
          );
          assert.equal((error as { code: string }).code, "LOCK_BACKEND");
          assert.ok(ms < 2000 + 150, `${ms} ms`);
          for (const { host } of servers.slice(0, 3)) {
            assert.match((error as Error).message, new RegExp(host));
          }
          for (const server of servers.slice(3)) {
            assert.deepEqual(await server.keys(), [
              `locking:{${lock.name}}:fence`,
            ]);
          }
          await enable(servers.slice(0, 3), how);
        }),
    );

    it(
      `of five servers with one that is ${how} keeps no script alive that has freed it`,
      { skip },
      () =>
        withRedis(5, (servers) =>
          withProcesses(async ({ script }) => {
            const hosts = servers.map(({ host }) => host);
            const options = { hosts, ttlMs: 60_000 };
            const spec = { kind: "RedisLock", name: uniqueName(), options };
            await disable(servers.slice(0, 1), how);
            const args = ["frees", JSON.stringify(spec)];
            const child = script(currentRuntime(), "script.ts", ...args);
            await child.line("freed");
            // Far less than the lease would have lasted.
            await within(5000, "the end by itself", child.exited);
            for (const server of servers.slice(1)) {
              const fence = `locking:{${spec.name}}:fence`;
              assert.deepEqual(await server.keys(), [fence]);
            }
            await enable(servers.slice(0, 1), how);
          })),
    );
  }
}

async function disable(
  servers: readonly RedisProcess[],
  how: "dead" | "silent",
): Promise<void> {
  for (const server of servers) {
    if (how === "dead") await server.kill();
    else server.signal("SIGSTOP");
  }
}

async function enable(
  servers: readonly RedisProcess[],
  how: "dead" | "silent",
): Promise<void> {
  for (const server of servers) {
    if (how === "dead") await server.start();
    else server.signal("SIGCONT");
  }
}

function testTrust(): void {
  it(
    "takes half of the servers for no majority",
    { skip },
    () =>
      withRedis(2, async (servers) => {
        const lock = create(servers, uniqueName());
        await lock.withLock(() => {});
        await servers[1]!.kill();
        await assert.rejects(lock.tryAcquire(), { code: "LOCK_BACKEND" });
        await servers[1]!.start();
      }),
  );

  it("trusts a lease less long than its servers, whose clocks may be fast", {
    skip,
  }, () =>
    withRedis(3, async (servers) => {
      const hosts = servers.map(({ host }) => host);
      // So long that what the answers take is less than the difference.
      const lock = new RedisLock(uniqueName(), { hosts, ttlMs: 20_000 });
      const lease = await lock.acquire() as HeldLease;
      assert.ok(lease.remainingMs <= 0.99 * 20_000);
      await lease.release();
    }));
}

function testLateVote(): void {
  it("leaves nothing behind where the answer came too late to count", {
    skip,
  }, () =>
    withRedis(3, async (servers) => {
      const slow = await Proxy.start(servers[2]!.port);
      const name = uniqueName();
      const hosts = [servers[0]!.host, servers[1]!.host, slow.host];
      const lock = new RedisLock(name, {
        hosts,
        ttlMs: 2000,
        heartbeatIntervalMs: 600,
      });
      try {
        await lock.withLock(() => {});
        await disable(servers.slice(0, 2), "dead");
        slow.mode = "hold";
        await assert.rejects(lock.acquire(), { code: "LOCK_BACKEND" });
        // What was sent to it arrives soon, and long before the key would end.
        const left = `locking:{${name}}:fence`;
        await until("nothing but the fence", async () => {
          return String(await servers[2]!.keys()) === left;
        }, 1000);
      } finally {
        slow.mode = "pass";
        await slow.end();
      }
    }));
}

function testVotes(): void {
  for (const count of [2, 4]) {
    it(`of ${count} servers settles although votes may be split`, {
      skip,
    }, () =>
      withRedis(count, (servers) =>
        withProcesses(async (processes) => {
          const name = uniqueName();
          const hosts = servers.map(({ host }) => host);
          const workers = await Promise.all(
            [0, 1, 2].map((i) => processes.worker(nthRuntime(i))),
          );
          // A busy machine takes more of a second than votes need.
          const options = { hosts };
          const locks = await Promise.all(
            workers.map((worker) =>
              worker.create({ kind: "RedisLock", name, options })
            ),
          );
          for (let round = 0; round < 5; round++) {
            const takes = locks.map(async (lock) => {
              await within(10_000, "a grant", lock.acquire().granted);
              await lock.release();
            });
            await Promise.all(takes);
          }
        })));
  }

  it(
    "of 2 servers settles a vote of 1 to 1, and keeps nothing",
    { skip },
    () =>
      withRedis(2, async (servers) => {
        const lock = create(servers, uniqueName());
        const key = `locking:{${lock.name}}`;
        await lock.withLock(() => {});
        await servers[1]!.command("SET", key, "another's", "PX", "60000");
        assert.equal(await within(2000, "a verdict", lock.tryAcquire()), null);
        assert.equal(await servers[0]!.command("EXISTS", key), 0);
        await servers[1]!.command("DEL", key);
        await within(2000, "the lock", lock.withLock(() => {}));
      }),
  );

  it("gives greater tokens although its servers' tokens are far apart", {
    skip,
  }, () =>
    withRedis(3, async (servers) => {
      const lock = create(servers, uniqueName());
      const far = String(2n ** 52n);
      const key = `locking:{${lock.name}}:fence`;
      await servers[0]!.command("SET", key, far);
      // So that the one with the greatest token is in the majority.
      servers[2]!.signal("SIGSTOP");
      const first = await lock.acquire();
      await lock.release();
      servers[2]!.signal("SIGCONT");
      assert.equal(first.fencingToken, BigInt(far) + 1n);
      // The one that knew of it is gone: a majority knows now.
      await servers[0]!.kill();
      const second = await lock.acquire();
      assert.ok(second.fencingToken! > first.fencingToken!);
      await lock.release();
    }));

  it(
    "says of a lock neither that it is free nor who has it where that is not known",
    {
      skip,
    },
    () =>
      withRedis(3, async (servers) => {
        const hosts = servers.map(({ host }) => host);
        // It outlasts the silence.
        const lock = new RedisLock(uniqueName(), { hosts, ttlMs: 60_000 });
        await lock.withLock(() => {});
        const key = `locking:{${lock.name}}`;
        const kept = async (): Promise<number> => {
          const looks = servers.map((own) => own.command("EXISTS", key));
          return (await Promise.all(looks)).filter((found) => found === 1)
            .length;
        };
        await until("an end everywhere", async () => await kept() === 0);
        const lease = await lock.acquire();
        await until("all grants", async () => await kept() === 3);
        await servers[1]!.command("DEL", key);
        await disable([servers[2]!], "silent");
        await assert.rejects(lock.holder(), { code: "LOCK_BACKEND" });
        await enable([servers[2]!], "silent");
        assert.ok(await lock.holder());
        await lease.release();
      }),
  );

  it("says that no majority answers also where another has the one that does", {
    skip,
  }, () =>
    withRedis(3, async (servers) => {
      const name = uniqueName();
      const [first, ...others] = servers;
      const lock = create(servers, name);
      await lock.withLock(() => {});
      const rival = create([first!], name);
      const lease = await rival.acquire();
      await disable([others[0]!], "dead");
      await disable([others[1]!], "silent");
      await assert.rejects(lock.tryAcquire(), { code: "LOCK_BACKEND" });
      await enable([others[0]!], "dead");
      await enable([others[1]!], "silent");
      await lease.release();
    }));

  it(
    "says that its servers take longer than its lease",
    { skip },
    () =>
      withRedis(3, async (servers) => {
        const proxies = await Promise.all(
          servers.map(({ port }) => Proxy.start(port)),
        );
        const hosts = proxies.map(({ host }) => host);
        // The first vote of a process may have to connect.
        await new RedisLock(uniqueName(), { hosts }).withLock(() => {});
        const lock = new RedisLock(uniqueName(), { hosts, ttlMs: 100 });
        // Longer than its time to live, there and back: where the tokens are to
        // be raised, there is nothing left.
        for (const proxy of proxies) proxy.delay = () => 60;
        const isSlow = { code: "LOCK_BACKEND", message: /ttlMs allows/ };
        try {
          await assert.rejects(lock.tryAcquire(), isSlow);
          await within(5000, "an end", assert.rejects(lock.acquire(), isSlow));
        } finally {
          await Promise.all(proxies.map((proxy) => proxy.end()));
        }
      }),
  );

  it("is released everywhere, also where it never was granted", {
    skip,
  }, () =>
    withRedis(3, async (servers) => {
      const lock = create(servers, uniqueName());
      const key = `locking:{${lock.name}}`;
      const lease = await lock.acquire();
      await lease.release();
      for (const server of servers) {
        await until("no key", async () => {
          return await server.command("EXISTS", key) === 0;
        });
      }
    }));
}

function testLoss(): void {
  it("renews a lease no more that a majority has lost, also where it is kept", {
    skip,
  }, () =>
    withRedis(3, async (servers) => {
      // Who is slow to connect is left out of a vote.
      await create(servers, uniqueName()).withLock(() =>
        until("a vote of each", async () => {
          return await servers[2]!.calls("evalsha", "eval") > 0;
        })
      );
      const lock = create(servers, uniqueName());
      const lease = await lock.acquire();
      const key = `locking:{${lock.name}}`;
      const isKept = async (): Promise<boolean> =>
        await servers[2]!.command("EXISTS", key) === 1;
      await until("the third grant", isKept);
      const lost = new Promise((resolve) =>
        lease.signal.addEventListener("abort", resolve)
      );
      await servers[0]!.command("FLUSHALL");
      await servers[1]!.command("FLUSHALL");
      await within(TERMS.heartbeatIntervalMs + 500, "the loss", lost);
      // Its holder has not released it yet: it frees itself there.
      const isGone = async (): Promise<boolean> => !(await isKept());
      await until("its end", isGone, TERMS.ttlMs + 500);
      await lease.release();
    }));

  it(
    "keeps a lease through heartbeats though a minority forgets, and no longer",
    {
      skip,
    },
    () =>
      withRedis(3, async (servers) => {
        const lock = create(servers, uniqueName());
        const lease = await lock.acquire();
        const key = `locking:{${lock.name}}`;
        // Who is slow to connect is left out of a vote, and joins later.
        await until("a renewal by each", async () => {
          const calls = servers.map((own) => own.calls("evalsha", "eval"));
          return (await Promise.all(calls)).every((count) => count >= 3);
        });
        await servers[0]!.restart();
        const before = await servers[1]!.command("GET", key);
        await until("a renewal", async () => {
          return await servers[1]!.command("GET", key) !== before;
        });
        // Until the one that forgot has said so, it counts by its last renewal.
        await until("a heartbeat to the one that forgot", async () => {
          return await servers[0]!.calls("evalsha", "eval") > 0;
        });
        lease.assertHeld();
        const lost = new Promise((resolve) =>
          lease.signal.addEventListener("abort", resolve)
        );
        await servers[1]!.command("FLUSHALL");
        await within(TERMS.heartbeatIntervalMs + 500, "the loss", lost);
        assert.throws(() => lease.assertHeld(), { code: "LOCK_LOST" });
        const next = await within(5000, "the next", lock.acquire());
        assert.ok(next.fencingToken! > lease.fencingToken!);
        await next.release();
      }),
  );
}
