// What OpenTelemetry is told of locks.
import {
  context,
  diag,
  DiagLogLevel,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import assert from "node:assert/strict";
import { tracingChannel } from "node:diagnostics_channel";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { FileLock, type Lease, RedisLock, SocketLock } from "../mod.ts";
import { instrumentLocks, type InstrumentOptions } from "../otel.ts";
import { makeDirectory, removeDirectory, uniqueName } from "./_names.ts";
import { recorded, Telemetry } from "./_otel.ts";
import { noFiles, noSockets } from "./_platform.ts";
import { fileServer, noRedis, withRedis } from "./_redis.ts";
import { sleep, until } from "./_time.ts";

const WAIT = "locking.wait.duration";
const HOLD = "locking.hold.duration";

/** A lock that is taken at once. */
function newLock(): SocketLock {
  return new SocketLock(uniqueName());
}

/** The number of measurements of a histogram, by outcome. */
async function outcomes(
  telemetry: Telemetry,
  name: string,
): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { attributes, value } of await telemetry.histograms(name)) {
    const outcome = String(attributes["lock.outcome"]);
    counts[outcome] = (counts[outcome] ?? 0) + value.count;
  }
  return counts;
}

/** The sum of a counter. */
async function total(telemetry: Telemetry, name: string): Promise<number> {
  const points = await telemetry.counts(name);
  return points.reduce((sum, { value }) => sum + value, 0);
}

describe("instrumentLocks()", () => {
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

  /** A FileLock's lease that has been lost, and who took it. */
  async function lose(name = uniqueName()): Promise<Lease> {
    const lease = await new FileLock(name, { directory }).acquire();
    rmSync(join(directory, encodeURIComponent(name)));
    assert.throws(() => lease.assertHeld());
    return lease;
  }

  describe("makes spans", () => {
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
          await (await lose(name)).release();
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
          assert.equal(await total(telemetry, "locking.losses"), 1);
          assert.deepEqual(await outcomes(telemetry, HOLD), {});
          assert.equal(await total(telemetry, "locking.held"), 0);
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
          assert.equal(await total(telemetry, failures), 0);
        }),
    );
  });

  describe("makes metrics", () => {
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
          assert.deepEqual(await outcomes(telemetry, WAIT), {
            acquired: 1,
            held: 1,
            LOCK_TIMEOUT: 1,
            AbortError: 1,
          });
          assert.equal(await total(telemetry, "locking.held"), 0);
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
        const lease = await lose();
        assert.deepEqual(await outcomes(telemetry, HOLD), { lost: 1 });
        assert.equal(await total(telemetry, "locking.held"), 0);
        await lease.release();
        assert.deepEqual(await outcomes(telemetry, HOLD), { lost: 1 });
        assert.equal(await total(telemetry, "locking.held"), 0);
        assert.equal(await total(telemetry, "locking.losses"), 1);
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
        assert.equal(await total(telemetry, "locking.held"), 0);
        await lease.release();
        const order = telemetry.spans().map(({ name }) => name);
        assert.deepEqual(order.slice(0, 2), ["lock.lost", "lock.acquire"]);
        assert.equal(await total(telemetry, "locking.losses"), 1);
        assert.deepEqual(await outcomes(telemetry, HOLD), {});
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
              async () =>
                await total(telemetry, "locking.renewal.failures") > 0,
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
            assert.deepEqual(await outcomes(telemetry, HOLD), { lost: 1 });
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

  describe("with lockName", () => {
    it("calls locks in spans and metrics what it gives", {
      skip: noFiles(),
    }, () =>
      recorded(async (telemetry) => {
        const one = await lose(uniqueName("job"));
        const other = await new FileLock(uniqueName("job"), { directory })
          .acquire();
        assert.deepEqual(await telemetry.counts("locking.held"), [{
          attributes: { "lock.name": "job-*", "lock.kind": "file" },
          value: 1,
        }]);
        await one.release();
        await other.release();
        const names = telemetry.spans().map(({ name, attributes }) =>
          `${name} ${attributes["lock.name"]}`
        );
        assert.deepEqual(
          new Set(names),
          new Set([
            "lock.acquire job-*",
            "lock.lost job-*",
            "lock.release job-*",
          ]),
        );
        for (const name of [WAIT, HOLD, "locking.losses", "locking.held"]) {
          for (const { attributes } of await telemetry.counts(name)) {
            assert.equal(attributes["lock.name"], "job-*", name);
          }
        }
      }, { lockName: (name) => name.replace(/.*-job-\d+/, "job-*") }));
  });

  describe("when it is ended", () => {
    const skip = noSockets();
    const names = ["acquire", "release", "renew", "lost"];

    function followed(): string[] {
      return names.filter((name) => {
        const { start, end, asyncStart, asyncEnd, error } = tracingChannel<
          object,
          object
        >(`locking:${name}`);
        return [start, end, asyncStart, asyncEnd, error]
          .some(({ hasSubscribers }) => hasSubscribers);
      });
    }

    it("follows the channels no more, and records nothing", {
      skip,
    }, async () => {
      const telemetry = new Telemetry();
      assert.deepEqual(followed(), []);
      const instrumentation = instrumentLocks(telemetry);
      assert.deepEqual(followed(), names);
      instrumentation[Symbol.dispose]();
      instrumentation.disable();
      assert.deepEqual(followed(), []);
      await newLock().withLock(() => {});
      assert.deepEqual(telemetry.spans(), []);
      assert.deepEqual(await telemetry.histograms(WAIT), []);
    });

    it("leaves what is under way, and counts what is held no more", {
      skip,
    }, async () => {
      const telemetry = new Telemetry();
      const instrumentation = instrumentLocks(telemetry);
      const lock = newLock();
      const leases = [await lock.acquire(), await newLock().acquire()];
      const waiting = lock.acquire();
      assert.equal(await total(telemetry, "locking.held"), 2);
      instrumentation.disable();
      assert.equal(await total(telemetry, "locking.held"), 0);
      await Promise.all(leases.map((lease) => lease.release()));
      await (await waiting).release();
      assert.equal(telemetry.spans().length, 2);
      assert.deepEqual(await outcomes(telemetry, HOLD), {});
      assert.deepEqual(await outcomes(telemetry, WAIT), { acquired: 2 });
      instrumentation.disable();
      assert.equal(await total(telemetry, "locking.held"), 0);
    });

    it("does not end another", { skip }, async () => {
      const [one, other] = [new Telemetry(), new Telemetry()];
      const first = instrumentLocks(one);
      using _ = instrumentLocks(other);
      await newLock().withLock(() => {});
      first.disable();
      await newLock().withLock(() => {});
      assert.equal(one.spans("lock.acquire").length, 1);
      assert.equal(other.spans("lock.acquire").length, 2);
      assert.deepEqual(await outcomes(one, HOLD), { released: 1 });
      assert.deepEqual(await outcomes(other, HOLD), { released: 2 });
    });
  });

  describe("where a provider throws", () => {
    const skip = noSockets();
    const fail = (): never => {
      throw new Error("of the provider");
    };

    async function use(options: InstrumentOptions): Promise<unknown[]> {
      const told: unknown[] = [];
      const logger = {
        error: (_: string, error: unknown) => void told.push(error),
      };
      diag.setLogger(logger as never, {
        logLevel: DiagLogLevel.ERROR,
        suppressOverrideMessage: true,
      });
      try {
        using _ = instrumentLocks(options);
        const lock = newLock();
        const lease = await lock.acquire();
        assert.equal(await lock.tryAcquire(), null);
        await lease.release();
        // What subscribers throw would come uncaught in later turns.
        await sleep(10);
      } finally {
        diag.disable();
      }
      return told.map((error) => (error as Error).message);
    }

    it("keeps that from who uses a lock, and from the metrics", {
      skip,
    }, async () => {
      const telemetry = new Telemetry();
      const tracer = { startSpan: fail };
      const told = await use({
        tracerProvider: { getTracer: () => tracer },
        meterProvider: telemetry.meterProvider,
      });
      assert.deepEqual(new Set(told), new Set(["of the provider"]));
      assert.deepEqual(await outcomes(telemetry, WAIT), {
        acquired: 1,
        held: 1,
      });
    });

    it("keeps that from who uses a lock, and from the spans", {
      skip,
    }, async () => {
      const telemetry = new Telemetry();
      const instrument = () => ({ record: fail, add: fail });
      const meter = {
        createHistogram: instrument,
        createCounter: instrument,
        createUpDownCounter: instrument,
      };
      const told = await use({
        tracerProvider: telemetry.tracerProvider,
        meterProvider: { getMeter: () => meter },
      });
      assert.deepEqual(new Set(told), new Set(["of the provider"]));
      assert.equal(telemetry.spans("lock.acquire").length, 2);
      assert.equal(telemetry.spans("lock.release").length, 1);
    });

    it("keeps from them what lockName throws", { skip }, async () => {
      const told = await use({ ...new Telemetry(), lockName: fail });
      assert.deepEqual(new Set(told), new Set(["of the provider"]));
    });

    it("throws what it throws at once, and follows nothing", () => {
      const getMeter = fail;
      assert.throws(
        () => instrumentLocks({ meterProvider: { getMeter } }),
        /of the provider/,
      );
      const { start } = tracingChannel("locking:acquire");
      assert.equal(start.hasSubscribers, false);
    });
  });

  describe("given what makes no sense", () => {
    const bad: [options: unknown, message: RegExp][] = [
      [null, /^instrumentLocks options must be an object, got null$/],
      [{ tracer: 1 }, /^Unknown instrumentLocks option "tracer": it has /],
      [
        { tracerProvider: trace.getTracer("a") },
        /: tracerProvider must be a TracerProvider, got \[object Object\]$/,
      ],
      [
        { meterProvider: "console" },
        /: meterProvider must be a MeterProvider, got "console"$/,
      ],
      [{ meterProvider: null }, /: meterProvider must be .*, got null$/],
      [{ lockName: "job/*" }, /: lockName must be a function, got "job\/\*"$/],
    ];
    for (const [options, message] of bad) {
      it(`throws a TypeError like ${message.source}`, () => {
        assert.throws(
          () => instrumentLocks(options as InstrumentOptions),
          { name: "TypeError", message },
        );
      });
    }
  });

  it("records in the global providers where none is given", {
    skip: noSockets(),
  }, async () => {
    const telemetry = new Telemetry();
    using _ = instrumentLocks();
    // A tracer finds the provider that comes later.
    trace.setGlobalTracerProvider(telemetry.tracerProvider);
    try {
      await newLock().withLock(() => {});
      assert.equal(telemetry.spans("lock.acquire").length, 1);
    } finally {
      trace.disable();
    }
  });
});
