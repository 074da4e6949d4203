/** Bad arguments: told at once, by the language's own errors. */
import assert from "node:assert/strict";
import type { AcquireOptions } from "../mod.ts";
import { takeAndFree } from "./_contract_threading.ts";
import type { Suite } from "./_suite.ts";

/** Declares the tests of arguments. */
export function testArguments(suite: Suite): void {
  testConstructor(suite);
  testOptions(suite);
}

function testConstructor({ create, fresh, test }: Suite): void {
  test('new Lock("") throws a TypeError', () => {
    assert.throws(() => create(""), TypeError);
  });

  test("new Lock() of a name that is no string throws a TypeError", () => {
    for (const name of [5, null, {}, ["a"], true, Symbol("a"), new Date()]) {
      assert.throws(() => create(name as string), TypeError);
    }
  });

  // So that `ttl: 5` of the Python original cannot become 5 ms, or nothing.
  test("new Lock() with an option that it does not have throws a TypeError", () => {
    const { name } = fresh();
    assert.throws(() => create(name, { ttl: 5 }), TypeError);
    assert.throws(() => create(name, { timeout: 5 }), TypeError);
  });
}

function testOptions({ fresh, twin, test }: Suite): void {
  test("lock.acquire() of a signal that is none rejects with a TypeError", async () => {
    const lock = fresh();
    // It could be listened to, and never again be left alone.
    const deaf = { aborted: false, addEventListener: () => {} };
    for (const signal of [{}, "abort", new AbortController(), null, 1, deaf]) {
      const options = { signal } as AcquireOptions;
      await assert.rejects(async () => await lock.acquire(options), TypeError);
      await assert.rejects(
        async () => await lock.tryAcquire(options),
        TypeError,
      );
    }
    await takeAndFree(twin(lock));
  });

  test("lock.withLock() of something that is no function rejects with a TypeError and takes nothing", async () => {
    const lock = fresh();
    const call = async (): Promise<void> =>
      await lock.withLock("no function" as unknown as () => void);
    await assert.rejects(call, TypeError);
    await takeAndFree(twin(lock));
  });
}
