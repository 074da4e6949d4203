import type { LookOptions } from "../core/backend.ts";
import { inBatches } from "../core/in_batches.ts";
import { pause } from "../core/pause.ts";
import { callOptions } from "./call_options.ts";
import { TableFault } from "./faults.ts";
import { type Item, readLease } from "./item.ts";
import type { LockItem } from "./lock_item.ts";
import { lookAtMany } from "./requests.ts";
import type { DynamoTable } from "./table.ts";
import type { TableRef } from "./table_ref.ts";
import { tableFor } from "./tables.ts";

// The most keys that the service takes in one request.
const BATCH = 100;

// How often the rest of a batch is asked for that a busy service left over, and
// how long to wait before, in milliseconds, doubled each time.
const MOST_TRIES = 5;
const PAUSE_MS = 50;

/**
 * Finds the locks among many that nobody holds: a request for each hundred. A
 * lease that this process has seen unchanged for its time to live is no holder.
 *
 * @param ref The table.
 * @param locks The locks.
 * @param options How they are looked at.
 * @returns For each lock, whether it is free.
 * @throws {TableFault} If the table cannot be read.
 */
export async function findFree(
  ref: TableRef,
  locks: readonly LockItem[],
  options: LookOptions,
): Promise<boolean[]> {
  const table = tableFor(ref);
  try {
    return await inBatches(locks, {
      ...options,
      size: BATCH,
      run: (some) => lookAt(table, some, options.signal),
    });
  } catch (error) {
    const isMissing = error instanceof TableFault && error.kind === "missing";
    // There is nobody in a table that is yet to be created.
    if (isMissing && locks[0]?.createTable) return locks.map(() => true);
    throw error;
  }
}

async function lookAt(
  table: DynamoTable,
  locks: readonly LockItem[],
  signal: AbortSignal | undefined,
): Promise<boolean[]> {
  const { ttlMs } = locks[0]!.terms;
  const found = new Map<string | undefined, Item>();
  // The service refuses a key that is asked for twice.
  let left = [...new Set(locks.map(({ key }) => key))];
  for (let tries = 0; left.length > 0 && tries < MOST_TRIES; tries++) {
    if (tries > 0) await pause(PAUSE_MS * 2 ** tries, { signal });
    signal?.throwIfAborted();
    const request = lookAtMany(table.name, left);
    const page = await table.link.ask(() => request, callOptions(ttlMs));
    for (const item of Object.values(page.Responses ?? {}).flat()) {
      found.set(item.lockname?.S, item);
    }
    left = Object.values(page.UnprocessedKeys ?? {}).flatMap(({ Keys = [] }) =>
      Keys.flatMap(({ lockname }) => lockname?.S ?? [])
    );
  }
  // What the service did not tell may be free: an attempt will show.
  const unknown = new Set(left);
  return locks.map((lock) =>
    unknown.has(lock.key) || isFree(table, lock, found.get(lock.key))
  );
}

function isFree(
  { observations }: DynamoTable,
  { key, terms: { ttlMs } }: LockItem,
  item: Item | undefined,
): boolean {
  const lease = readLease(item);
  observations.note(key, lease);
  return lease === null || observations.dead(key, ttlMs) !== null;
}
