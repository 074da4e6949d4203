// What the core does for locks that are kept as leases, on a backend in memory
// whose clocks the tests set. No server is needed to be wrong about time.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Backend, Contention, Grant } from "../backends/core/backend.ts";
import { LeaseClock, readMoment } from "../backends/core/lease_clock.ts";
import { Lock } from "../backends/core/lock.ts";
import { runtime } from "../runtime/mod.ts";
import type { Clock } from "../runtime/types.ts";
import { turn, until, within } from "./_time.ts";

/** Clocks that stand still until they are set. */
class SetClock implements Clock {
  monotonicMs = 1000;
  wallMs = 1_700_000_000_000;
  monotonic = (): number => this.monotonicMs;
  wall = (): number => this.wallMs;
}

let keys = 0;

/** A lease server in this process's memory. */
class MemoryBackend implements Backend {
  readonly key: string;
  readonly clock: Clock;
  terms = "";
  ttlMs = 60_000;
  token = 0n;
  owner: bigint | null = null;
  releases: bigint[] = [];
  failRelease = false;
  lose: ((reason: string) => void) | null = null;
  attempt: Promise<void> | null = null;
  takes = 0;
  defers: boolean[] = [];
  passing: Promise<boolean> | null = null;
  released: Promise<void> | null = null;
  wrong: string | null = null;
  #waiting: (() => void) | null = null;

  constructor(clock: Clock, key = `memory:${keys++}`) {
    this.clock = clock;
    this.key = key;
  }

  tryTake(
    _willWait?: boolean,
    defers = false,
  ): Grant | null | Promise<Grant | null> {
    this.defers.push(defers);
    if (this.attempt) return this.attempt.then(() => this.#take());
    return this.#take();
  }

  async take({ signal }: Contention): Promise<Grant | null> {
    this.takes++;
    while (this.owner !== null && !signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
        signal.addEventListener("abort", () => resolve());
      });
    }
    // As over a network: the grant may be on its way when nobody wants it.
    return this.owner === null ? this.#take() : null;
  }

  trouble(): string | null {
    return this.wrong;
  }

  // deno-lint-ignore require-await
  async holder(): Promise<null> {
    return null;
  }

  #take(): Grant | null {
    if (this.owner !== null) return null;
    const token = this.owner = ++this.token;
    const grant: Grant = {
      fencingToken: token,
      clock: new LeaseClock(this.clock, this.ttlMs, readMoment(this.clock)),
      watch: (lost) => this.lose = lost,
      release: () => this.#release(token),
    };
    const { passing } = this;
    if (passing === null) return grant;
    const pass = async (): Promise<Grant | null> =>
      await passing ? grant : null;
    return { ...grant, pass, yields: true };
  }

  /** The time to live passes, as the server sees it. */
  expire(): void {
    this.owner = null;
    this.#waiting?.();
  }

  #release(token: bigint): void | Promise<void> {
    this.releases.push(token);
    if (this.failRelease) throw new Error("connection lost");
    const { released } = this;
    if (released) return released.then(() => this.#free(token));
    this.#free(token);
  }

  #free(token: bigint): void {
    if (this.owner === token) this.owner = null;
    this.#waiting?.();
  }
}

class MemoryLock extends Lock {
  readonly backend: MemoryBackend;

  constructor(backend: MemoryBackend = new MemoryBackend(new SetClock())) {
    super("memory", backend);
    this.backend = backend;
  }

  get clock(): SetClock {
    return this.backend.clock as SetClock;
  }
}

const isLost = { code: "LOCK_LOST", lockName: "memory" };

describe("a lease", () => {
  it("assertHeld() throws once the TTL has passed on the monotonic clock", async () => {
    const lock = new MemoryLock();
    const lease = await lock.acquire();
    lock.clock.monotonicMs += 59_999;
    lease.assertHeld();
    lock.clock.monotonicMs += 1;
    assert.throws(() => lease.assertHeld(), isLost);
    assert.equal(lock.locked, false);
  });

  it("assertHeld() throws once the TTL has passed on the wall clock alone, as after a sleep", async () => {
    const lock = new MemoryLock();
    const lease = await lock.acquire();
    lock.clock.wallMs += 60_000;
    assert.throws(() => lease.assertHeld(), isLost);
  });

  it("is not lengthened by a wall clock that is set back", async () => {
    const lock = new MemoryLock();
    const lease = await lock.acquire();
    lock.clock.wallMs -= 3_600_000;
    lock.clock.monotonicMs += 60_000;
    assert.throws(() => lease.assertHeld(), isLost);
  });

  it("aborts its signal by a local timer when the TTL passes, though nobody asks", async () => {
    const backend = new MemoryBackend({
      monotonic: () => performance.now(),
      wall: () => Date.now(),
    });
    backend.ttlMs = 100;
    const lease = await new MemoryLock(backend).acquire();
    const { signal } = lease;
    await within(2000, "the loss", once(signal));
    assert.equal((signal.reason as { code: string }).code, "LOCK_LOST");
  });

  it("aborts its signal soon after the machine slept over its end", async () => {
    const { clock } = runtime;
    const { wall } = clock;
    const backend = new MemoryBackend(clock);
    const lease = await new MemoryLock(backend).acquire();
    const aborted = once(lease.signal);
    // No timer knows of that time.
    clock.wall = () => wall() + 2 * backend.ttlMs;
    try {
      await within(3000, "the loss", aborted);
    } finally {
      clock.wall = wall;
    }
    assert.throws(() => lease.assertHeld(), isLost);
  });

  it("aborts its signal on time though the machine slept over a part of it", async () => {
    const { clock } = runtime;
    const { wall } = clock;
    const backend = new MemoryBackend(clock);
    const lease = await new MemoryLock(backend).acquire();
    const aborted = once(lease.signal);
    // It is noticed within a second, and two are left.
    clock.wall = () => wall() + backend.ttlMs - 2000;
    try {
      await within(4000, "the loss", aborted);
    } finally {
      clock.wall = wall;
    }
    assert.throws(() => lease.assertHeld(), isLost);
  });

  it("aborts its signal at once when the backend reports the loss", async () => {
    const lock = new MemoryLock();
    const lease = await lock.acquire();
    assert.equal(lease.signal.aborted, false);
    lock.backend.lose!("another took it over");
    assert.equal(lease.signal.aborted, true);
    assert.match(String(lease.signal.reason), /another took it over/);
  });

  it("gives a signal that is already aborted when it is asked for after the loss", async () => {
    const lock = new MemoryLock();
    const lease = await lock.acquire();
    lock.clock.monotonicMs += 60_000;
    assert.equal(lease.signal.aborted, true);
  });

  it("lets the next task of the process contend when it is lost", async () => {
    const lock = new MemoryLock();
    const lost = await lock.acquire();
    const next = lock.acquire();
    lock.backend.expire();
    lock.backend.lose!("gone");
    const lease = await within(1000, "the grant", next);
    assert.equal(lease.fencingToken, 2n);
    await lost.release();
    lease.assertHeld();
    assert.equal(lock.backend.owner, 2n);
  });

  it("serves those in their order who come when it is lost and nobody knows", async () => {
    const lock = new MemoryLock();
    await lock.acquire();
    lock.clock.monotonicMs += 60_000;
    // By the server's clock, it lasts on for a while.
    const first = lock.acquire();
    const second = lock.acquire();
    await turn();
    lock.backend.expire();
    const lease = await within(1000, "the first one's grant", first);
    await lease.release();
    await (await within(1000, "the second one's grant", second)).release();
    assert.deepEqual(lock.backend.releases, [2n, 3n]);
  });

  it("release() of a lost lease resolves even if the backend cannot be reached", async () => {
    const lock = new MemoryLock();
    const lease = await lock.acquire();
    lock.backend.lose!("gone");
    lock.backend.failRelease = true;
    await lease.release();
    await assert.rejects(new MemoryLock(lock.backend).release(), {
      code: "LOCK_NOT_HELD",
    });
  });

  it("release() rejects when the backend fails, and the queue goes on", async () => {
    const lock = new MemoryLock();
    const lease = await lock.acquire();
    lock.backend.failRelease = true;
    await assert.rejects(lease.release(), /connection lost/);
    lock.backend.owner = null;
    lock.backend.failRelease = false;
    const next = await within(1000, "the grant", lock.acquire());
    await next.release();
  });
});

describe("withLock() on leases", () => {
  it("rejects with LOCK_LOST when the lock was lost while the callback ran", async () => {
    const lock = new MemoryLock();
    await assert.rejects(
      lock.withLock(() => void (lock.clock.monotonicMs += 60_000)),
      isLost,
    );
  });

  it("rejects with the callback's error though the lock was lost and its release failed", async () => {
    const lock = new MemoryLock();
    await assert.rejects(
      lock.withLock(() => {
        lock.clock.monotonicMs += 60_000;
        lock.backend.failRelease = true;
        throw new Error("mine");
      }),
      /mine/,
    );
  });

  it("a failed release does not hide the loss", async () => {
    const lock = new MemoryLock();
    await assert.rejects(
      lock.withLock(() => {
        lock.clock.monotonicMs += 60_000;
        lock.backend.failRelease = true;
      }),
      isLost,
    );
  });
});

describe("a grant that nobody wants any more", () => {
  it("is given back at once when tryAcquire() was aborted meanwhile", async () => {
    const lock = new MemoryLock();
    let answer = (): void => {};
    lock.backend.attempt = new Promise((resolve) => answer = resolve);
    const controller = new AbortController();
    const attempt = lock.tryAcquire({ signal: controller.signal });
    controller.abort(new Error("enough"));
    await assert.rejects(attempt, /enough/);
    lock.backend.attempt = null;
    answer();
    await within(1000, "the grant", lock.acquire());
    assert.deepEqual(lock.backend.releases, [1n]);
  });

  it("is given back at once when the only waiter timed out meanwhile", async () => {
    const lock = new MemoryLock();
    let answer = (): void => {};
    lock.backend.attempt = new Promise((resolve) => answer = resolve);
    await assert.rejects(lock.acquire({ timeoutMs: 5 }), {
      code: "LOCK_TIMEOUT",
    });
    lock.backend.attempt = null;
    answer();
    await new Promise<void>((resolve) => runtime.timers.soon(resolve));
    assert.deepEqual(lock.backend.releases, [1n]);
  });

  it("goes to the next task that wants it on the same terms", async () => {
    const lock = new MemoryLock();
    const held = await lock.acquire();
    const controller = new AbortController();
    const first = lock.acquire({ signal: controller.signal });
    const second = lock.acquire();
    controller.abort(new Error("enough"));
    await assert.rejects(first, /enough/);
    await held.release();
    assert.equal((await second).fencingToken, 2n);
    assert.deepEqual(lock.backend.releases, [1n]);
  });
});

describe("a task that gives up", () => {
  it("costs no other its place, whatever terms they want the lock on", async () => {
    const lock = new MemoryLock();
    const { clock, key } = lock.backend;
    const held = await lock.acquire();
    const first = new MemoryLock(new MemoryBackend(clock, key));
    await held.release();
    first.backend.owner = 7n; // Another process has it.
    const wait = first.acquire();
    const others = new MemoryBackend(clock, key);
    others.terms = "others";
    for (let i = 0; i < 3; i++) {
      const giving = new MemoryLock(others).acquire({ timeoutMs: 5 });
      await assert.rejects(giving, { code: "LOCK_TIMEOUT" });
    }
    assert.equal(first.backend.takes, 1);
    first.backend.expire();
    await (await wait).release();
    assert.equal(first.backend.takes, 1);
  });

  it("while the lock is passed on to it lets the release tell when it is free, or what failed", async () => {
    for (const fails of [false, true]) {
      const lock = new MemoryLock();
      let pass = (): void => {};
      let free = (): void => {};
      lock.backend.passing = new Promise((resolve) => {
        pass = () => resolve(true);
      });
      const held = await lock.acquire();
      const controller = new AbortController();
      const wait = lock.acquire({ signal: controller.signal });
      const release = held.release();
      let isOver = false;
      void release.catch(() => {}).then(() => isOver = true);
      controller.abort(new Error("enough"));
      await assert.rejects(wait, /enough/);
      lock.backend.failRelease = fails;
      lock.backend.released = new Promise((resolve) => free = resolve);
      pass();
      if (fails) {
        await assert.rejects(release, /connection lost/);
        continue;
      }
      await until("the release", () => lock.backend.releases.length > 0);
      await turn();
      assert.equal(isOver, false);
      free();
      await release;
      assert.equal(lock.backend.owner, null);
    }
  });
});

describe("a lock that is given back for others' sake", () => {
  it("is left to them by whoever waits just then, and nobody later", async () => {
    const lock = new MemoryLock();
    lock.backend.passing = Promise.resolve(false);
    const held = await lock.acquire();
    const waiting = lock.acquire();
    await held.release();
    const next = await waiting;
    const controller = new AbortController();
    const given = lock.acquire({ signal: controller.signal });
    const release = next.release();
    controller.abort(new Error("enough"));
    await assert.rejects(given, /enough/);
    await release;
    await (await lock.acquire()).release();
    assert.deepEqual(lock.backend.defers, [false, true, false]);
  });
});

describe("a wait that times out", () => {
  it("says what is wrong, whichever object of the process asks for all", async () => {
    const lock = new MemoryLock();
    const { clock, key } = lock.backend;
    lock.backend.owner = 7n;
    lock.backend.wrong = "no answer";
    const waits = [lock, new MemoryLock(new MemoryBackend(clock, key))]
      .map((lock) => lock.acquire({ timeoutMs: 20 }));
    for (const wait of waits) {
      await assert.rejects(wait, {
        code: "LOCK_BACKEND",
        message: /no answer/,
      });
    }
  });
});

describe("LeaseClock", () => {
  it("counts validity from before the request was sent", () => {
    const clock = new SetClock();
    const sentAt = readMoment(clock);
    clock.monotonicMs += 300; // The reply took its time.
    assert.equal(new LeaseClock(clock, 1000, sentAt).remainingMs(), 700);
  });

  it("is extended by a heartbeat from the moment that was sent", () => {
    const clock = new SetClock();
    const lease = new LeaseClock(clock, 1000, readMoment(clock));
    clock.monotonicMs += 400;
    const sentAt = readMoment(clock);
    clock.monotonicMs += 200;
    lease.renew(sentAt);
    assert.equal(lease.remainingMs(), 800);
  });

  it("is neither shortened by an older answer nor brought back to life", () => {
    const clock = new SetClock();
    const old = readMoment(clock);
    clock.monotonicMs += 100;
    const lease = new LeaseClock(clock, 1000, readMoment(clock));
    lease.renew(old);
    assert.equal(lease.remainingMs(), 1000);
    clock.monotonicMs += 1000;
    lease.renew(readMoment(clock));
    assert.equal(lease.remainingMs(), 0);
  });
});

function once(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
