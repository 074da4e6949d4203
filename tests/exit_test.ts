/** When a process ends by itself, and that nothing escapes uncaught. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Child } from "./_child.ts";
import { dynamoKind, hostKinds, type Kind, redisKind } from "./_kinds.ts";
import { withProcesses } from "./_processes.ts";
import { currentRuntime, nthRuntime } from "./_runtimes.ts";
import { pendingAfter, within } from "./_time.ts";

for (const kind of [...hostKinds(), redisKind(), dynamoKind()]) {
  const skip = kind.missing;
  describe(`a script with a ${kind.kind}`, () => {
    testHolding(kind, skip);
    testWaiting(kind, skip);
    testFailures(kind, skip);
  });
}

async function assertEnds(child: Child): Promise<void> {
  const exit = await within(2000, "the end by itself", child.exited);
  assert.deepEqual(exit, { code: 0, signal: null }, child.describe());
}

function testHolding(kind: Kind, skip: string | false): void {
  it(
    "that forgets its lease ends by itself, and the lock is free",
    { skip },
    () =>
      withProcesses(async ({ script }) => {
        const spec = kind.fresh();
        const args = ["forgets", JSON.stringify(spec)];
        const child = script(currentRuntime(), "script.ts", ...args);
        await child.line("held");
        await assertEnds(child);
        const lock = kind.create(spec);
        const lease = kind.lease
          ? await lock.acquire({ timeoutMs: 10_000 })
          : await lock.tryAcquire();
        assert.ok(lease);
        await lease.release();
      }),
  );

  it(
    "that forgets a lease which others wait for ends by itself, and a waiter gets it",
    { skip },
    () =>
      withProcesses(async ({ script, worker }) => {
        const other = await worker(nthRuntime(1));
        const spec = kind.fresh();
        const theirs = await other.create(spec);
        const args = ["forgetsWaited", JSON.stringify(spec)];
        const child = script(currentRuntime(), "script.ts", ...args);
        await child.line("held");
        const wait = await theirs.queue();
        await child.line("over");
        await assertEnds(child);
        // A lease lives on for its time to live.
        await within(kind.lease ? 10_000 : 1000, "the grant", wait.granted);
      }),
  );
}

function testWaiting(kind: Kind, skip: string | false): void {
  it(
    "that waits stays alive until it is served",
    { skip },
    () =>
      withProcesses(async ({ script, worker }) => {
        const other = await worker(nthRuntime(1));
        const spec = kind.fresh();
        const theirs = await other.create(spec);
        await theirs.take();
        const args = ["waits", JSON.stringify(spec)];
        const child = script(currentRuntime(), "script.ts", ...args);
        await child.line("waiting");
        // Were it not kept alive, it would end in its next turn.
        assert.equal(await pendingAfter(500, child.exited), true);
        await theirs.release();
        await child.line("held", 2000);
        await assertEnds(child);
      }),
  );

  it(
    "that waits for its own lease stays alive until its timeout",
    { skip },
    () =>
      withProcesses(async ({ script }) => {
        const args = ["waitsForItself", JSON.stringify(kind.fresh())];
        const child = script(currentRuntime(), "script.ts", ...args);
        await child.line("LOCK_TIMEOUT");
        await assertEnds(child);
      }),
  );

  it(
    "that gave up waiting for another process ends by itself",
    { skip },
    () =>
      withProcesses(async ({ script, worker }) => {
        const other = await worker(nthRuntime(1));
        const spec = kind.fresh();
        await (await other.create(spec)).take();
        const args = ["givesUp", JSON.stringify(spec)];
        const child = script(currentRuntime(), "script.ts", ...args);
        await child.line("LOCK_TIMEOUT");
        await child.line("AbortError");
        await assertEnds(child);
      }),
  );
}

function testFailures(kind: Kind, skip: string | false): void {
  it(
    "in which everything fails sees no unhandled rejection and no uncaught exception",
    { skip },
    () =>
      withProcesses(async ({ script }) => {
        const args = ["fails", JSON.stringify(kind.fresh())];
        const child = script(currentRuntime(), "script.ts", ...args);
        await child.line("uncaught: 0 ");
        await child.line(kind.kind === "FileLock" ? "LOCK_LOST" : "kept");
        await assertEnds(child);
        assert.doesNotMatch(child.errors, /rejection|uncaught/i);
      }),
  );
}
