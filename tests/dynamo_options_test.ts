/** DynamoLock's options, a client of the caller's, and names of all kinds. */
import { DynamoDBClient, ListTablesCommand } from "@aws-sdk/client-dynamodb";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { DynamoLock, type DynamoLockOptions } from "../backends/dynamo.ts";
import {
  type DynamoServer,
  dynamoTest,
  fileDynamo,
  noEngine,
} from "./_dynamo.ts";
import { withProxy } from "./_dynamo_locks.ts";
import type { HttpProxy } from "./_http_proxy.ts";
import { uniqueName } from "./_names.ts";
import { generateNames } from "./_nasty_names.ts";
import { until } from "./_time.ts";

const dynalite = fileDynamo("dynalite");
const local = fileDynamo("local");

describe("DynamoLock of bad arguments", () => {
  const wrong: Record<string, readonly unknown[]> = {
    table: ["", "a b", "ab", "a".repeat(256), "a/b", 5, null, {}],
    region: ["", "eu central", 5, null, {}],
    endpoint: ["", "ftp://x", "localhost:8000", "http://", 5, null, {}],
    client: [5, null, {}, [], () => {}, "client"],
    createTable: [1, 0, null, "true", {}],
    ttlMs: [99, 0, -5000, NaN, Infinity, "5", 100.5, null],
    heartbeatIntervalMs: [0, -1, 2500, 2501, NaN, Infinity, "5", null],
  };
  for (const [option, values] of Object.entries(wrong)) {
    it(`a wrong ${option} throws at once, and is named`, () => {
      const name = option.endsWith("Ms") ? "RangeError" : "TypeError";
      for (const value of values) {
        const shown = typeof value === "object" || option === "client"
          ? ""
          : String(value).slice(0, 80);
        const message = new RegExp(`DynamoLock ${option} .*${shown}`);
        const options = { [option]: value };
        const create = (): unknown => new DynamoLock("report", options);
        assert.throws(create, { name, message }, String(value));
      }
    });
  }

  it("an option that it does not have throws at once, and is named", () => {
    for (const option of ["ttl", "hosts", "tableName", "credentials"]) {
      const create = (): unknown =>
        new DynamoLock("report", { [option]: 5 } as DynamoLockOptions);
      const message = new RegExp(`"${option}".*it has table, ttlMs`);
      assert.throws(create, { name: "TypeError", message });
    }
  });

  it("an endpoint that is no URL throws at once, and is named", () => {
    for (const endpoint of ["http://host:99999", "http://:80", "http://%zz"]) {
      const create = (): unknown => new DynamoLock("report", { endpoint });
      const message = new RegExp(`DynamoLock endpoint .*${endpoint}`);
      assert.throws(create, { name: "TypeError", message }, endpoint);
    }
  });

  it("a client together with region or endpoint throws a TypeError", () => {
    const client = { send: () => Promise.resolve({}) };
    const places = { region: "eu-central-1", endpoint: "http://localhost:1" };
    for (const [option, value] of Object.entries(places)) {
      const options = { client, [option]: value };
      const create = (): unknown => new DynamoLock("report", options);
      assert.throws(create, { name: "TypeError", message: /either a client/ });
    }
  });

  it("names of tables, ARNs and URLs are taken", () => {
    const right: DynamoLockOptions[] = [
      { table: "a_b" },
      { table: "a".repeat(255) },
      { table: "arn:aws:dynamodb:eu-central-1:123456789012:table/locks" },
      { region: "eu-central-1", endpoint: "https://dynamodb.local:8000/" },
      { ttlMs: 100, heartbeatIntervalMs: 49 },
    ];
    for (const options of right) new DynamoLock("report", options);
  });
});

/** Runs something with a client, and destroys it only then. */
async function withClient(
  endpoint: string,
  run: (client: DynamoDBClient) => Promise<void>,
): Promise<void> {
  const client = new DynamoDBClient({ endpoint });
  try {
    await run(client);
  } finally {
    client.destroy();
  }
}

describe("DynamoLock with a client of the caller's", () => {
  dynamoTest("excludes locks by endpoint, and is excluded", async () => {
    const { endpoint } = dynalite.own;
    await withClient(endpoint, async (client) => {
      const name = uniqueName();
      const pair = [
        new DynamoLock(name, { client }),
        new DynamoLock(name, { endpoint }),
      ] as const;
      let last = 0n;
      for (const [one, other] of [pair, pair.toReversed()]) {
        const lease = await one!.acquire();
        assert.equal(await other!.tryAcquire(), null);
        const { fencingToken } = (await other!.holder())!;
        assert.equal(fencingToken, lease.fencingToken);
        assert.ok(fencingToken! > last);
        last = fencingToken!;
        await lease.release();
      }
    });
  });

  dynamoTest(
    "shares one queue with the client's other locks",
    () =>
      withProxy(
        dynalite.own,
        (proxy) =>
          withClient(proxy.endpoint, async (client) => {
            const name = uniqueName();
            const lease = await new DynamoLock(name, { client }).acquire();
            proxy.reset();
            const other = new DynamoLock(name, { client });
            assert.equal(await other.tryAcquire(), null);
            assert.equal(proxy.count(), 0);
            await lease.release();
          }),
      ),
  );

  dynamoTest("leaves it open", async () => {
    await withClient(dynalite.own.endpoint, async (client) => {
      let ends = 0;
      const destroy = client.destroy.bind(client);
      client.destroy = () => void ends++;
      const lock = new DynamoLock(uniqueName(), { client });
      await lock.withLock(() => {});
      assert.equal(await lock.holder(), null);
      assert.equal(ends, 0);
      await client.send(new ListTablesCommand({}));
      client.destroy = destroy;
    });
  });

  dynamoTest(
    "which sends again what was applied: nothing is lost",
    () =>
      withProxy(
        dynalite.own,
        (proxy) =>
          withClient(
            proxy.endpoint,
            (client) => useAgainAndAgain(proxy, client),
          ),
      ),
  );
});

/** Takes, keeps and frees a lock, with an answer lost each time. */
async function useAgainAndAgain(
  proxy: HttpProxy,
  client: DynamoDBClient,
): Promise<void> {
  // The client has time to send again before the lock itself would.
  const terms = { ttlMs: 5000, heartbeatIntervalMs: 300 };
  const lock = new DynamoLock(uniqueName(), { client, ...terms });
  // The first request may be about the time.
  assert.equal(await lock.holder(), null);
  proxy.reset();
  const sent = countSends(client);
  const options = { timeoutMs: 2000 };
  const lease = await losingOne(proxy, () => lock.acquire(options));
  await losingOne(proxy, () => anotherWrite(proxy));
  // It goes on beating, and so has not taken the refusal for a loss.
  await anotherWrite(proxy);
  lease.assertHeld();
  await losingOne(proxy, () => lock.release());
  // Each lost one is there twice, and the lock has asked for it once.
  assert.equal(proxy.count(), sent() + 3);
  await assertFree(lock.name, lease.fencingToken!);
  await lock.withLock(() => {}, { timeoutMs: 0 });
}

/** Counts what is asked of a client from now on. */
function countSends(client: DynamoDBClient): () => number {
  let count = 0;
  client.middlewareStack.add((next) => (args) => {
    count++;
    return next(args);
  }, { step: "initialize" });
  return () => count;
}

/** Runs something; the answer to the next write is lost, now or later. */
async function losingOne<T>(
  proxy: HttpProxy,
  run: () => Promise<T>,
): Promise<T> {
  let lost = false;
  let again = false;
  proxy.onRequest = ({ operation }) => {
    if (operation !== "UpdateItem") return null;
    again = lost;
    lost = true;
    return again ? null : { kind: "lost" };
  };
  const result = await run();
  await until("a write that is sent again", () => again);
  return result;
}

async function anotherWrite(proxy: HttpProxy): Promise<void> {
  const count = proxy.count("UpdateItem");
  await until("a write", () => proxy.count("UpdateItem") > count, 1000);
}

async function assertFree(name: string, token: bigint): Promise<void> {
  const { expiry, fence, pid } = (await dynalite.own.get(name))!;
  assert.deepEqual(expiry, { N: "0" });
  assert.deepEqual(fence, { N: String(token) });
  assert.equal(pid, undefined);
}

describe("DynamoLock of names", () => {
  dynamoTest(
    "that are hard to keep apart: all are held at once",
    () => assertApart(dynalite.own, generateNames(300)),
  );

  dynamoTest(
    "that are hard to keep apart: all are held at once (local)",
    () => assertApart(local.own, generateNames(100)),
    noEngine("local"),
  );

  dynamoTest(
    "that are longer than a key: their digests tell them apart",
    () =>
      assertApart(dynalite.own, [
        "n".repeat(3000),
        "n".repeat(2999),
        "n".repeat(2999) + "m",
        "n".repeat(2048),
        "\u00e9".repeat(1025),
      ]),
  );

  dynamoTest("that are another one's digest are held beside it", async () => {
    const name = "d".repeat(3000);
    const digest = `#${digestOf(name)}`;
    await assertApart(dynalite.own, [name, digest, `#${digestOf(digest)}`]);
  });

  dynamoTest(
    "up to 2048 bytes long are the item's key as they are",
    async () => {
      for (
        const name of ["a b/\0\n%", "n".repeat(2048), "\u00e9".repeat(1024)]
      ) {
        const { endpoint } = dynalite.own;
        await new DynamoLock(name, { endpoint }).withLock(async (lease) => {
          const item = await dynalite.own.get(name);
          assert.equal(item?.fence?.N, String(lease.fencingToken));
        });
      }
    },
  );

  dynamoTest("over 2048 bytes long have their SHA-256 for a key", async () => {
    for (const name of ["n".repeat(2049), "\u00e9".repeat(1025)]) {
      const { endpoint } = dynalite.own;
      await new DynamoLock(name, { endpoint }).withLock(async (lease) => {
        const item = await dynalite.own.get(`#${digestOf(name)}`);
        assert.equal(item?.fence?.N, String(lease.fencingToken));
      });
    }
  });
});

function digestOf(name: string): string {
  return createHash("sha256").update(name).digest("hex");
}

/** All of them can be held at once, and each has a holder of its own. */
async function assertApart(
  { endpoint }: DynamoServer,
  names: readonly string[],
): Promise<void> {
  // However long it takes: this is about who is whose.
  const options = { endpoint, ttlMs: 60_000 };
  const locks = names.map((name) => new DynamoLock(name, options));
  const leases = await inParts(locks, (lock) => lock.tryAcquire());
  const taken = names.filter((_, i) => leases[i] === null);
  assert.deepEqual(taken, []);
  const holders = await inParts(locks, (lock) => lock.holder());
  assert.deepEqual(
    holders.map((holder) => holder?.fencingToken),
    leases.map((lease) => lease?.fencingToken),
  );
  for (const lease of leases) lease?.assertHeld();
  await inParts(leases, (lease) => lease?.release());
}

/** Does something for all, not all at once: a busy engine would fall silent. */
async function inParts<T, R>(
  all: readonly T[],
  run: (one: T) => Promise<R> | undefined,
): Promise<(R | undefined)[]> {
  const results: (R | undefined)[] = [];
  for (let i = 0; i < all.length; i += 20) {
    results.push(...await Promise.all(all.slice(i, i + 20).map(run)));
  }
  return results;
}
