/** Which servers a RedisLock is at, and what it says to bad arguments. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { createClient } from "redis";
import {
  type CreateRedisClient,
  RedisLock,
  type RedisLockOptions,
} from "../backends/redis.ts";
import { uniqueName } from "./_names.ts";
import { noProgram } from "./_platform.ts";
import {
  fileServer,
  freePort,
  noRedis,
  type RedisProcess,
  redisTest,
  withRedis,
} from "./_redis.ts";
import { assertExclude } from "./_redis_locks.ts";

const skip = noRedis();
const server = fileServer();

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

describe("RedisLock by hosts", () => {
  redisTest('takes "host:port", a URL, and an array of one', async () => {
    const { host } = server.own;
    for (
      const hosts of [host, [host], `redis://${host}`, `redis://${host}/0`]
    ) {
      assert.equal(await landsOn(server.own, { hosts }), true, String(hosts));
    }
  });

  redisTest(
    "takes user, password and database from a URL",
    () =>
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
      }),
  );

  redisTest(
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

  redisTest(
    "defaults to REDIS_URL, then to REDIS_HOST and REDIS_PORT",
    async () => {
      const nobody = String(await freePort());
      const at = {
        REDIS_HOST: "127.0.0.1",
        REDIS_PORT: String(server.own.port),
      };
      const url = {
        REDIS_URL: `redis://${server.own.host}`,
        REDIS_PORT: nobody,
      };
      for (const each of [at, url]) {
        const lock = withEnvironment(each, () => new RedisLock(uniqueName()));
        await lock.withLock(async () => {
          assert.equal((await server.own.keys(`*{${lock.name}}`)).length, 1);
        });
      }
    },
  );
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

  it("a control character in hosts, or a hole, throws at once and is named", () => {
    const hole = ["host", "other"];
    delete hole[0];
    for (const hosts of ["ho\nst", "host\x7f", "a\tb:6379", hole]) {
      assert.match(refusalOf(hosts), /^RedisLock hosts must be like /);
    }
  });

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
