// What the channels of node:diagnostics_channel tell of locks.
import assert from "node:assert/strict";
import { tracingChannel } from "node:diagnostics_channel";
import { after, describe, it } from "node:test";
import type {
  AcquireEvent,
  Lock,
  LossEvent,
  ReleaseEvent,
  RenewEvent,
} from "../mod.ts";
import { DynamoLock, FileLock, RedisLock, SocketLock } from "../mod.ts";
import { fileDynamo, noDynalite } from "./_dynamo.ts";
import { makeDirectory, removeDirectory, uniqueName } from "./_names.ts";
import { noFiles, noSockets } from "./_platform.ts";
import { runScript } from "./_processes.ts";
import { fileServer, noRedis } from "./_redis.ts";
import { currentRuntime } from "./_runtimes.ts";
import { until, within } from "./_time.ts";
import { rmSync } from "node:fs";
import { join } from "node:path";

type Step = "start" | "end" | "asyncStart" | "asyncEnd" | "error";

/** All that a channel tells while it is followed. */
class Following<E extends object> {
  readonly steps: [step: Step, event: E][] = [];
  readonly #stop: () => void;

  constructor(name: string) {
    const channel = tracingChannel<E, E>(name);
    const note = (step: Step) => (event: E) => {
      this.steps.push([step, event]);
    };
    const all = {
      start: note("start"),
      end: note("end"),
      asyncStart: note("asyncStart"),
      asyncEnd: note("asyncEnd"),
      error: note("error"),
    };
    channel.subscribe(all);
    this.#stop = () => channel.unsubscribe(all);
  }

  /** The events of one step. */
  of(step: Step): E[] {
    return this.steps.flatMap(([name, event]) => name === step ? [event] : []);
  }

  get names(): Step[] {
    return this.steps.map(([step]) => step);
  }

  stop(): void {
    this.#stop();
  }
}

async function follow<E extends object>(
  name: string,
  run: (record: Following<E>) => Promise<void>,
): Promise<void> {
  const record = new Following<E>(name);
  try {
    await run(record);
  } finally {
    record.stop();
  }
}

const WHOLE = ["start", "end", "asyncStart", "asyncEnd"];
const FAILED = ["start", "end", "error", "asyncStart", "asyncEnd"];

describe("the channels", () => {
  const directory = makeDirectory();
  const redis = fileServer();
  const dynamo = fileDynamo("dynalite");
  after(() => removeDirectory(directory));

  const kinds: [
    kind: string,
    missing: string | false,
    create: (name?: string) => Lock,
  ][] = [
    ["socket", noSockets(), (name) => new SocketLock(name ?? uniqueName())],
    [
      "file",
      noFiles(),
      (name) => new FileLock(name ?? uniqueName(), { directory }),
    ],
    [
      "redis",
      noRedis(),
      (name) => new RedisLock(name ?? uniqueName(), { hosts: redis.own.host }),
    ],
    [
      "dynamo",
      noDynalite(),
      (name) =>
        new DynamoLock(name ?? uniqueName(), { endpoint: dynamo.own.endpoint }),
    ],
  ];

  for (const [lockKind, skip, create] of kinds) {
    describe(`of ${lockKind}`, () => {
      it("locking:acquire tells of an acquire from its start to its lease", {
        skip,
      }, () =>
        follow<AcquireEvent>("locking:acquire", async (record) => {
          const lock = create();
          const lease = await lock.acquire();
          assert.deepEqual(record.names, WHOLE);
          const [event] = record.of("asyncEnd");
          assert.deepEqual(event, {
            lockName: lock.name,
            lockKind,
            timeoutMs: Infinity,
            contended: false,
            result: lease,
          });
          await lease.release();
        }));

      it("locking:acquire tells who had to wait, and who did not", {
        skip,
      }, () =>
        follow<AcquireEvent>("locking:acquire", async (record) => {
          const lock = create();
          const lease = await lock.acquire({ timeoutMs: 5000 });
          const second = create(lock.name).acquire({ timeoutMs: 5000 });
          await lease.release();
          await (await second).release();
          const contended = record.of("asyncEnd").map((e) => e.contended);
          assert.deepEqual(contended, [false, true]);
        }));

      it("locking:acquire tells of a tryAcquire that got nothing", {
        skip,
      }, () =>
        follow<AcquireEvent>("locking:acquire", async (record) => {
          const lock = create();
          const lease = await lock.acquire();
          assert.equal(await create(lock.name).tryAcquire(), null);
          await lease.release();
          const event = record.of("asyncEnd").at(-1)!;
          assert.equal(event.timeoutMs, 0);
          assert.equal(event.result, null);
          assert.equal(event.contended, true);
        }));

      it("locking:release tells of a lease's release, and once", {
        skip,
      }, () =>
        follow<ReleaseEvent>("locking:release", async (record) => {
          const lock = create();
          const lease = await lock.acquire();
          assert.deepEqual(record.names, []);
          await Promise.all([lease.release(), lease.release()]);
          assert.deepEqual(record.names, WHOLE);
          const [{ lockName, ...event }] = record.of("start") as [ReleaseEvent];
          assert.equal(lockName, lock.name);
          assert.equal(event.lockKind, lockKind);
          assert.equal(event.lease, lease);
        }));
    });
  }

  it(
    "locking:acquire tells of a timeout",
    { skip: noSockets() },
    () =>
      follow<AcquireEvent>("locking:acquire", async (record) => {
        const lock = new SocketLock(uniqueName());
        const lease = await lock.acquire();
        const error = await lock.acquire({ timeoutMs: 1 }).catch((e) => e);
        await lease.release();
        assert.deepEqual(record.names.slice(WHOLE.length), FAILED);
        assert.equal(record.of("error")[0]!.error, error);
        assert.equal(record.of("error")[0]!.timeoutMs, 1);
      }),
  );

  it("locking:acquire tells of a bad argument, which is refused as ever", {
    skip: noSockets(),
  }, () =>
    follow<AcquireEvent>("locking:acquire", async (record) => {
      const lock = new SocketLock(uniqueName());
      const bad = [{ timeoutMs: -1 }, null as unknown as object];
      for (const options of bad) await assert.rejects(lock.acquire(options));
      assert.equal(record.of("error").length, bad.length);
    }));

  it("locking:renew tells of the leases that are renewed together", {
    skip: noRedis(),
  }, () =>
    follow<RenewEvent>("locking:renew", async (record) => {
      const options = { hosts: redis.own.host, ttlMs: 300 };
      const names = [uniqueName(), uniqueName()];
      const terms = { ...options, heartbeatIntervalMs: 50 };
      const leases = await Promise.all(
        names.map((name) => new RedisLock(name, terms).acquire()),
      );
      await until(
        "a renewal of both",
        () => record.of("asyncEnd").some((e) => e.result === 2),
      );
      const event = record.of("asyncEnd").find((e) => e.result === 2)!;
      assert.equal(event.lockKind, "redis");
      assert.deepEqual([...event.lockNames].sort(), names.sort());
      assert.match(event.place, new RegExp(`:${redis.own.port}$`));
      await Promise.all(leases.map((lease) => lease.release()));
    }));

  it("locking:renew tells of a DynamoLock's heartbeat", {
    skip: noDynalite(),
  }, () =>
    follow<RenewEvent>("locking:renew", async (record) => {
      const lock = new DynamoLock(uniqueName(), {
        endpoint: dynamo.own.endpoint,
        ttlMs: 3000,
        heartbeatIntervalMs: 50,
      });
      const lease = await lock.acquire();
      await until("a renewal", () => record.of("asyncEnd").length > 0);
      await lease.release();
      const event = record.of("asyncEnd")[0]!;
      assert.deepEqual(event.lockNames, [lock.name]);
      assert.equal(event.lockKind, "dynamo");
      assert.equal(event.result, 1);
      assert.match(event.place, /^table "/);
    }));

  it("locking:renew tells that the server has a lease no more", {
    skip: noRedis(),
  }, () =>
    follow<RenewEvent>("locking:renew", async (record) => {
      const name = uniqueName();
      const lock = new RedisLock(name, {
        hosts: redis.own.host,
        ttlMs: 3000,
        heartbeatIntervalMs: 50,
      });
      const lease = await lock.acquire();
      await redis.own.command("DEL", `locking:{${name}}`);
      await until("its loss", () => lease.signal.aborted);
      assert.equal(record.of("asyncEnd").at(-1)!.result, 0);
    }));

  it("locking:lost tells of a loss, before and after who waits for it", {
    skip: noFiles(),
  }, () =>
    follow<LossEvent>("locking:lost", async (record) => {
      const name = uniqueName();
      const lease = await new FileLock(name, { directory }).acquire();
      const told = new Promise<Step[]>((resolve) => {
        lease.signal.addEventListener("abort", () => resolve(record.names));
      });
      rmSync(join(directory, encodeURIComponent(name)));
      assert.throws(() => lease.assertHeld());
      assert.deepEqual(await within(1000, "the signal", told), ["start"]);
      assert.deepEqual(record.names, ["start", "end"]);
      const event = record.of("start")[0]!;
      assert.equal(event.lockName, name);
      assert.equal(event.lockKind, "file");
      assert.equal(event.lease, lease);
      assert.equal(event.reason, lease.signal.reason);
      await lease.release();
    }));

  it("a subscriber that throws keeps nobody from the lock", {
    skip: noSockets(),
  }, async () => {
    const file = "throwing_subscriber.ts";
    const { output, errors } = await runScript(currentRuntime(), file);
    assert.match(output, /released: false, thrown: [1-9]/, errors);
  });

  it("a subscriber may release what it is told of", {
    skip: noSockets(),
  }, async () => {
    const channel = tracingChannel("locking:release");
    const start = ({ lease }: ReleaseEvent): void => void lease.release();
    const eager = { start };
    channel.subscribe(eager as never);
    try {
      const lock = new SocketLock(uniqueName());
      await (await lock.acquire()).release();
      assert.equal(lock.locked, false);
      await (await lock.acquire({ timeoutMs: 1000 })).release();
    } finally {
      channel.unsubscribe(eager as never);
    }
  });
});
