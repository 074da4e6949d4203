/** Leases of the shortest time to live, 100 ms: kept, and without spinning. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DynamoLock, type Lock, RedisLock } from "../mod.ts";
import { dynamoTest, fileDynamo } from "./_dynamo.ts";
import { withProxy } from "./_dynamo_locks.ts";
import { uniqueName } from "./_names.ts";
import { fileServer, noRedis } from "./_redis.ts";
import { sleep } from "./_time.ts";

const TERMS = { ttlMs: 100, heartbeatIntervalMs: 40 };

const redis = fileServer();
const dynamo = fileDynamo("dynalite");

/** A lease is kept for ten times its time to live, by no more than it takes. */
async function assertKeptCalmly(
  lock: Lock,
  calls: () => number | Promise<number>,
): Promise<void> {
  const lease = await lock.acquire();
  const before = await calls();
  await sleep(1000);
  const count = await calls() - before;
  lease.assertHeld();
  // A beat each 36 to 40 ms.
  assert.ok(count <= 30, `${count} calls`);
  await lease.release();
}

describe("the smallest time to live", () => {
  it("of a RedisLock keeps a lease without spinning", {
    skip: noRedis(),
  }, async () => {
    const options = { hosts: redis.own.host, ...TERMS };
    await assertKeptCalmly(
      new RedisLock(uniqueName(), options),
      () => redis.own.calls("evalsha", "eval"),
    );
  });

  dynamoTest(
    "of a DynamoLock keeps a lease without spinning",
    () =>
      withProxy(dynamo.own, async (proxy) => {
        proxy.keepAlive = true;
        const options = { endpoint: proxy.endpoint, ...TERMS };
        await assertKeptCalmly(
          new DynamoLock(uniqueName(), options),
          () => proxy.count(),
        );
      }),
  );
});
