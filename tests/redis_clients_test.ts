/** RedisLock by clients of the caller's: of a server, a cluster, sentinels. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe } from "node:test";
import { createClient, createCluster, createSentinel } from "redis";
import {
  type CreateRedisClient,
  RedisLock,
  type RedisLockOptions,
} from "../backends/redis.ts";
import { uniqueName } from "./_names.ts";
import { withProcesses } from "./_processes.ts";
import {
  fileServer,
  freePort,
  RedisProcess,
  redisTest,
  withRedis,
} from "./_redis.ts";
import { assertExclude } from "./_redis_locks.ts";
import { currentRuntime } from "./_runtimes.ts";
import { sleep, until, within } from "./_time.ts";

const server = fileServer();

describe("RedisLock by a client of the caller's", () => {
  redisTest(
    "that is not connected fails with LOCK_BACKEND and advice",
    async () => {
      const url = `redis://${server.own.host}`;
      const cluster = createCluster({ rootNodes: [{ url }] });
      for (const client of [createClient({ url }), cluster]) {
        const lock = new RedisLock(uniqueName(), { client });
        const uses = [lock.tryAcquire(), lock.holder()];
        await Promise.all(
          uses.map((use) =>
            assert.rejects(within<unknown>(3000, "an error", use), {
              code: "LOCK_BACKEND",
              message: /connect (?:the client|it) first/,
            })
          ),
        );
      }
    },
  );

  redisTest(
    "excludes other clients and hosts, and leaves it open",
    () =>
      withClients(async (open) => {
        const { host } = server.own;
        const client = await open(createClient({ url: `redis://${host}` }));
        const other = await open(createClient({ url: `redis://${host}` }));
        await assertExclude(server.own, { client }, { client: other });
        await assertExclude(server.own, { client }, { hosts: host });
        await assertExclude(server.own, { hosts: host }, { client });
        await assertServedInTurn({ client });
        assert.equal(await client.ping(), "PONG");
      }),
  );

  redisTest(
    "of a cluster holds many slots at once, and wakes waiters",
    () =>
      withCluster(async (own, open) => {
        const client = await open();
        const names = Array.from({ length: 20 }, () => uniqueName());
        await assertHeldAtOnce({ client }, names);
        await assertExclude(own, { client }, { client: await open() });
        await assertExclude(own, { client }, { hosts: own.host });
        await assertExclude(own, { hosts: own.host }, { client });
        await assertServedInTurn({ client });
        assert.equal(await client.get("nothing"), null);
      }),
  );

  redisTest(
    "of a cluster keeps no process alive when it has waited",
    () =>
      withCluster((own) =>
        withProcesses(async ({ script }) => {
          const args = [`redis://${own.host}`, uniqueName()];
          const waiter = script(currentRuntime(), "cluster_waiter.ts", ...args);
          await waiter.line("done", 20_000);
          const exit = await within(2000, "the end by itself", waiter.exited);
          assert.deepEqual(exit, { code: 0, signal: null }, waiter.describe());
        })
      ),
  );

  // A slot is of what is between a key's first braces; where a lock's keys lie
  // in several, the cluster refuses.
  const refusals: Record<string, string[]> = {
    "locking:": ["}", "}a"],
    "": ["{}", "a{b}c", "a}b", "}", "}a", "a{}"],
    "app{1}:": [],
  };
  for (const [keyPrefix, expected] of Object.entries(refusals)) {
    redisTest(
      `of a cluster takes names with braces after "${keyPrefix}", or says that it cannot`,
      () =>
        withCluster(async (_, open) => {
          const client = await open();
          const refused: string[] = [];
          for (
            const name of ["{", "{a", "{}", "a{b}c", "a}b", "}", "}a", "a{}"]
          ) {
            const lock = new RedisLock(name, { client, keyPrefix });
            await lock.withLock(() => {}).catch((error) => {
              assert.equal(error.code, "LOCK_BACKEND");
              refused.push(name);
            });
          }
          assert.deepEqual(refused, expected);
        }),
    );
  }

  redisTest(
    "of a group under sentinels excludes hosts, and is woken",
    () =>
      withSentinel((master, port) =>
        withClients(async (open) => {
          const sentinelRootNodes = [{ host: "127.0.0.1", port }];
          const client = await open(
            createSentinel({ name: "group", sentinelRootNodes }),
          );
          await assertExclude(master, { client }, { hosts: master.host });
          await assertExclude(master, { hosts: master.host }, { client });
          await assertServedInTurn({ client });
          assert.equal(await client.get("nothing"), null);
        })
      ),
  );
});

interface Openable {
  on(event: "error", listener: () => void): unknown;
  connect(): Promise<unknown>;
  destroy(): unknown;
}

async function withClients(
  run: (open: <T extends Openable>(client: T) => Promise<T>) => Promise<void>,
): Promise<void> {
  const clients: Openable[] = [];
  try {
    await run(async (client) => {
      client.on("error", () => {});
      await within(5000, "a connection", client.connect());
      clients.push(client);
      return client;
    });
  } finally {
    await Promise.all(clients.map((client) => client.destroy()));
  }
}

/** A cluster of one server, which has all slots. */
async function withCluster(
  run: (
    own: RedisProcess,
    open: () => Promise<ReturnType<typeof createCluster>>,
  ) => Promise<void>,
): Promise<void> {
  const own = await RedisProcess.start(
    ...["--cluster-enabled", "yes", "--cluster-announce-ip", "127.0.0.1"],
    ...["--cluster-port", String(await freePort())],
  );
  try {
    await own.command("CLUSTER", "ADDSLOTSRANGE", "0", "16383");
    await until("a cluster", async () => {
      const info = String(await own.command("CLUSTER", "INFO"));
      return info.includes("cluster_state:ok");
    });
    const rootNodes = [{ url: `redis://${own.host}` }];
    await withClients((open) =>
      run(own, () => open(createCluster({ rootNodes })))
    );
  } finally {
    await own.end();
  }
}

/** A server, and the port of a sentinel that watches it as `group`. */
function withSentinel(
  run: (master: RedisProcess, port: number) => Promise<void>,
): Promise<void> {
  return withRedis(1, ([master]) =>
    withProcesses(async ({ program }) => {
      const port = await freePort();
      const file = join(master!.directory, "sentinel.conf");
      const group = `sentinel monitor group 127.0.0.1 ${master!.port} 1`;
      writeFileSync(file, `port ${port}\nbind 127.0.0.1\n${group}\n`);
      const { lines } = program("redis-server", file, "--sentinel");
      await until("a sentinel", () => /\+monitor/.test(lines.join()));
      await run(master!, port);
    }));
}

/** Locks live on by renewals, which must not ask for several slots at once. */
async function assertHeldAtOnce(
  options: RedisLockOptions,
  names: readonly string[],
): Promise<void> {
  const terms = { ttlMs: 800, heartbeatIntervalMs: 200 };
  const locks = names.map((name) =>
    new RedisLock(name, { ...options, ...terms })
  );
  const leases = await Promise.all(locks.map((lock) => lock.acquire()));
  await sleep(1.5 * terms.ttlMs);
  leases.forEach((lease) => lease.assertHeld());
  await Promise.all(locks.map((lock) => lock.release()));
}

/** Those of one client are served, each after the other. */
async function assertServedInTurn(options: RedisLockOptions): Promise<void> {
  const name = uniqueName();
  const served: number[] = [];
  const turns = [0, 1, 2, 3].map((turn) =>
    new RedisLock(name, options).withLock(async () => {
      await Promise.resolve();
      served.push(turn);
    })
  );
  await within(2000, "all turns", Promise.all(turns));
  assert.deepEqual(served, [0, 1, 2, 3]);
}

describe("RedisLock by createClient", () => {
  redisTest("calls it once for all locks, and once for messages", async () => {
    const calls: Parameters<CreateRedisClient>[0][] = [];
    const create: CreateRedisClient = (options) => {
      calls.push(options);
      return createClient(options);
    };
    const options = { hosts: server.own.host, createClient: create };
    const locks = ["a", "b", "c"].map((each) =>
      new RedisLock(uniqueName(each), options)
    );
    assert.equal(calls.length, 0);
    await Promise.all(locks.map((lock) => lock.withLock(() => {})));
    assert.equal(calls.length, 1);
    await assertExclude(server.own, { hosts: server.own.host }, options);
    await assertExclude(server.own, options, { hosts: server.own.host });
    assert.equal(calls.length, 2);
    for (const { url, RESP, socket } of calls) {
      assert.deepEqual([url, RESP], [`redis://${server.own.host}`, 2]);
      assert.equal(socket.reconnectStrategy, false);
    }
  });
});
