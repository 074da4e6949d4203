/** What tests of RedisLock assert of two of them. */
import assert from "node:assert/strict";
import { RedisLock, type RedisLockOptions } from "../backends/redis.ts";
import { uniqueName } from "./_names.ts";
import type { RedisProcess } from "./_redis.ts";
import { until, within } from "./_time.ts";

/**
 * Two locks of one name keep each other out, and the one that waits is woken:
 * its next look by itself would be 900 ms later.
 */
export async function assertExclude(
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
