// Claiming one of many names of servers: in how many requests, and which.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { claim, DynamoLock, type Lock, RedisLock } from "../mod.ts";
import { claimOne, freeAll, namesOf, takeAll } from "./_claims.ts";
import { fileDynamo, noDynalite } from "./_dynamo.ts";
import { HttpProxy } from "./_http_proxy.ts";
import { Proxy } from "./_proxy.ts";
import { fileServer, redisTest, withRedis } from "./_redis.ts";
import { pendingAfter, until, within } from "./_time.ts";

const MANY = 10_000;

describe("claim() on Redis", () => {
  const server = fileServer();
  const at = (hosts: string) => (name: string): Lock =>
    new RedisLock(name, { hosts, ttlMs: 30_000 });

  const behind = async (
    run: (proxy: Proxy, create: (name: string) => Lock) => Promise<void>,
  ): Promise<void> => {
    const proxy = await Proxy.start(server.own.port);
    try {
      await run(proxy, at(proxy.host));
    } finally {
      await proxy.end();
    }
  };

  redisTest(
    "finds one of ten thousand in two round trips",
    () =>
      behind(async (proxy, create) => {
        // The server has seen the script then, as it has from the second time on.
        const warm = await claimOne(namesOf(2), create);
        await warm.lease.release();
        const names = namesOf(MANY);
        const held = await takeAll(names.slice(1), at(server.own.host));
        const calls = () => server.own.calls("eval", "evalsha");
        const before = await calls();
        proxy.mode = "hold";
        const claimed = claim(names, create);
        const looks = Math.ceil(MANY / 500);
        await until("all looks", async () => await calls() - before === looks);
        assert.equal(await pendingAfter(0, claimed), true);
        proxy.mode = "pass";
        const job = await within(5000, "the claim", claimed);
        assert.ok(job);
        assert.equal(job.name, names[0]);
        assert.equal(await calls() - before, looks + 1);
        await freeAll([...held, job.lease]);
      }),
  );

  redisTest("asks for one name at once, without a look", async () => {
    const create = at(server.own.host);
    const before = await server.own.calls("eval", "evalsha");
    const job = await claimOne(namesOf(1), create);
    assert.equal(await server.own.calls("eval", "evalsha") - before, 1);
    await job.lease.release();
  });

  redisTest(
    "ends a look that hangs when it is aborted",
    () =>
      behind(async (proxy, create) => {
        proxy.mode = "hold";
        const controller = new AbortController();
        const { signal } = controller;
        const claimed = claim(namesOf(3), create, { signal });
        assert.equal(await pendingAfter(20, claimed), true);
        controller.abort(new Error("enough"));
        await assert.rejects(within(1000, "the end", claimed), /enough/);
      }),
  );

  redisTest(
    "has no more requests under way than it may",
    () =>
      behind(async (proxy, create) => {
        await (await claim(namesOf(2), create))?.lease.release();
        const before = await server.own.calls("evalsha");
        proxy.mode = "hold";
        const claimed = claim(namesOf(5000), create, { concurrency: 3 });
        await until(
          "three looks",
          async () => await server.own.calls("evalsha") - before === 3,
        );
        assert.equal(await pendingAfter(50, claimed), true);
        assert.equal(await server.own.calls("evalsha") - before, 3);
        proxy.mode = "pass";
        await (await claimed)?.lease.release();
      }),
  );

  redisTest(
    "asks a majority, and does without a minority",
    () =>
      withRedis(3, async (servers) => {
        const hosts = servers.map(({ host }) => host);
        const create = (name: string): Lock => new RedisLock(name, { hosts });
        const names = namesOf(4);
        const held = await takeAll(names.slice(1), create);
        await servers[2]!.kill();
        const job = await claimOne(names, create);
        assert.equal(job.name, names[0]);
        assert.equal(await claim(names, create), null);
        await freeAll([...held, job.lease]);
        await servers[1]!.kill();
        await assert.rejects(claim(names, create), { code: "LOCK_BACKEND" });
      }),
  );
});

describe("claim() on DynamoDB", () => {
  const skip = noDynalite();
  const dynamo = fileDynamo("dynalite");

  async function behind(
    run: (proxy: HttpProxy, create: (name: string) => Lock) => Promise<void>,
  ): Promise<void> {
    const proxy = await HttpProxy.start(dynamo.own.endpoint);
    const { endpoint } = proxy;
    try {
      await run(proxy, (name) => new DynamoLock(name, { endpoint }));
    } finally {
      await proxy.end();
    }
  }

  it(
    "looks at a hundred names in one request",
    { skip },
    () =>
      behind(async (proxy, create) => {
        const job = await claimOne(namesOf(250), create);
        assert.equal(proxy.count("BatchGetItem"), 3);
        assert.equal(proxy.count("UpdateItem"), 1);
        await job.lease.release();
      }),
  );

  it(
    "asks again for what a busy service has left over",
    { skip },
    () =>
      behind(async (proxy, create) => {
        const names = namesOf(3);
        const held = await takeAll(names.slice(1), create);
        proxy.reset();
        proxy.onRequest = ({ index, body }) => {
          if (index > 0) return null;
          const { RequestItems } = body;
          const all = { Responses: {}, UnprocessedKeys: RequestItems };
          return { kind: "answer", body: all };
        };
        const job = await claimOne(names, create);
        assert.equal(job.name, names[0]);
        assert.equal(proxy.count("BatchGetItem"), 2);
        assert.equal(proxy.count("UpdateItem"), 1);
        await freeAll([...held, job.lease]);
      }),
  );

  it(
    "tries what a service does not tell that stays busy",
    { skip },
    () =>
      behind(async (proxy, create) => {
        const names = namesOf(2);
        proxy.onRequest = ({ operation, body }) => {
          if (operation !== "BatchGetItem") return null;
          const { RequestItems } = body;
          const all = { Responses: {}, UnprocessedKeys: RequestItems };
          return { kind: "answer", body: all };
        };
        const job = await claimOne(names, create);
        assert.ok(job);
        await job.lease.release();
      }),
  );

  it(
    "says which permission is missing",
    { skip },
    () =>
      behind(async (proxy, create) => {
        proxy.onRequest = ({ operation }) =>
          operation === "BatchGetItem"
            ? {
              kind: "error",
              status: 400,
              type: "AccessDeniedException",
              message:
                "User is not authorized to perform: dynamodb:BatchGetItem",
            }
            : null;
        await assert.rejects(claim(namesOf(2), create), {
          code: "LOCK_BACKEND",
          message: /Cannot look who holds ".*dynamodb:BatchGetItem/,
        });
      }),
  );

  it("creates the table where it may, and says so where it may not", {
    skip,
  }, async () => {
    const { endpoint } = dynamo.own;
    const table = `claim-${Math.random().toString(36).slice(2)}`;
    const create = (createTable: boolean) => (name: string): Lock =>
      new DynamoLock(name, { endpoint, table, createTable });
    await assert.rejects(claim(namesOf(2), create(false)), {
      code: "LOCK_BACKEND",
      message: /createTable/,
    });
    const job = await claimOne(namesOf(2), create(true));
    await job.lease.release();
  });
});
