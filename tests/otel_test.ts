// Where and how OpenTelemetry is told of locks; what it is told has files of
// its own.
import { diag, DiagLogLevel, trace } from "@opentelemetry/api";
import assert from "node:assert/strict";
import { tracingChannel } from "node:diagnostics_channel";
import { after, describe, it } from "node:test";
import { FileLock } from "../mod.ts";
import { instrumentLocks, type InstrumentOptions } from "../otel.ts";
import { makeDirectory, removeDirectory, uniqueName } from "./_names.ts";
import { HOLD, lose, newLock, recorded, Telemetry, WAIT } from "./_otel.ts";
import { noFiles, noSockets } from "./_platform.ts";
import { sleep } from "./_time.ts";

describe("instrumentLocks()", () => {
  const directory = makeDirectory();
  after(() => removeDirectory(directory));

  describe("with lockName", () => {
    it("calls locks in spans and metrics what it gives", {
      skip: noFiles(),
    }, () =>
      recorded(async (telemetry) => {
        const one = await lose(directory, uniqueName("job"));
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
      assert.equal(await telemetry.total("locking.held"), 2);
      instrumentation.disable();
      assert.equal(await telemetry.total("locking.held"), 0);
      await Promise.all(leases.map((lease) => lease.release()));
      await (await waiting).release();
      assert.equal(telemetry.spans().length, 2);
      assert.deepEqual(await telemetry.outcomes(HOLD), {});
      assert.deepEqual(await telemetry.outcomes(WAIT), { acquired: 2 });
      instrumentation.disable();
      assert.equal(await telemetry.total("locking.held"), 0);
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
      assert.deepEqual(await one.outcomes(HOLD), { released: 1 });
      assert.deepEqual(await other.outcomes(HOLD), { released: 2 });
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
      assert.deepEqual(await telemetry.outcomes(WAIT), {
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
