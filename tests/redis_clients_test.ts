/** RedisLock by hosts, by clients of the caller's, and what it keeps there. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { createClient, createCluster, createSentinel } from "redis";
import {
  type CreateRedisClient,
  RedisLock,
  type RedisLockOptions,
} from "../backends/redis.ts";
import { uniqueName } from "./_names.ts";
import { NASTY_NAMES } from "./_nasty_names.ts";
import { noProgram } from "./_platform.ts";
import { withProcesses } from "./_processes.ts";
import { freePort, noRedis, RedisProcess, withRedis } from "./_redis.ts";
import { sleep, until, within } from "./_time.ts";

const skip = noRedis();
let server: RedisProcess;

before(async () => {
  if (!skip) server = await RedisProcess.start();
});

after(() => server?.end());

function test(
  name: string,
  run: () => Promise<void>,
  missing: string | false = skip,
): void {
  it(name, { skip: missing }, run);
}

/** Takes a lock and tells whether its key is on that server. */
async function landsOn(
  target: RedisProcess,
  options: RedisLockOptions,
): Promise<boolean> {
  const lock = new RedisLock(uniqueName(), options);
  const lease = await lock.acquire({ timeoutMs: 5000 });
  const found = await target.command("EXISTS", `locking:{${lock.name}}`) === 1;
  await lease.release();
  return found;
}

/**
 * Two locks of one name keep each other out, and the one that waits is woken:
 * its next look by itself would be 900 ms later.
 */
async function assertExclude(
  at: RedisProcess,
  first: RedisLockOptions,
  second: RedisLockOptions,
): Promise<void> {
  const name = uniqueName();
  const ours = new RedisLock(name, first);
  const theirs = new RedisLock(name, second);
  const lease = await ours.acquire({ timeoutMs: 5000 });
  assert.equal(await theirs.tryAcquire(), null);
  assert.equal((await theirs.holder())?.fencingToken, lease.fencingToken);
  const waiting = theirs.acquire();
  await until("a waiter", async () => {
    return await at.command("ZCARD", `locking:{${name}}:queue`) === 1;
  });
  await lease.release();
  const next = await within(600, "the grant", waiting);
  assert.ok(next.fencingToken! > lease.fencingToken!);
  assert.equal(await ours.tryAcquire(), null);
  await next.release();
  assert.equal(await theirs.holder(), null);
}

describe("RedisLock by hosts", () => {
  test('takes "host:port", a URL, and an array of one', async () => {
    const { host } = server;
    for (
      const hosts of [host, [host], `redis://${host}`, `redis://${host}/0`]
    ) {
      assert.equal(await landsOn(server, { hosts }), true, String(hosts));
    }
  });

  test("takes user, password and database from a URL", () =>
    withRedis(1, async ([own]) => {
      const { host } = own!;
      const rights = ["on", ">p@ss/w:rd", "~*", "&*", "+@all"];
      await own!.command("ACL", "SETUSER", "alice", ...rights);
      await own!.command("CONFIG", "SET", "requirepass", "secret");
      const urls = {
        3: `redis://alice:${encodeURIComponent("p@ss/w:rd")}@${host}/3`,
        7: `redis://:secret@${host}/7`,
      };
      for (const [database, hosts] of Object.entries(urls)) {
        const lease = await new RedisLock("report", { hosts }).acquire();
        // The lock and its fence.
        const space = String(await own!.command("INFO", "keyspace"));
        assert.match(space, new RegExp(`^db${database}:keys=2,`, "m"));
        assert.doesNotMatch(space, /^db0:/m);
        await lease.release();
      }
    }));

  test(
    "takes rediss:// URLs, with createClient's authority",
    () =>
      withRedis(1, async ([own]) => {
        const { port, ca } = await serveTls(own!);
        const hosts = `rediss://127.0.0.1:${port}`;
        const create: CreateRedisClient = ({ socket, ...options }) =>
          createClient({ ...options, socket: { ...socket, ca, tls: true } });
        const trusting = { hosts, createClient: create };
        assert.equal(await landsOn(own!, trusting), true);
        await assertExclude(own!, { hosts: own!.host }, trusting);
        // A server for which nobody vouches is not believed.
        await assert.rejects(landsOn(own!, { hosts }), {
          code: "LOCK_BACKEND",
        });
      }),
    skip || noTls(),
  );

  test("defaults to REDIS_URL, then to REDIS_HOST and REDIS_PORT", async () => {
    const nobody = String(await freePort());
    const at = { REDIS_HOST: "127.0.0.1", REDIS_PORT: String(server.port) };
    const url = { REDIS_URL: `redis://${server.host}`, REDIS_PORT: nobody };
    for (const each of [at, url]) {
      const lock = withEnvironment(each, () => new RedisLock(uniqueName()));
      await lock.withLock(async () => {
        assert.equal((await server.keys(`*{${lock.name}}`)).length, 1);
      });
    }
  });
});

function withEnvironment<T>(wanted: Record<string, string>, run: () => T): T {
  const names = ["REDIS_URL", "REDIS_HOST", "REDIS_PORT"];
  const saved = names.map((name) => process.env[name]);
  const set = (name: string, value: string | undefined): void => {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  };
  names.forEach((name) => set(name, wanted[name]));
  try {
    return run();
  } finally {
    names.forEach((name, i) => set(name, saved[i]));
  }
}

function noTls(): string | false {
  const missing = noProgram("openssl", "version");
  if (missing || skip) return missing;
  // With TLS the complaint is about the number.
  const { stdout, stderr } = spawnSync("redis-server", ["--tls-port", "x"], {
    encoding: "utf8",
  });
  return /Bad directive/.test(stdout + stderr) && "redis-server has no TLS";
}

async function serveTls(
  own: RedisProcess,
): Promise<{ port: number; ca: string }> {
  const [key, cert] = ["key.pem", "cert.pem"].map((file) =>
    join(own.directory, file)
  ) as [string, string];
  const { status, stderr } = spawnSync("openssl", [
    ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=test"],
    ...["-addext", "basicConstraints=critical,CA:FALSE"],
    ...["-addext", "subjectAltName=IP:127.0.0.1"],
    ...["-keyout", key, "-out", cert, "-days", "2"],
  ], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  const port = await freePort();
  await own.command(
    ...["CONFIG", "SET", "tls-auth-clients", "no", "tls-key-file", key],
    ...["tls-cert-file", cert, "tls-ca-cert-file", cert],
    ...["tls-port", String(port)],
  );
  return { port, ca: readFileSync(cert, "utf8") };
}

describe("RedisLock of bad arguments", () => {
  const wrong: Record<string, readonly unknown[]> = {
    hosts: [
      ...["", " host", "host:port", "http://host", "redis://host/path"],
      ...[5, null, {}, [], [""], ["host", 5], "redis://", "host:99999"],
    ],
    keyPrefix: [5, null, {}, ["a"]],
    client: [5, null, {}, [], () => {}],
    createClient: [5, null, {}, "createClient"],
    ttlMs: [99, 0, -5000, NaN, Infinity, "5", 100.5, null],
    heartbeatIntervalMs: [0, -1, 2500, 2501, NaN, Infinity, "5", null],
  };
  for (const [option, values] of Object.entries(wrong)) {
    it(`a wrong ${option} throws at once and is named`, () => {
      const name = option.endsWith("Ms") ? "RangeError" : "TypeError";
      for (const value of values) {
        const shown = typeof value === "object" ? "" : String(value);
        const message = new RegExp(
          `RedisLock ${option} .*${option === "client" ? "" : shown}`,
        );
        const create = (): unknown =>
          new RedisLock("report", { [option]: value });
        assert.throws(create, { name, message }, String(value));
      }
    });
  }

  it("no message shows a password, or a part of one", () => {
    const passwords = [
      "secret",
      "s@secret",
      "secret/s",
      "secret?s",
      "secret#s",
    ];
    for (const password of passwords) {
      for (
        const hosts of [
          `redis://user:${password}@host:port`,
          `redis://:${password}@host/path`,
          `http://user:${password}@host`,
          `user:${password}@host:port`,
          ["redis://:secret@host", "redis://user:secret@host:6379"],
        ]
      ) assert.doesNotMatch(refusalOf(hosts), /secret/);
    }
  });

  for (
    const [first, second] of [
      ["host", "host:6379"],
      ["host:6380", "redis://user:secret@host:6380"],
      ["redis://host/1", "redis://host/1"],
      ["host", "redis://host/0"],
      ["redis://host/1", "redis://host/2"],
      ["host", "HOST"],
    ] as const
  ) {
    it(`hosts ${first} and ${second} are one server, a TypeError`, () => {
      assert.match(refusalOf(["other", first, second]), /independent/);
    });
  }

  it("a client together with hosts or createClient throws a TypeError", () => {
    const client = createClient();
    for (const more of [{ hosts: "host" }, { createClient: () => client }]) {
      const options = { client, ...more };
      assert.throws(() => new RedisLock("report", options), TypeError);
    }
  });
});

/** The message of the TypeError that a constructor throws. */
function refusalOf(hosts: string | string[]): string {
  try {
    new RedisLock("report", { hosts });
  } catch (error) {
    assert.ok(error instanceof TypeError);
    return error.message;
  }
  return assert.fail(`No error for ${hosts}`);
}

describe("RedisLock by a client of the caller's", () => {
  test("that is not connected fails with LOCK_BACKEND and advice", async () => {
    const url = `redis://${server.host}`;
    const cluster = createCluster({ rootNodes: [{ url }] });
    for (const client of [createClient({ url }), cluster]) {
      const lock = new RedisLock(uniqueName(), { client });
      const uses = [lock.tryAcquire(), lock.holder()];
      await Promise.all(
        uses.map((use) =>
          assert.rejects(within<unknown>(3000, "an error", use), {
            code: "LOCK_BACKEND",
            message: /connect the client first/,
          })
        ),
      );
    }
  });

  test("excludes other clients and hosts, and leaves it open", () =>
    withClients(async (open) => {
      const { host } = server;
      const client = await open(createClient({ url: `redis://${host}` }));
      const other = await open(createClient({ url: `redis://${host}` }));
      await assertExclude(server, { client }, { client: other });
      await assertExclude(server, { client }, { hosts: host });
      await assertExclude(server, { hosts: host }, { client });
      await assertServedInTurn({ client });
      assert.equal(await client.ping(), "PONG");
    }));

  test("of a cluster holds many slots at once, and wakes waiters", () =>
    withCluster(async (own, open) => {
      const client = await open();
      const names = Array.from({ length: 20 }, () => uniqueName());
      await assertHeldAtOnce({ client }, names);
      await assertExclude(own, { client }, { client: await open() });
      await assertExclude(own, { client }, { hosts: own.host });
      await assertExclude(own, { hosts: own.host }, { client });
      await assertServedInTurn({ client });
      assert.equal(await client.get("nothing"), null);
    }));

  // A slot is of what is between a key's first braces; where a lock's keys lie
  // in several, the cluster refuses.
  const refusals: Record<string, string[]> = {
    "locking:": ["}", "}a"],
    "": ["{}", "a{b}c", "a}b", "}", "}a", "a{}"],
    "app{1}:": [],
  };
  for (const [keyPrefix, expected] of Object.entries(refusals)) {
    test(`of a cluster takes names with braces after "${keyPrefix}", or says that it cannot`, () =>
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
      }));
  }

  test("of a group under sentinels excludes hosts, and is woken", () =>
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
    ));
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
  test("calls it once for all locks, and once for messages", async () => {
    const calls: Parameters<CreateRedisClient>[0][] = [];
    const create: CreateRedisClient = (options) => {
      calls.push(options);
      return createClient(options);
    };
    const options = { hosts: server.host, createClient: create };
    const locks = ["a", "b", "c"].map((each) =>
      new RedisLock(uniqueName(each), options)
    );
    assert.equal(calls.length, 0);
    await Promise.all(locks.map((lock) => lock.withLock(() => {})));
    assert.equal(calls.length, 1);
    await assertExclude(server, { hosts: server.host }, options);
    await assertExclude(server, options, { hosts: server.host });
    assert.equal(calls.length, 2);
    for (const { url, RESP, socket } of calls) {
      assert.deepEqual([url, RESP], [`redis://${server.host}`, 2]);
      assert.equal(socket.reconnectStrategy, false);
    }
  });
});

describe("RedisLock's keys", () => {
  test("nothing is left but the fence, and that for a day at the most", () =>
    withRedis(1, async ([own]) => {
      const hosts = own!.host;
      const lock = new RedisLock("report", { hosts });
      // By a connection of its own, so that it waits at the server.
      const apart: CreateRedisClient = (options) => createClient(options);
      const other = new RedisLock("report", { hosts, createClient: apart });
      const lease = await lock.acquire();
      await assert.rejects(other.acquire({ timeoutMs: 100 }), {
        code: "LOCK_TIMEOUT",
      });
      const signal = AbortSignal.timeout(100);
      await assert.rejects(other.acquire({ signal }), { name: "TimeoutError" });
      const granted = other.acquire();
      await until("a waiter", async () => (await own!.keys()).length === 4);
      await lease.release();
      await (await granted).release();
      assert.deepEqual(await own!.keys(), ["locking:{report}:fence"]);
      const leftMs = await own!.command("PTTL", "locking:{report}:fence");
      assert.ok(Number(leftMs) > 0 && Number(leftMs) <= 86_400_000);
    }));

  test("of nasty names are all held at once, and say who holds them", () =>
    withRedis(1, async ([own]) => {
      const hosts = own!.host;
      const tokens: string[] = [];
      for (const name of NASTY_NAMES) {
        const lease = await new RedisLock(name, { hosts }).tryAcquire();
        assert.ok(lease, `${JSON.stringify(name)} is another one's lock`);
        tokens.push(String(lease.fencingToken));
      }
      const keys = (await own!.keys("locking:{*"))
        .filter((key) => !key.endsWith(":fence"));
      assert.equal(keys.length, NASTY_NAMES.length);
      const now = Date.now() / 1000;
      const fences: string[] = [];
      for (const text of await own!.command("MGET", ...keys) as string[]) {
        const { token, host, pid, expiry, fence } = JSON.parse(text);
        assert.ok(typeof token === "string" && token !== "");
        assert.deepEqual([host, pid], [hostname(), process.pid]);
        assert.ok(expiry > now && expiry <= now + 6, `${expiry}, now ${now}`);
        fences.push(String(fence));
      }
      assert.deepEqual(fences.sort(), tokens.sort());
    }));

  test("the fencing token increases with each lease, and from the server's time", async () => {
    const lock = new RedisLock(uniqueName(), { hosts: server.host });
    let last = 0n;
    for (let i = 0; i < 100; i++) {
      const [seconds, micros] = await server.command("TIME") as string[];
      const lease = await lock.acquire();
      const token = lease.fencingToken!;
      assert.ok(token >= BigInt(seconds!) * 1_000_000n + BigInt(micros!));
      assert.ok(token > last);
      last = token;
      await lease.release();
    }
    const key = `locking:{${lock.name}}:fence`;
    await server.command("SET", key, "9000000000000000");
    for (const expected of [9000000000000001n, 9000000000000002n]) {
      await lock.withLock(async ({ fencingToken }) => {
        assert.equal(fencingToken, expected);
        assert.equal((await lock.holder())?.fencingToken, expected);
      });
    }
    assert.ok(Number(await server.command("PTTL", key)) > 0);
  });

  test("each renewal moves the expiry forward, and nothing else", async () => {
    const terms = { ttlMs: 600, heartbeatIntervalMs: 150 };
    const options = { hosts: server.host, ...terms };
    const lock = new RedisLock(uniqueName(), options);
    const read = async (): Promise<Record<string, unknown>> =>
      JSON.parse(
        String(await server.command("GET", `locking:{${lock.name}}`)),
      );
    const lease = await lock.acquire();
    const first = await read();
    let last = first;
    for (let i = 0; i < 3; i++) {
      const { expiry } = last;
      await until("a renewal", async () => {
        last = await read();
        return last.expiry !== expiry;
      });
      assert.ok(Number(last.expiry) > Number(expiry));
      assert.deepEqual({ ...last, expiry: 0 }, { ...first, expiry: 0 });
    }
    await lease.release();
  });
});
