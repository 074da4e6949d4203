/** What a RedisLock keeps on its server. */
import assert from "node:assert/strict";
import { hostname } from "node:os";
import process from "node:process";
import { describe } from "node:test";
import { createClient } from "redis";
import { type CreateRedisClient, RedisLock } from "../backends/redis.ts";
import { uniqueName } from "./_names.ts";
import { NASTY_NAMES } from "./_nasty_names.ts";
import { fileServer, redisTest, withRedis } from "./_redis.ts";
import { until } from "./_time.ts";

const server = fileServer();

describe("RedisLock's keys", () => {
  redisTest(
    "nothing is left but the fence, and that for a day at the most",
    () =>
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
        await assert.rejects(other.acquire({ signal }), {
          name: "TimeoutError",
        });
        const granted = other.acquire();
        await until("a waiter", async () => (await own!.keys()).length === 4);
        // Even if all of them die now.
        for (const key of await own!.keys()) {
          assert.ok(Number(await own!.command("PTTL", key)) > 0, key);
        }
        await lease.release();
        await (await granted).release();
        assert.deepEqual(await own!.keys(), ["locking:{report}:fence"]);
        const leftMs = await own!.command("PTTL", "locking:{report}:fence");
        assert.ok(Number(leftMs) > 0 && Number(leftMs) <= 86_400_000);
      }),
  );

  redisTest(
    "of nasty names are all held at once, and say who holds them",
    () =>
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
      }),
  );

  redisTest(
    "the fencing token increases with each lease, and from the server's time",
    async () => {
      const lock = new RedisLock(uniqueName(), { hosts: server.own.host });
      let last = 0n;
      for (let i = 0; i < 100; i++) {
        const [seconds, micros] = await server.own.command("TIME") as string[];
        const lease = await lock.acquire();
        const token = lease.fencingToken!;
        assert.ok(token >= BigInt(seconds!) * 1_000_000n + BigInt(micros!));
        assert.ok(token > last);
        last = token;
        await lease.release();
      }
      const key = `locking:{${lock.name}}:fence`;
      await server.own.command("SET", key, "9000000000000000");
      for (const expected of [9000000000000001n, 9000000000000002n]) {
        await lock.withLock(async ({ fencingToken }) => {
          assert.equal(fencingToken, expected);
          assert.equal((await lock.holder())?.fencingToken, expected);
        });
      }
      assert.ok(Number(await server.own.command("PTTL", key)) > 0);
    },
  );

  redisTest(
    "each renewal moves the expiry forward, and nothing else",
    async () => {
      const terms = { ttlMs: 600, heartbeatIntervalMs: 150 };
      const options = { hosts: server.own.host, ...terms };
      const lock = new RedisLock(uniqueName(), options);
      const read = async (): Promise<Record<string, unknown>> =>
        JSON.parse(
          String(await server.own.command("GET", `locking:{${lock.name}}`)),
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
        const key = `locking:{${lock.name}}`;
        assert.ok(Number(await server.own.command("PTTL", key)) <= 600);
        assert.deepEqual({ ...last, expiry: 0 }, { ...first, expiry: 0 });
      }
      await lease.release();
    },
  );
});
