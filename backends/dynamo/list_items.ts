import type { HeldLock } from "../core/held_lock.ts";
import { callOptions } from "./call_options.ts";
import type { ClientConfig, Request } from "./driver.ts";
import { type Item, readExpiry, readHolder, readLease } from "./item.ts";
import { tableAt } from "./table_ref.ts";
import { tableFor } from "./tables.ts";

// How long the service may be silent, in milliseconds.
const PATIENCE_MS = 5000;

/**
 * The DynamoLocks of a table that are held now, by a scan of the whole table.
 *
 * A lease is taken for live until its expiry, by the service's clock: an
 * approximation. Who waits for a lock observes it for a whole time to live
 * instead.
 *
 * @param table The table's name.
 * @param config Where it is.
 * @returns The locks.
 * @throws {TableFault} If the table cannot be read.
 */
export async function listItems(
  table: string,
  config: ClientConfig,
): Promise<HeldLock[]> {
  const { link } = tableFor(tableAt(table, config));
  const found: HeldLock[] = [];
  let from: Item | undefined;
  do {
    const request = scan(table, from);
    const page = await link.ask(() => request, callOptions(PATIENCE_MS));
    const now = link.clock.now();
    for (const item of page.Items ?? []) {
      const isLive = readLease(item) !== null && !(readExpiry(item) < now);
      const name = item.lockname?.S;
      if (isLive && name) found.push({ name, holder: readHolder(item) });
    }
    from = page.LastEvaluatedKey;
  } while (from !== undefined);
  return found;
}

function scan(TableName: string, from: Item | undefined): Request {
  const page = from && { ExclusiveStartKey: from };
  const input = { TableName, ConsistentRead: true, ...page };
  return { operation: "Scan", input };
}
