/** For how long RedisLock's holder trusts what servers granted. No server is asked. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Connector } from "../backends/redis/connector.ts";
import { FairGrant } from "../backends/redis/fair_grant.ts";
import { QuorumGrant } from "../backends/redis/quorum_grant.ts";
import { RedisServer } from "../backends/redis/server.ts";
import { sharedLock } from "../backends/redis/shared_lock.ts";
import { HeldLease } from "../backends/core/held_lease.ts";
import { type Moment, readMoment } from "../backends/core/lease_clock.ts";
import { runtime } from "../runtime/mod.ts";
import { within } from "./_time.ts";

const TERMS = { ttlMs: 5000, heartbeatIntervalMs: 2000 };
// A hundredth of the time to live, and 2 ms.
const TRUSTED_MS = 4948;

const HELD = { lock: sharedLock("report", "locking:", TERMS), owner: "1" };

function grantOf(count: number): FairGrant | QuorumGrant {
  const all = servers(count);
  if (count === 1) {
    const asks = {
      pass: () =>
        Promise.resolve({
          values: ["kept"],
          sentAt: readMoment(runtime.clock),
          repeated: false,
        }),
      release: () => Promise.reject(new Error("Nobody is asked")),
      toReleaseError: (error: unknown) => error as Error,
    };
    const holding = { ...HELD, ...asks, server: all[0]! };
    return new FairGrant(holding, 1n, readMoment(runtime.clock));
  }
  return quorumOf(all, all.map(() => readMoment(runtime.clock)));
}

function servers(count: number): RedisServer[] {
  return Array.from({ length: count }, () => new RedisServer({} as Connector));
}

function quorumOf(
  servers: readonly RedisServer[],
  askedAt: readonly Moment[],
): QuorumGrant {
  return new QuorumGrant({
    ...HELD,
    fencingToken: 1n,
    servers,
    granted: new Map(servers.map((server, i) => [server, askedAt[i]!])),
    setAside: () => Promise.resolve(true),
    leave: () => Promise.resolve(true),
  });
}

describe("RedisLock's holder on a quorum", () => {
  for (const [what, leftMs] of [["little", 100], ["nothing", -100]] as const) {
    it(`is told on time when a server's loss leaves it with ${what}`, async () => {
      const now = readMoment(runtime.clock);
      const ago = TRUSTED_MS - leftMs;
      const old = { monotonic: now.monotonic - ago, wall: now.wall - ago };
      const [first, ...others] = servers(3);
      const grant = quorumOf([first!, ...others], [now, now, old]);
      const keeper = { key: "redis:", end: () => {}, finish: () => {} };
      const { signal } = new HeldLease("report", grant, keeper);
      const aborted = new Promise((resolve) => {
        signal.addEventListener("abort", resolve, { once: true });
      });
      grant.onGone(first!, "it has it no more");
      if (leftMs < 0) assert.ok(signal.aborted);
      // Far less than the lease had left before.
      else await within(2000, "the loss", aborted);
      assert.equal(grant.over, leftMs < 0);
    });
  }
});

describe("RedisLock's holder", () => {
  for (const count of [1, 3]) {
    it(`trusts its lease for less than ${count} server(s) keep it, since clocks differ in their pace`, () => {
      const leftMs = grantOf(count).remainingMs();
      assert.ok(leftMs <= TRUSTED_MS, `${leftMs} ms`);
      assert.ok(leftMs > TRUSTED_MS - 1000, `${leftMs} ms`);
    });

    it(`passes no token of ${count} server(s) on twice, though it is not run for a while`, async () => {
      const grant = grantOf(count);
      const { clock } = runtime;
      const { monotonic } = clock;
      const began = monotonic();
      let looks = 0;
      // Longer than tokens may be used without another question.
      clock.monotonic = () => began + 10 * looks++;
      try {
        const next = await grant.pass();
        assert.ok(next === null || next.fencingToken > 1n);
      } finally {
        clock.monotonic = monotonic;
      }
    });
  }
});
