// Timers past 2^31−1 ms, and any number of deadlines on one timer, on a clock
// and timers that the tests drive.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Deadline, Deadlines } from "../backends/core/deadlines.ts";
import { runtime } from "../runtime/mod.ts";
import type { Timer, TimerOptions, Timers } from "../runtime/types.ts";

/** Timers that fire when the test moves their clock. */
class DrivenTimers implements Timers {
  now = 0;
  pending: { at: number; callback: () => void; alive: boolean }[] = [];
  set = 0;

  after(
    ms: number,
    callback: () => void,
    { keepAlive = false }: TimerOptions = {},
  ): Timer {
    const entry = { at: this.now + ms, callback, alive: keepAlive };
    this.pending.push(entry);
    this.set++;
    return {
      cancel: () => this.pending = this.pending.filter((e) => e !== entry),
      keepAlive: (alive) => entry.alive = alive,
    };
  }

  get keepAlive(): boolean {
    return this.pending.some(({ alive }) => alive);
  }

  soon(): void {}

  advance(ms: number): void {
    this.now += ms;
    const due = this.pending.filter(({ at }) => at <= this.now);
    this.pending = this.pending.filter(({ at }) => at > this.now);
    for (const { callback } of due) callback();
  }
}

function createDeadlines(
  keepAlive = false,
): { timers: DrivenTimers; deadlines: Deadlines } {
  const timers = new DrivenTimers();
  const now = (): number => timers.now;
  const deadlines = new Deadlines(timers, now, { keepAlive });
  return { timers, deadlines };
}

describe("timers", () => {
  it("does not fire at once when longer than 2^31−1 ms", async () => {
    let fired = false;
    const timer = runtime.timers.after(2 ** 40, () => fired = true);
    const never = runtime.timers.after(Infinity, () => fired = true);
    // A timer cut to 32 bits fires within 1 ms: 20 are plenty.
    await new Promise<void>((resolve) => {
      runtime.timers.after(20, resolve, { keepAlive: true });
    });
    timer.cancel();
    never.cancel();
    assert.equal(fired, false);
  });
});

describe("Deadlines", () => {
  it("fires each deadline in its time and in order, with one timer", () => {
    const { timers, deadlines } = createDeadlines();
    const fired: number[] = [];
    const times = [50, 10, 40, 30, 20, 10, 60, 5];
    for (const at of times) deadlines.add({ at, expire: () => fired.push(at) });
    assert.equal(timers.pending.length, 1);
    for (let ms = 0; ms < 60; ms++) timers.advance(1);
    assert.deepEqual(fired, [...times].sort((a, b) => a - b));
    assert.equal(timers.pending.length, 0);
  });

  it("forgets cancelled deadlines at once, wherever they stand", () => {
    const { timers, deadlines } = createDeadlines();
    const fired: number[] = [];
    const all: Deadline[] = Array.from({ length: 1000 }, (_, i) => {
      const at = (i * 7919) % 1000;
      return { at, expire: () => void fired.push(at) };
    });
    for (const deadline of all) deadlines.add(deadline);
    for (const deadline of all) {
      if (deadline.at % 3 !== 0) deadlines.cancel(deadline);
    }
    assert.equal(deadlines.size, 334);
    for (let ms = 0; ms < 1000; ms++) timers.advance(1);
    const expected = Array.from({ length: 334 }, (_, i) => i * 3);
    assert.deepEqual(fired, expected);
  });

  it("keep the process alive as long as one is pending, if they shall", () => {
    const { timers, deadlines } = createDeadlines(true);
    const fired: number[] = [];
    const first = { at: 10, expire: () => assert.fail("was cancelled") };
    const second = { at: 20, expire: () => void fired.push(20) };
    deadlines.add(first);
    assert.equal(timers.keepAlive, true);
    deadlines.cancel(first);
    deadlines.cancel(first);
    assert.equal(timers.keepAlive, false);
    deadlines.add(second);
    assert.equal(timers.keepAlive, true);
    timers.advance(10);
    assert.equal(timers.keepAlive, true);
    timers.advance(10);
    assert.deepEqual([fired, timers.pending], [[20], []]);
    assert.equal(timers.keepAlive, false);
  });

  it("keep no process alive if they shall not", () => {
    const { timers, deadlines } = createDeadlines();
    deadlines.add({ at: 10, expire: () => {} });
    assert.equal(timers.keepAlive, false);
  });

  it("that come and go set one timer, which then leaves", () => {
    const { timers, deadlines } = createDeadlines(true);
    for (let at = 10; at < 1010; at++) {
      const deadline = { at, expire: () => assert.fail("was cancelled") };
      deadlines.add(deadline);
      deadlines.cancel(deadline);
    }
    assert.equal(timers.set, 1);
    timers.advance(10);
    assert.deepEqual(timers.pending, []);
  });

  it("may be added to and cancelled while they fire", () => {
    const { timers, deadlines } = createDeadlines();
    const fired: string[] = [];
    const second = { at: 10, expire: () => void fired.push("second") };
    const late = { at: 20, expire: () => void fired.push("late") };
    deadlines.add({
      at: 10,
      expire: () => {
        fired.push("first");
        deadlines.cancel(second);
        deadlines.add(late);
      },
    });
    deadlines.add(second);
    timers.advance(10);
    timers.advance(10);
    assert.deepEqual(fired, ["first", "late"]);
  });
});
