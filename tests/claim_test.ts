// Claiming one of many names.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type AcquireOptions,
  claim,
  type ClaimOptions,
  type Lock,
  RedisLock,
  SocketLock,
} from "../mod.ts";
import { claimOne, freeAll, namesOf, takeAll } from "./_claims.ts";
import { dynamoKind, hostKinds, redisKind } from "./_kinds.ts";
import { noSockets } from "./_platform.ts";
import { withProcesses } from "./_processes.ts";
import { noRedis } from "./_redis.ts";
import { until } from "./_time.ts";

const MANY = 10_000;

for (const kind of [...hostKinds(), redisKind(), dynamoKind()]) {
  const skip = kind.missing;
  const create = (name: string): Lock => {
    const spec = kind.fresh();
    return kind.create({ ...spec, name });
  };

  describe(`claim() with ${kind.kind}`, () => {
    it("takes the one that is free, in either order", { skip }, async () => {
      for (const order of ["given", "random"] as const) {
        const names = namesOf(5);
        const free = names.splice(3, 1);
        const held = await takeAll(names, create);
        const all = [...names.slice(0, 3), ...free, ...names.slice(3)];
        const job = await claimOne(all, create, { order });
        assert.equal(job.name, free[0]);
        assert.equal(job.lease.lockName, free[0]);
        job.lease.assertHeld();
        assert.ok(await create(free[0]!).holder());
        await freeAll([...held, job.lease]);
      }
    });

    it("gives null when all are held, and holds none", { skip }, async () => {
      const names = namesOf(3);
      const held = await takeAll(names, create);
      assert.equal(await claim(names, create), null);
      await freeAll(held);
      await freeAll(await takeAll(names, create));
    });

    it("gives null for no names at all", { skip }, async () => {
      assert.equal(await claim([], create), null);
    });

    it("takes the first free one in given order", { skip }, async () => {
      const names = namesOf(4);
      const held = await takeAll(names.slice(0, 2), create);
      const job = await claimOne(names, create, { order: "given" });
      assert.equal(job.name, names[2]);
      await freeAll([...held, job.lease]);
    });

    it("takes another one each time", { skip }, async () => {
      const names = namesOf(4);
      const jobs = await Promise.all(names.map(() => claimOne(names, create)));
      const taken = jobs.map((job) => job.name).sort();
      assert.deepEqual(taken, names);
      assert.equal(await claim(names, create), null);
      await freeAll(jobs.map((job) => job.lease));
    });

    it(
      "takes a killed holder's name over",
      { skip },
      () =>
        withProcesses(async ({ worker }) => {
          const spec = kind.fresh();
          const other = await worker();
          await (await other.create(spec)).take();
          const [ours = ""] = namesOf(1);
          const held = await takeAll([ours], create);
          const claimIt = () => claim([spec.name, ours], create);
          assert.equal(await claimIt(), null);
          await other.child.end();
          let job = await claimIt();
          await until("the takeover", async () => {
            job ??= await claimIt();
            return job !== null;
          }, 15_000);
          assert.equal(job!.name, spec.name);
          await freeAll([...held, job!.lease]);
        }),
    );
  });
}

describe("claim()", () => {
  const skip = noSockets();
  const create = (name: string): Lock => new SocketLock(name);

  it("gives what can be disposed of", { skip }, async () => {
    const names = namesOf(1);
    const job = await claimOne(names, create);
    await job[Symbol.asyncDispose]();
    assert.equal(await create(names[0]!).holder(), null);
  });

  it("prefers none in random order", { skip }, async () => {
    const names = namesOf(4);
    const counts = new Map<string, number>();
    for (let i = 0; i < 400; i++) {
      const job = await claimOne(names, create);
      counts.set(job.name, (counts.get(job.name) ?? 0) + 1);
      await job.lease.release();
    }
    // A hundred each; sixty are 4.6 standard deviations less.
    for (const name of names) assert.ok((counts.get(name) ?? 0) > 60, name);
  });

  it("never holds two at once, not even for a moment", { skip }, async () => {
    let held = 0;
    let most = 0;
    class Counted extends SocketLock {
      override async tryAcquire(options?: AcquireOptions) {
        const lease = await super.tryAcquire(options);
        if (lease) most = Math.max(most, ++held);
        return lease;
      }
    }
    const job = await claimOne(namesOf(50), (name) => new Counted(name));
    assert.equal(most, 1);
    await job.lease.release();
  });

  it("makes no more locks of one host than it tries", { skip }, async () => {
    let made = 0;
    const job = await claimOne(namesOf(MANY), (name) => {
      made++;
      return new SocketLock(name);
    });
    assert.equal(made, 1);
    await job.lease.release();
  });

  it("lets others have a turn while it goes through a long list", {
    skip,
  }, async () => {
    const [name] = namesOf(1);
    const lease = await create(name!).acquire();
    let turns = 0;
    const interval = setInterval(() => turns++, 0);
    // Each name is another, and all are the same lock.
    const names = Array.from({ length: 2000 }, (_, i) => `${name}/${i}`);
    assert.equal(await claim(names, () => create(name!)), null);
    clearInterval(interval);
    assert.ok(turns > 1, `${turns} turns`);
    await lease.release();
  });

  it("takes locks of a class that it does not know", { skip }, async () => {
    // As one of another copy of this package.
    const foreign = (name: string): Lock => {
      const lock = create(name);
      return {
        tryAcquire: (options?: AcquireOptions) => lock.tryAcquire(options),
      } as unknown as Lock;
    };
    const names = namesOf(3);
    const held = await takeAll(names.slice(1), create);
    const job = await claimOne(names, foreign);
    assert.equal(job.name, names[0]);
    await freeAll([...held, job.lease]);
  });

  it("refuses bad arguments, naming them", async () => {
    const bad: [
      names: unknown,
      create: unknown,
      options: unknown,
      error: RegExp,
    ][] = [
      ["abc", create, {}, /TypeError: .*names must be a list, got "abc"/],
      [null, create, {}, /TypeError: .*names must be a list, got null/],
      [[1], create, {}, /TypeError: .*names must be strings, got 1/],
      [[undefined], create, {}, /TypeError: .*strings, got undefined/],
      [[""], create, {}, /TypeError: .*empty/],
      [["a"], "b", {}, /TypeError: .*create must be a function, got "b"/],
      [["a"], () => 5, {}, /TypeError: .*return a lock for "a", got 5/],
      [["a"], create, { order: "fifo" }, /TypeError: .*order .*got "fifo"/],
      [["a"], create, { orders: "given" }, /TypeError: Unknown .*"orders"/],
      [["a"], create, { signal: 1 }, /TypeError: .*signal .*got 1/],
      ...[0, 1.5, NaN, "2"].map((concurrency): typeof bad[number] => [
        ["a"],
        create,
        { concurrency },
        /RangeError: .*concurrency must be a whole number from 1, got "?\S+/,
      ]),
    ];
    for (const [names, create, options, error] of bad) {
      const claimed = claim(
        names as string[],
        create as (name: string) => Lock,
        options as ClaimOptions,
      );
      await assert.rejects(claimed, (thrown) => error.test(String(thrown)));
    }
  });

  it("rejects with the signal's reason when it has aborted", {
    skip,
  }, async () => {
    const reason = new Error("enough");
    const signal = AbortSignal.abort(reason);
    const claimed = claim(namesOf(2), create, { signal });
    await assert.rejects(claimed, reason);
  });

  it("passes a backend's error on", { skip: noRedis() }, async () => {
    const nowhere = (name: string): Lock =>
      new RedisLock(name, { hosts: "127.0.0.1:1" });
    for (const count of [1, 3]) {
      await assert.rejects(claim(namesOf(count), nowhere), {
        code: "LOCK_BACKEND",
      });
    }
  });
});
