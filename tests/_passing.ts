/** Tasks of one process that want one lock, and their fencing tokens. */
import assert from "node:assert/strict";
import type { Lock } from "../mod.ts";
import { sleep, until, within } from "./_time.ts";

/** Takes and frees a lock in many tasks; gives their tokens in their order. */
export async function runTasks(lock: Lock, count: number): Promise<bigint[]> {
  const tokens: bigint[] = [];
  await Promise.all(
    Array.from({ length: count }, () =>
      lock.withLock((lease) => {
        lease.assertHeld();
        tokens.push(lease.fencingToken!);
      })),
  );
  return tokens;
}

/** Asserts that each token is greater than the one before. */
export function assertGrowing(tokens: readonly bigint[]): void {
  tokens.forEach((token, i) => {
    if (i > 0) assert.ok(token > tokens[i - 1]!, `${tokens[i - 1]}, ${token}`);
  });
}

/**
 * Has twenty tasks take a lock again and again, and asserts that another
 * process, or what does as one, gets its turns.
 */
export async function assertTurns(
  ours: Lock,
  theirs: () => Lock,
  turns: number,
): Promise<void> {
  let over = false;
  let taken = 0;
  const tasks = Array.from({ length: 20 }, async () => {
    while (!over) {
      await ours.withLock(() => taken++);
      // Others of this process get a turn of the event loop, too.
      if (taken % 1000 === 0) await sleep(1);
    }
  });
  await until("the tasks to go on", () => Promise.resolve(taken > 1000));
  for (let i = 0; i < turns; i++) {
    const lease = await within(10_000, "a grant", theirs().acquire());
    await lease.release();
  }
  over = true;
  await Promise.all(tasks);
}

/** Asserts that a lock is not passed on that is lost by then. */
export async function assertGrantedAnew(
  lock: Lock,
  lose: () => Promise<unknown>,
): Promise<void> {
  const first = await lock.acquire();
  const waiting = lock.acquire();
  await lose();
  await assert.rejects(lock.release(), { code: "LOCK_LOST" });
  const second = await within(5000, "the next grant", waiting);
  assert.ok(second.fencingToken! > first.fencingToken!);
  second.assertHeld();
  await second.release();
}
