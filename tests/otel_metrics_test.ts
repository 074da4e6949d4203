// The metrics that OpenTelemetry gets of locks.
import { SpanStatusCode } from "@opentelemetry/api";
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { FileLock, RedisLock } from "../mod.ts";
import { makeDirectory, removeDirectory, uniqueName } from "./_names.ts";
import { HOLD, lose, newLock, recorded, WAIT } from "./_otel.ts";
import { noFiles, noSockets } from "./_platform.ts";
import { noRedis, withRedis } from "./_redis.ts";
import { sleep, until } from "./_time.ts";

describe("the metrics of instrumentLocks()", () => {
  const directory = makeDirectory();
  after(() => removeDirectory(directory));

  const skip = noSockets();

  it(
    "of how long acquires took, and which were contended",
    { skip },
    () =>
      recorded(async (telemetry) => {
        const lock = newLock();
        await Promise.all([
          lock.withLock(() => sleep(100)),
          lock.withLock(() => {}),
        ]);
        const of = { "lock.name": lock.name, "lock.kind": "socket" };
        const [free, contended] = await telemetry.histograms(WAIT);
        assert.deepEqual(free!.attributes, {
          ...of,
          "lock.contended": false,
          "lock.outcome": "acquired",
        });
        assert.ok(free!.value.sum! < 0.09, `${free!.value.sum} s`);
        assert.deepEqual(contended!.attributes, {
          ...of,
          "lock.contended": true,
          "lock.outcome": "acquired",
        });
        assert.ok(contended!.value.sum! > 0.09, `${contended!.value.sum} s`);
        assert.ok(contended!.value.sum! < 10, `${contended!.value.sum} s`);
        assert.deepEqual(await telemetry.counts("locking.contentions"), [
          { attributes: of, value: 1 },
        ]);
      }),
  );

  it(
    "of acquires that got nothing, by what came of them",
    { skip },
    () =>
      recorded(async (telemetry) => {
        const lock = newLock();
        const lease = await lock.acquire();
        await lock.tryAcquire();
        await lock.acquire({ timeoutMs: 1 }).catch(() => {});
        const signal = AbortSignal.abort();
        await lock.acquire({ signal }).catch(() => {});
        await lease.release();
        assert.deepEqual(await telemetry.outcomes(WAIT), {
          acquired: 1,
          held: 1,
          LOCK_TIMEOUT: 1,
          AbortError: 1,
        });
        assert.equal(await telemetry.total("locking.held"), 0);
      }),
  );

  it(
    "of how long a lease was held until its release, once",
    { skip },
    () =>
      recorded(async (telemetry) => {
        const lock = newLock();
        const lease = await lock.acquire();
        const of = { "lock.name": lock.name, "lock.kind": "socket" };
        assert.deepEqual(await telemetry.counts("locking.held"), [
          { attributes: of, value: 1 },
        ]);
        await sleep(100);
        await Promise.all([lease.release(), lease.release()]);
        await lease.release();
        const [hold, ...others] = await telemetry.histograms(HOLD);
        assert.deepEqual(others, []);
        assert.deepEqual(hold!.attributes, {
          ...of,
          "lock.outcome": "released",
        });
        assert.equal(hold!.value.count, 1);
        assert.ok(hold!.value.sum! > 0.09, `${hold!.value.sum} s`);
        assert.ok(hold!.value.sum! < 10, `${hold!.value.sum} s`);
        assert.deepEqual(await telemetry.counts("locking.held"), [
          { attributes: of, value: 0 },
        ]);
      }),
  );

  it("of a loss, which ends the hold, and no release after it", {
    skip: noFiles(),
  }, () =>
    recorded(async (telemetry) => {
      const lease = await lose(directory);
      assert.deepEqual(await telemetry.outcomes(HOLD), { lost: 1 });
      assert.equal(await telemetry.total("locking.held"), 0);
      await lease.release();
      assert.deepEqual(await telemetry.outcomes(HOLD), { lost: 1 });
      assert.equal(await telemetry.total("locking.held"), 0);
      assert.equal(await telemetry.total("locking.losses"), 1);
      assert.deepEqual(await telemetry.counts("locking.losses"), [{
        attributes: { "lock.name": lease.lockName, "lock.kind": "file" },
        value: 1,
      }]);
    }));

  it("of a lease that is lost before its caller has it", {
    skip: noFiles(),
  }, () =>
    recorded(async (telemetry) => {
      const lock = new FileLock(uniqueName(), { directory });
      const acquiring = lock.acquire();
      while (!lock.locked) await null;
      rmSync(join(directory, encodeURIComponent(lock.name)));
      assert.equal(lock.locked, false);
      const lease = await acquiring;
      assert.equal(await telemetry.total("locking.held"), 0);
      await lease.release();
      const order = telemetry.spans().map(({ name }) => name);
      assert.deepEqual(order.slice(0, 2), ["lock.lost", "lock.acquire"]);
      assert.equal(await telemetry.total("locking.losses"), 1);
      assert.deepEqual(await telemetry.outcomes(HOLD), {});
    }));

  it(
    "of renewals that failed",
    { skip: noRedis() },
    () =>
      withRedis(1, ([server]) =>
        recorded(async (telemetry) => {
          const terms = { hosts: server!.host, heartbeatIntervalMs: 50 };
          const lock = new RedisLock(uniqueName(), { ...terms, ttlMs: 1000 });
          const lease = await lock.acquire();
          await server!.kill();
          await until(
            "its loss",
            () => lease.signal.aborted,
          );
          await until(
            "a renewal that failed",
            async () => await telemetry.total("locking.renewal.failures") > 0,
          );
          await lease.release().catch(() => {});
          const name = "locking.renewal.failures";
          const [failures] = await telemetry.counts(name);
          const { "error.type": type, ...of } = failures!.attributes;
          assert.deepEqual(of, {
            "lock.kind": "redis",
            "lock.place": `redis://${server!.host}`,
          });
          assert.ok(type);
          const span = telemetry.spans("lock.renew").find(({ status }) =>
            status.code === SpanStatusCode.ERROR
          );
          assert.equal(span?.attributes["error.type"], type);
          assert.deepEqual(await telemetry.outcomes(HOLD), { lost: 1 });
        })),
  );

  it("in seconds, with buckets from a tenth of a millisecond to hours", {
    skip,
  }, () =>
    recorded(async (telemetry) => {
      await newLock().withLock(() => {});
      for (const name of [WAIT, HOLD]) {
        const unit = (await telemetry.metric(name))?.descriptor.unit;
        assert.equal(unit, "s");
        const [point] = await telemetry.histograms(name);
        const { boundaries } = point!.value.buckets;
        assert.equal(boundaries[0], 0.0001);
        assert.equal(boundaries.at(-1), 7200);
      }
    }));
});
