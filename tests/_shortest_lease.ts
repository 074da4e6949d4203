/** What a lease of the shortest time to live, 100 ms, promises. */
import assert from "node:assert/strict";
import type { Lock } from "../mod.ts";
import { sleep } from "./_time.ts";

// A machine that others use, too, may stop us for longer than such a lease
// lives: then it is lost, and that is right.
const MOST_STOPS = 10;

/**
 * A lease with a time to live of 100 ms and a heartbeat each 40 ms is kept, by
 * as many heartbeats as that takes.
 *
 * @param lock The lock.
 * @param calls How many requests there have been.
 */
export async function assertKeptCalmly(
  lock: Lock,
  calls: () => number | Promise<number>,
): Promise<void> {
  for (let stops = 0; stops < MOST_STOPS; stops++) {
    const lease = await lock.acquire();
    const before = await calls();
    await sleep(600);
    const count = await calls() - before;
    const isKept = lock.locked;
    await lease.release();
    // A beat each 36 to 40 ms, and a look for what was lost.
    assert.ok(count <= 20, `${count} calls`);
    if (isKept) return;
  }
  assert.fail(`lost ${MOST_STOPS} times in a row`);
}
