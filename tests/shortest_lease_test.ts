/** Leases of the shortest time to live, 100 ms: kept, and without spinning. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DynamoLock, type Lock, RedisLock } from "../mod.ts";
import { dynamoTest, fileDynamo } from "./_dynamo.ts";
import { withProxy } from "./_dynamo_locks.ts";
import { uniqueName } from "./_names.ts";
import { fileServer, noRedis } from "./_redis.ts";
import { longestStall, sleep } from "./_time.ts";

const TERMS = { ttlMs: 100, heartbeatIntervalMs: 40 };

// The timer that looks comes each 10 ms by itself.
const LATE_MS = 30;

const redis = fileServer();
const dynamo = fileDynamo("dynalite");

/** A lease is kept for ten times its time to live, by no more than it takes. */
async function assertKeptCalmly(
  lock: Lock,
  calls: () => number | Promise<number>,
): Promise<void> {
  // To load a driver and to connect takes longer than such a lease lasts.
  await lock.holder();
  await calls();
  let losses = 0;
  for (let round = 0; round < 10; round++) {
    const lease = await lock.acquire();
    const before = await calls();
    const stallMs = await longestStall(() => sleep(1000));
    const count = await calls() - before;
    // A beat each 36 to 40 ms.
    assert.ok(count <= 30, `${count} calls`);
    const isKept = !lease.signal.aborted;
    await lease.release();
    if (isKept) return;
    // Who is run as late as that may well lose it; and so it is if the server,
    // which has just been started, answers once as late: but not again and again.
    if (stallMs <= LATE_MS) losses++;
    assert.ok(losses < 3, `lost ${losses} times, run within ${stallMs} ms`);
  }
  assert.fail("not run in time, again and again");
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
