/**
 * A grant that races an abort or a timeout is the task's, or is given back at
 * once; the lock is never kept by nobody.
 */
import assert from "node:assert/strict";
import type { Lease, Lock } from "../mod.ts";
import type { Suite } from "./_suite.ts";
import { microtasks, sleep, turn } from "./_time.ts";

const LANES = 10;

function roundsOf({ capabilities }: Suite): number {
  return capabilities.slow ? 20 : 100;
}

/** Declares the tests of races. */
export function testRaces(suite: Suite): void {
  testAborts(suite);
  testTimeouts(suite);
}

function testAborts(suite: Suite): void {
  const { twin, test, capabilities } = suite;
  const count = (LANES * roundsOf(suite)).toLocaleString("en");
  // Every other hand-over that may take milliseconds is given some.
  const later = (round: number): Promise<void> =>
    capabilities.slow && round % 2 === 1
      ? sleep(round % 12)
      : Promise.resolve();
  test(`${count} aborts raced against a hand-over leave the lock free each time`, async () => {
    const seen = await inLanes(suite, async (lock, round) => {
      const holder = await lock.acquire();
      const controller = new AbortController();
      const reason = new Error(`round ${round}`);
      const waiting = twin(lock).acquire({ signal: controller.signal });
      const outcome = settle(waiting, reason);
      await Promise.all([
        offset(round).then(() => later(round))
          .then(() => controller.abort(reason)),
        offset(round / 8).then(() => holder.release()),
      ]);
      return outcome;
    });
    assertBoth(seen);
  });

  test(`${count} aborts raced against the first grant leave the lock free each time`, async () => {
    await inLanes(suite, async (lock, round) => {
      const controller = new AbortController();
      const reason = new Error(`round ${round}`);
      const waiting = round % 2 === 0
        ? lock.acquire({ signal: controller.signal })
        : lock.tryAcquire({ signal: controller.signal });
      const outcome = settle(waiting, reason);
      await offset(round);
      controller.abort(reason);
      return outcome;
    });
  });
}

function testTimeouts(suite: Suite): void {
  const { twin, test } = suite;
  const count = (LANES * roundsOf(suite)).toLocaleString("en");
  test(`${count} timeouts raced against a hand-over leave the lock free each time`, async () => {
    const seen = await inLanes(suite, async (lock, round) => {
      const holder = await lock.acquire();
      const timeoutMs = round % 4;
      const outcome = settle(twin(lock).acquire({ timeoutMs }));
      // Registered beside the timeout's timer, so that both come due together.
      await sleep(timeoutMs);
      await offset(round);
      await holder.release();
      return outcome;
    });
    assert.ok(seen.rejected > 0, "no timeout ever won");
  });

  test("a timeout and an abort of one task settle it once", async () => {
    await inLanes(suite, async (lock, round) => {
      const holder = await lock.acquire();
      const controller = new AbortController();
      const reason = new Error("aborted");
      const { signal } = controller;
      const waiting = twin(lock).acquire({ signal, timeoutMs: 1 });
      const outcome = settle(waiting, reason);
      await sleep(1);
      await offset(round);
      controller.abort(reason);
      await holder.release();
      return outcome;
    });
  });
}

interface Seen {
  granted: number;
  rejected: number;
}

/** Runs the rounds, some locks at a time, and checks each lock after each. */
async function inLanes(
  suite: Suite,
  round: (lock: Lock, round: number) => Promise<boolean>,
): Promise<Seen> {
  const { fresh, twin } = suite;
  const rounds = roundsOf(suite);
  const seen: Seen = { granted: 0, rejected: 0 };
  const lane = async (_: unknown, first: number): Promise<void> => {
    const lock = fresh();
    for (let i = 0; i < rounds; i++) {
      const granted = await round(lock, i * LANES + first);
      seen[granted ? "granted" : "rejected"]++;
      await assertFree(twin(lock), i);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return seen;
}

/** True when granted (and releases), false when rejected as it should be. */
async function settle(
  waiting: Promise<Lease | null>,
  reason?: Error,
): Promise<boolean> {
  try {
    const lease = await waiting;
    lease?.assertHeld();
    await lease?.release();
    return lease !== null;
  } catch (error) {
    const timedOut = (error as { code?: string }).code === "LOCK_TIMEOUT";
    assert.ok(timedOut || error === reason, `unexpected: ${error}`);
    return false;
  }
}

// A stray grant would be kept for ever: any wait at all tells it. It is given
// back at once, but closing a socket may take a turn of the event loop.
async function assertFree(lock: Lock, round: number): Promise<void> {
  try {
    const lease = await lock.acquire({ timeoutMs: 2000 });
    await lease.release();
  } catch (error) {
    assert.fail(`round ${round}: the lock is not free: ${error}`);
  }
}

function assertBoth({ granted, rejected }: Seen): void {
  assert.ok(granted > 0, "no grant ever won: the race was none");
  assert.ok(rejected > 0, "no abort ever won: the race was none");
}

/** Waits for one of many moments: microtasks, turns, the timers' next round. */
async function offset(round: number): Promise<void> {
  const which = Math.floor(round) % 32;
  if (which < 20) return await microtasks(which);
  if (which < 28) {
    for (let i = 20; i <= which; i++) await turn();
    return;
  }
  await sleep(which - 28);
}
