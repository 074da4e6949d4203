/**
 * What each of DynamoLock's operations does in each state that an item can be
 * in, on each engine.
 */
import assert from "node:assert/strict";
import { describe } from "node:test";
import { DynamoLock, type Lease } from "../mod.ts";
import {
  type DynamoServer,
  dynamoTest,
  fileDynamo,
  noEngine,
  type RawItem,
} from "./_dynamo.ts";
import { uniqueName } from "./_names.ts";
import { sleep, timed, until, within } from "./_time.ts";

const TERMS = { ttlMs: 600, heartbeatIntervalMs: 150 };

// A machine that others use, too, is late by so much now and then.
const LATE_MS = 500;

interface Engines {
  readonly own: DynamoServer;
}

/** What a state is made by, and what has to come of each operation in it. */
interface State {
  /** Puts an item into the state; what it resolves to ends that. */
  enter(file: Engines, name: string): Promise<(() => Promise<void>) | void>;
  /** What an acquire finds: the lock, at once or after a time to live. */
  acquire: "at once" | "after the time to live" | "not";
  /** Whether a lease of ours outlasts the state. */
  kept: boolean;
}

const FENCE = "77";

function foreign(expirySeconds: number): RawItem {
  return {
    expiry: { N: String(expirySeconds) },
    host: { S: "elsewhere" },
    pid: { N: "4242" },
    lockid: { N: "31415926535897932384" },
  };
}

const nowSeconds = (): number => Date.now() / 1000;

const STATES: Record<string, State> = {
  "absent": {
    enter: (file, name) => file.own.delete(name),
    acquire: "at once",
    kept: false,
  },
  "free": {
    enter: (file, name) =>
      file.own.put({
        lockname: { S: name },
        expiry: { N: "0" },
        fence: { N: FENCE },
      }),
    acquire: "at once",
    kept: false,
  },
  "held by me": {
    enter: () => Promise.resolve(),
    acquire: "not",
    kept: true,
  },
  "held by another, live": {
    enter: async (file, name) => {
      // Behind our clock, and renewed all the same.
      let expiry = nowSeconds() - 3600;
      const beat = (): Promise<void> =>
        file.own.put({
          lockname: { S: name },
          ...foreign(expiry += 0.05),
          ttl: { N: String(TERMS.ttlMs) },
          fence: { N: FENCE },
        });
      await beat();
      let last = Promise.resolve();
      const timer = setInterval(() => last = beat(), 50);
      return async () => {
        clearInterval(timer);
        await last;
      };
    },
    acquire: "not",
    kept: false,
  },
  "held by another, dead": {
    enter: (file, name) =>
      file.own.put({
        lockname: { S: name },
        // Ahead of our clock, and dead all the same.
        ...foreign(nowSeconds() + 3600),
        ttl: { N: String(TERMS.ttlMs) },
        fence: { N: FENCE },
      }),
    acquire: "after the time to live",
    kept: false,
  },
  "written by Python": {
    enter: (file, name) =>
      file.own.put({ lockname: { S: name }, ...foreign(nowSeconds() - 3600) }),
    acquire: "after the time to live",
    kept: false,
  },
};

for (const engine of ["dynalite", "local"] as const) {
  const missing = noEngine(engine);
  describe(`DynamoLock on ${engine} in the state`, () => {
    const file = fileDynamo(engine);
    const lockOf = (name: string): DynamoLock =>
      new DynamoLock(name, { endpoint: file.own.endpoint, ...TERMS });
    for (const [title, state] of Object.entries(STATES)) {
      const test = (what: string, run: () => Promise<void>): void =>
        dynamoTest(`"${title}": ${what}`, run, missing);
      testAcquire({ file, lockOf, state, test });
      testHeartbeat({ file, lockOf, state, test });
      testRelease({ file, lockOf, state, test });
    }
    testExpired(file, lockOf, missing);
  });
}

interface Cell {
  file: Engines;
  lockOf(name: string): DynamoLock;
  state: State;
  test(what: string, run: () => Promise<void>): void;
}

/** Runs something in a state. */
async function inState<T>(
  { file, state }: Cell,
  name: string,
  run: () => Promise<T>,
): Promise<T> {
  const leave = await state.enter(file, name);
  try {
    return await run();
  } finally {
    await leave?.();
  }
}

function testAcquire(cell: Cell): void {
  const { file, lockOf, state, test } = cell;
  test(`an acquire gets the lock ${state.acquire}`, async () => {
    const name = uniqueName();
    const mine = state.kept ? await lockOf(name).acquire() : null;
    await inState(cell, name, async () => {
      const before = await file.own.get(name);
      const lock = lockOf(name);
      const options = {
        timeoutMs: state.acquire === "not" ? 2 * TERMS.ttlMs : 5000,
      };
      const { ms, value, error } = await timed(() => lock.acquire(options));
      if (state.acquire === "not") {
        assert.equal((error as { code?: string }).code, "LOCK_TIMEOUT");
        return;
      }
      assert.ok(value, String(error));
      const least = state.acquire === "at once" ? 0 : TERMS.ttlMs;
      assert.ok(ms >= least && ms <= least + LATE_MS, `${ms} ms`);
      const fence = BigInt(before?.fence?.N ?? "0");
      assert.ok(value.fencingToken! > fence, `${value.fencingToken}`);
      await assertOurs(file, value);
      await value.release();
    });
    await mine?.release();
  });
}

async function assertOurs(file: Engines, lease: Lease): Promise<void> {
  const item = await file.own.get(lease.lockName);
  assert.equal(item?.fence?.N, String(lease.fencingToken));
  assert.equal(item?.ttl?.N, String(TERMS.ttlMs));
  assert.match(item?.lockid?.N ?? "", /^\d{10,38}$/);
  const leftMs = Number(item?.expiry?.N) * 1000 - Date.now();
  assert.ok(leftMs > 0 && leftMs <= TERMS.ttlMs + 1, `${leftMs} ms`);
}

function testHeartbeat(cell: Cell): void {
  const { file, lockOf, state, test } = cell;
  test(`a heartbeat ${state.kept ? "renews" : "loses, and changes nothing"}`, async () => {
    const name = uniqueName();
    const lease = await lockOf(name).acquire();
    await inState(cell, name, async () => {
      const before = await file.own.get(name);
      if (state.kept) {
        await sleep(2 * TERMS.ttlMs);
        lease.assertHeld();
        const after = await file.own.get(name);
        assert.equal(after?.lockid?.N, before?.lockid?.N);
        assert.ok(Number(after?.expiry?.N) > Number(before?.expiry?.N));
        return;
      }
      await until("the loss", () => lease.signal.aborted, 1000);
      assert.throws(() => lease.assertHeld(), { code: "LOCK_LOST" });
      assert.match(lease.signal.reason.message, /no more|another/);
      assertSameBut(await file.own.get(name), before, "expiry");
      if (state.acquire !== "not") {
        assert.deepEqual(await file.own.get(name), before);
      }
    });
    await lease.release();
  });
}

/** The same attributes, one of which somebody else may have changed. */
function assertSameBut(
  item: RawItem | undefined,
  other: RawItem | undefined,
  attribute: string,
): void {
  const strip = (of: RawItem | undefined): unknown =>
    of && { ...of, [attribute]: null };
  assert.deepEqual(strip(item), strip(other));
}

function testRelease(cell: Cell): void {
  const { file, lockOf, state, test } = cell;
  test(`a release ${state.kept ? "frees, and keeps the item" : "changes nothing, and tells"}`, async () => {
    const name = uniqueName();
    const lock = lockOf(name);
    const { fencingToken } = await lock.acquire();
    await inState(cell, name, async () => {
      const before = await file.own.get(name);
      if (state.kept) {
        await lock.release();
        assert.deepEqual(await file.own.get(name), {
          lockname: { S: name },
          expiry: { N: "0" },
          lockid: before!.lockid!,
          fence: { N: String(fencingToken) },
        });
        return;
      }
      await assert.rejects(within(2000, "the release", lock.release()), {
        code: "LOCK_LOST",
      });
      assertSameBut(await file.own.get(name), before, "expiry");
    });
  });
}

function testExpired(
  file: Engines,
  lockOf: (name: string) => DynamoLock,
  missing: string | false,
): void {
  dynamoTest(
    '"expired by the table\'s TTL": the next fencing token is still greater, and nothing comes back to life',
    async () => {
      const name = uniqueName();
      let last = 0n;
      for (let round = 0; round < 5; round++) {
        const lock = lockOf(name);
        const lease = await lock.acquire();
        assert.ok(lease.fencingToken! > last, `round ${round}`);
        last = lease.fencingToken!;
        if (round % 2 === 0) await lease.release();
        await file.own.delete(name);
        if (round % 2 === 0) continue;
        await until("the loss", () => lease.signal.aborted, 1000);
        await lease.release();
        assert.equal(await file.own.get(name), undefined);
      }
    },
    missing,
  );
}
