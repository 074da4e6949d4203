// Claiming one of many names of servers: in how many requests, and which.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { claim, DynamoLock, type Lock, RedisLock } from "../mod.ts";
import { claimOne, freeAll, namesOf, takeAll } from "./_claims.ts";
import { fileDynamo, noDynalite } from "./_dynamo.ts";
import { type Fault, HttpProxy } from "./_http_proxy.ts";
import { Proxy } from "./_proxy.ts";
import { fileServer, redisTest, withRedis } from "./_redis.ts";
import { pendingAfter, until, within } from "./_time.ts";

const MANY = 10_000;

const REFUSAL: Fault = {
  kind: "error",
  status: 400,
  type: "AccessDeniedException",
  message: "User is not authorized to perform: dynamodb:BatchGetItem",
};

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
    "ends at once when it aborts while the locks are made",
    async () => {
      const create = at(server.own.host);
      const controller = new AbortController();
      const { signal } = controller;
      const before = await server.own.calls("eval", "evalsha");
      const reason = new Error("enough");
      let made = 0;
      const abortedBy = (name: string): Lock => {
        if (++made === 2) controller.abort(reason);
        return create(name);
      };
      const claimed = claim(namesOf(3), abortedBy, { signal });
      await assert.rejects(claimed, (error) => error === reason);
      assert.equal(await server.own.calls("eval", "evalsha"), before);
    },
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

describe("claim() on a quorum", () => {
  redisTest(
    "waits for no server that is silent while a majority answers",
    () =>
      withRedis(3, async (servers) => {
        const hosts = servers.map(({ host }) => host);
        // A silent server is given up after 2 s at the latest.
        const create = (name: string): Lock =>
          new RedisLock(name, { hosts, ttlMs: 30_000 });
        const names = namesOf(4);
        const held = await takeAll(names.slice(1), create);
        servers[2]!.signal("SIGSTOP");
        const looked = claimOne(names, create);
        const job = await within(1500, "the claim", looked);
        servers[2]!.signal("SIGCONT");
        assert.equal(job.name, names[0]);
        await freeAll([...held, job.lease]);
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

  /** Until what was under way is over, and what might follow it has begun. */
  async function othersAreOver(create: (name: string) => Lock): Promise<void> {
    const other = create(namesOf(1)[0]!);
    for (let i = 0; i < 10; i++) await other.holder();
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
    "asks once for a lock that several names mean",
    { skip },
    () =>
      behind(async (proxy, create) => {
        const [name = ""] = namesOf(1);
        // The service refuses a key that comes twice.
        const job = await claimOne(["a", "b", "c"], () => create(name));
        assert.equal(proxy.count("BatchGetItem"), 1);
        await job.lease.release();
      }),
  );

  it(
    "asks nothing more when it has been aborted",
    { skip },
    () =>
      behind(async (proxy, create) => {
        const controller = new AbortController();
        const { signal } = controller;
        proxy.onRequest = ({ operation }) => {
          if (operation === "BatchGetItem") {
            controller.abort(new Error("enough"));
          }
          return null;
        };
        const claimed = claim(namesOf(1000), create, {
          signal,
          concurrency: 1,
        });
        await assert.rejects(claimed, /enough/);
        await othersAreOver(create);
        assert.equal(proxy.count("BatchGetItem"), 1);
      }),
  );

  it(
    "asks nothing more when a request has failed",
    { skip },
    () =>
      behind(async (proxy, create) => {
        proxy.onRequest = ({ index }) => index === 0 ? REFUSAL : null;
        const claimed = claim(namesOf(1000), create, { concurrency: 3 });
        await assert.rejects(claimed, { code: "LOCK_BACKEND" });
        await othersAreOver(create);
        assert.ok(proxy.count("BatchGetItem") <= 3);
      }),
  );

  it(
    "says which permission is missing",
    { skip },
    () =>
      behind(async (proxy, create) => {
        proxy.onRequest = ({ operation }) =>
          operation === "BatchGetItem" ? REFUSAL : null;
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
