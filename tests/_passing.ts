/** Tasks of one process that want one lock, and their fencing tokens. */
import assert from "node:assert/strict";
import type { Lock } from "../mod.ts";

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
