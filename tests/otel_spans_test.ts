// The spans that OpenTelemetry gets of locks.
import { context, SpanStatusCode } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { FileLock, RedisLock } from "../mod.ts";
import { makeDirectory, removeDirectory, uniqueName } from "./_names.ts";
import { HOLD, lose, newLock, recorded } from "./_otel.ts";
import { noFiles, noSockets } from "./_platform.ts";
import { fileServer, noRedis } from "./_redis.ts";
import { sleep, until } from "./_time.ts";

describe("the spans of instrumentLocks()", () => {
  const directory = makeDirectory();
  const redis = fileServer();
  before(() => {
    const manager = new AsyncLocalStorageContextManager();
    context.setGlobalContextManager(manager.enable());
  });
  after(() => {
    context.disable();
    removeDirectory(directory);
  });

  const skip = noSockets();

  it(
    "of an acquire and a release, within the caller's",
    { skip },
    () =>
      recorded(async (telemetry) => {
        const lock = newLock();
        const tracer = telemetry.tracerProvider.getTracer("test");
        await tracer.startActiveSpan("caller", async (caller) => {
          await (await lock.acquire({ timeoutMs: 5000 })).release();
          caller.end();
        });
        const caller = telemetry.span("caller").spanContext();
        const acquire = telemetry.span("lock.acquire");
        assert.deepEqual(acquire.parentSpanContext?.spanId, caller.spanId);
        assert.deepEqual(acquire.attributes, {
          "lock.name": lock.name,
          "lock.kind": "socket",
          "lock.timeout_ms": 5000,
          "lock.contended": false,
          "lock.acquired": true,
        });
        assert.equal(acquire.status.code, SpanStatusCode.UNSET);
        const release = telemetry.span("lock.release");
        assert.deepEqual(release.parentSpanContext?.spanId, caller.spanId);
        assert.deepEqual(release.attributes, {
          "lock.name": lock.name,
          "lock.kind": "socket",
        });
      }),
  );

  it(
    "that have no timeout where there is none",
    { skip },
    () =>
      recorded(async (telemetry) => {
        await newLock().withLock(() => {});
        const { attributes } = telemetry.span("lock.acquire");
        assert.equal("lock.timeout_ms" in attributes, false);
      }),
  );

  it("of each of many acquires under way, as long as its wait", {
    skip,
  }, () =>
    recorded(async (telemetry) => {
      const lock = newLock();
      await Promise.all(
        Array.from({ length: 3 }, () => lock.withLock(() => sleep(50))),
      );
      const waits = telemetry.spans("lock.acquire").map((span) => [
        span.attributes["lock.contended"],
        // A timer may be early by a moment.
        Math.floor((span.duration[0] * 1000 + span.duration[1] / 1e6) / 40),
      ]);
      const [first, second, third] = waits;
      assert.deepEqual(first, [false, 0]);
      assert.deepEqual([second![0], third![0]], [true, true]);
      assert.ok(second![1] as number >= 1 && third![1] as number >= 2);
    }));

  it(
    "with the fencing token as a text",
    { skip: noRedis() },
    () =>
      recorded(async (telemetry) => {
        const options = { hosts: redis.own.host };
        const lease = await new RedisLock(uniqueName(), options).acquire();
        await lease.release();
        const { attributes } = telemetry.span("lock.acquire");
        assert.equal(attributes["lock.kind"], "redis");
        const token = attributes["lock.fencing_token"];
        assert.equal(token, String(lease.fencingToken));
      }),
  );

  it(
    "that are errors where the time ran out",
    { skip },
    () =>
      recorded(async (telemetry) => {
        const lock = newLock();
        const lease = await lock.acquire();
        const error = await lock.acquire({ timeoutMs: 1 }).catch((e) => e);
        await lease.release();
        const span = telemetry.spans("lock.acquire")[1]!;
        assert.equal(span.attributes["lock.acquired"], false);
        assert.equal(span.attributes["lock.contended"], true);
        assert.equal(span.attributes["error.type"], "LOCK_TIMEOUT");
        const { message } = error;
        assert.deepEqual(span.status, {
          code: SpanStatusCode.ERROR,
          message,
        });
        const { name, attributes = {} } = span.events[0]!;
        assert.equal(name, "exception");
        assert.equal(attributes["exception.message"], message);
      }),
  );

  const reasons: [type: string, reason: unknown][] = [
    ["AbortError", undefined],
    ["RangeError", new RangeError("too far")],
    ["_OTHER", "no more"],
    ["_OTHER", null],
  ];
  for (const [type, reason] of reasons) {
    it(
      `that are of ${type} where ${reason} ended the wait`,
      { skip },
      () =>
        recorded(async (telemetry) => {
          const lock = newLock();
          const lease = await lock.acquire();
          const controller = new AbortController();
          const waiting = lock.acquire({ signal: controller.signal });
          controller.abort(reason);
          await assert.rejects(async () => {
            await waiting.catch((error) => {
              throw new Error("rejected", { cause: error });
            });
          }, /rejected/);
          await lease.release();
          const span = telemetry.spans("lock.acquire")[1]!;
          assert.equal(span.attributes["error.type"], type);
          assert.equal(span.status.code, SpanStatusCode.ERROR);
          assert.equal(span.events.length, 1);
        }),
    );
  }

  it(
    "that are no errors where tryAcquire() got nothing",
    { skip },
    () =>
      recorded(async (telemetry) => {
        const lock = newLock();
        const lease = await lock.acquire();
        assert.equal(await lock.tryAcquire(), null);
        await lease.release();
        const span = telemetry.spans("lock.acquire")[1]!;
        assert.equal(span.attributes["lock.acquired"], false);
        assert.equal(span.attributes["lock.contended"], true);
        assert.equal(span.attributes["lock.timeout_ms"], 0);
        assert.equal(span.status.code, SpanStatusCode.UNSET);
        assert.deepEqual(span.events, []);
      }),
  );

  it(
    "of a loss, linked to that of its acquire",
    { skip: noFiles() },
    () =>
      recorded(async (telemetry) => {
        const name = uniqueName();
        await (await lose(directory, name)).release();
        const span = telemetry.span("lock.lost");
        const acquire = telemetry.span("lock.acquire").spanContext();
        assert.deepEqual(span.links.map(({ context }) => context), [acquire]);
        assert.equal(span.status.code, SpanStatusCode.ERROR);
        assert.match(span.status.message ?? "", /^Lost "/);
        assert.deepEqual(span.attributes, {
          "lock.name": name,
          "lock.kind": "file",
          "error.type": "LOCK_LOST",
        });
      }),
  );

  it(
    "of a loss whose acquire was not seen",
    { skip: noFiles() },
    async () => {
      const name = uniqueName();
      const lease = await new FileLock(name, { directory }).acquire();
      await recorded(async (telemetry) => {
        rmSync(join(directory, encodeURIComponent(name)));
        assert.throws(() => lease.assertHeld());
        await lease.release();
        assert.deepEqual(telemetry.span("lock.lost").links, []);
        assert.equal(await telemetry.total("locking.losses"), 1);
        assert.deepEqual(await telemetry.outcomes(HOLD), {});
        assert.equal(await telemetry.total("locking.held"), 0);
      });
    },
  );

  it(
    "of renewals, in traces of their own",
    { skip: noRedis() },
    () =>
      recorded(async (telemetry) => {
        const terms = {
          hosts: redis.own.host,
          ttlMs: 300,
          heartbeatIntervalMs: 50,
        };
        const tracer = telemetry.tracerProvider.getTracer("test");
        const leases = await tracer.startActiveSpan("caller", (caller) => {
          caller.end();
          return Promise.all(
            [1, 2].map(() => new RedisLock(uniqueName(), terms).acquire()),
          );
        });
        await until("a renewal of both", () =>
          telemetry.spans("lock.renew").some(({ attributes }) =>
            attributes["lock.renewed_count"] === 2
          ));
        await Promise.all(leases.map((lease) =>
          lease.release()
        ));
        const span = telemetry.spans("lock.renew").find(({ attributes }) =>
          attributes["lock.renewed_count"] === 2
        )!;
        assert.equal(span.parentSpanContext, undefined);
        assert.deepEqual(span.attributes, {
          "lock.kind": "redis",
          "lock.place": `redis://${redis.own.host}`,
          "lock.lease_count": 2,
          "lock.renewed_count": 2,
        });
        const failures = "locking.renewal.failures";
        assert.equal(await telemetry.total(failures), 0);
      }),
  );
});
