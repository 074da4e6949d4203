import type { Keeper } from "../core/backend.ts";
import { DynamoKeeper } from "./dynamo_keeper.ts";
import type { LockItem } from "./lock_item.ts";
import type { TableRef } from "./table_ref.ts";
import { tableFor } from "./tables.ts";

/**
 * How a lock is taken from its table.
 *
 * @param lock The lock.
 * @param ref The table.
 * @returns What takes it.
 */
export function makeKeeper(lock: LockItem, ref: TableRef): Keeper {
  return new DynamoKeeper(lock, tableFor(ref));
}
