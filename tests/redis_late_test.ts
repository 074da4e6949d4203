/** What is answered when nobody waits for it any more. No server is asked. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Ballot } from "../backends/redis/ballot.ts";
import type { Connection, Connector } from "../backends/redis/connector.ts";
import type { Call } from "../backends/redis/exchange.ts";
import { Place } from "../backends/redis/place.ts";
import { ACQUIRE, LEAVE, RAISE } from "../backends/redis/scripts.ts";
import { RedisServer } from "../backends/redis/server.ts";
import { sharedLock } from "../backends/redis/shared_lock.ts";
import { sleep, until } from "./_time.ts";

const LOCK = sharedLock("late", "locking:", {
  ttlMs: 100,
  heartbeatIntervalMs: 30,
});

/** A server that answers when it is told to, and hears nothing else. */
class SlowServer implements Connection {
  readonly label = "redis://slow";
  leaves = 0;
  /** Answers the attempts so far. */
  readonly grant: (() => void)[] = [];

  run({ script }: Call, stamp: string): Promise<unknown> {
    if (script === LEAVE) {
      this.leaves++;
      return Promise.reject(new Error("NOPERM it is told once"));
    }
    // It has the key no more.
    if (script === RAISE) return Promise.resolve([stamp, 0]);
    assert.equal(script, ACQUIRE);
    return new Promise((resolve) => {
      this.grant.push(() => resolve([stamp, "granted", "1"]));
    });
  }

  close(): void {}

  asServer(): RedisServer {
    const { label } = this;
    const connector: Connector = {
      ...{ label, counts: true, batch: 1, replaceable: false },
      prepare: () => Promise.resolve(),
      connect: () => Promise.resolve(this),
      subscribe: () => Promise.reject(new Error("nobody is heard")),
    };
    return new RedisServer(connector);
  }
}

describe("RedisLock's attempt that has failed", () => {
  it("gives back what it is granted then", async () => {
    const slow = new SlowServer();
    const place = new Place(LOCK, slow.asServer());
    await assert.rejects(place.attempt(false), /no answer/);
    await assertGivenBack(slow);
  });

  it("gives back what a server of a quorum grants then", async () => {
    const slow = new SlowServer();
    const ballot = new Ballot(LOCK, [slow.asServer()]);
    assert.equal(await ballot.run(false), null);
    await assertGivenBack(slow);
  });
});

describe("RedisLock's vote that is won when its lease is over", () => {
  it("is told from one that another has won", async () => {
    const slow = new SlowServer();
    const ballot = new Ballot(LOCK, [slow.asServer()]);
    const vote = ballot.run(false);
    await until("the attempt", () => slow.grant.length > 0);
    await sleep(LOCK.terms.ttlMs);
    for (const grant of slow.grant) grant();
    assert.equal(await vote, null);
    assert.equal(ballot.isLate, true);
  });
});

async function assertGivenBack(slow: SlowServer): Promise<void> {
  await until("the release", () => slow.leaves === 1);
  for (const grant of slow.grant) grant();
  await until("another release", () => slow.leaves > 1);
}
