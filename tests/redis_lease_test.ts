/** RedisLock's leases: stopped holders, many of them, and wrong clocks. */
import assert from "node:assert/strict";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { RedisLock } from "../mod.ts";
import { noFaketime, shifted } from "./_faketime.ts";
import type { LockSpec } from "./fixtures/protocol.ts";
import { uniqueName } from "./_names.ts";
import { fixture } from "./_fixture.ts";
import { withProcesses } from "./_processes.ts";
import { noRedis, RedisProcess } from "./_redis.ts";
import { currentRuntime, longRun } from "./_runtimes.ts";
import { spyTimers } from "./_spies.ts";
import { testStoppedHolder } from "./_stopped_holder.ts";
import { sleep, until, within } from "./_time.ts";

const skip = noRedis();
let server: RedisProcess;

before(async () => {
  if (!skip) server = await RedisProcess.start();
});
after(() => server?.end());

const TERMS = { ttlMs: 600, heartbeatIntervalMs: 200 };

function create(name: string, options = {}): RedisLock {
  return new RedisLock(name, { hosts: server.host, ...options });
}

function specOf(name: string, options = {}): LockSpec {
  const all = { hosts: server.host, ...options };
  return { kind: "RedisLock", name, options: all };
}

describe("RedisLock of a holder that is stopped past its time to live", () => {
  testStoppedHolder((name) => specOf(name, TERMS), skip);

  it("its waiter gets the lock when the time to live is over, and not before", {
    skip,
  }, () =>
    withProcesses(async (processes) => {
      const worker = await processes.worker();
      const spec = specOf(uniqueName(), TERMS);
      const theirs = await worker.create(spec);
      await theirs.take();
      const waiting = create(spec.name).acquire();
      await until("a waiter", async () => {
        const key = `locking:{${spec.name}}:queue`;
        return await server.command("ZCARD", key) === 1;
      });
      worker.child.signal("SIGSTOP");
      const stopped = performance.now();
      const lease = await within(5000, "the grant", waiting);
      const ms = performance.now() - stopped;
      // The last heartbeat was one interval before the stop at the most.
      assert.ok(ms >= TERMS.ttlMs - TERMS.heartbeatIntervalMs - 20, `${ms} ms`);
      assert.ok(ms <= TERMS.ttlMs + 150, `${ms} ms`);
      worker.child.signal("SIGCONT");
      await assert.rejects(theirs.assertHeld(), { code: "LOCK_LOST" });
      lease.assertHeld();
      await lease.release();
    }));
});

describe("RedisLock of one process with many leases", () => {
  const count = longRun() ? 10_000 : 2_000;
  it(
    `${count} leases share one timer and batched renewals, at little cost`,
    { skip },
    async () => {
      const timers = spyTimers();
      const hosts = server.host;
      const locks = Array.from(
        { length: count },
        () => new RedisLock(uniqueName(), { hosts }),
      );
      const leases = await Promise.all(locks.map((lock) => lock.acquire()));
      const calls = await server.calls("evalsha", "eval");
      const used = process.cpuUsage();
      const began = performance.now();
      await sleep(6000);
      const { user, system } = process.cpuUsage(used);
      const share = (user + system) / 1000 / (performance.now() - began);
      const renewals = await server.calls("evalsha", "eval") - calls;
      assert.ok(timers.live() <= 4, `${timers.live()} timers`);
      timers.stop();
      for (const lease of leases) lease.assertHeld();
      await Promise.all(leases.map((lease) => lease.release()));
      // Three or four beats of one batch per 500 leases.
      assert.ok(renewals <= 5 * Math.ceil(count / 500), `${renewals} calls`);
      if (longRun()) console.log(`CPU of ${count} leases: ${100 * share} %`);
      assert.ok(share < (longRun() ? 0.05 : 0.2), `${share} of a core`);
    },
  );
});

describe("RedisLock of a host whose clock is wrong", () => {
  const missing = skip || noFaketime();
  for (const shift of ["+1h", "-1h"]) {
    it(`a holder with a clock of ${shift} keeps its lock and loses none`, {
      skip: missing,
    }, () =>
      withProcesses(async ({ program }) => {
        const name = uniqueName();
        const [command = "", ...args] =
          shifted(currentRuntime(), shift).command;
        const child = program(
          command,
          ...args,
          fixture("stale_writer.ts"),
          JSON.stringify(specOf(name, TERMS)),
        );
        await child.line("ready", 20_000);
        await sleep(2 * TERMS.ttlMs);
        assert.equal(await create(name).tryAcquire(), null);
        assert.match(child.lines.at(-1) ?? "", /^write /);
        await child.end();
        const { ms } = await timedAcquire(name);
        assert.ok(ms <= TERMS.ttlMs + 300, `${ms} ms`);
      }));
  }
});

async function timedAcquire(name: string): Promise<{ ms: number }> {
  const began = performance.now();
  const lease = await create(name).acquire({ timeoutMs: 5000 });
  const ms = performance.now() - began;
  await lease.release();
  return { ms };
}
