import type { ClientConfig, Driver, DynamoClient } from "./driver.ts";
import { DynamoTable } from "./table.ts";
import type { TableRef } from "./table_ref.ts";

const tables = new WeakMap<TableRef, DynamoTable>();

/**
 * The one table of this process behind a reference.
 *
 * @param ref The reference.
 * @returns The table; nothing is connected yet.
 */
export function tableFor(ref: TableRef): DynamoTable {
  let table = tables.get(ref);
  if (table === undefined) tables.set(ref, table = makeTable(ref));
  return table;
}

function makeTable({ name, to }: TableRef): DynamoTable {
  if ("client" in to) {
    return new DynamoTable(name, " of the given client", () => to.client);
  }
  const { config } = to;
  const connect = (driver: Driver) => clientFor(driver, config);
  return new DynamoTable(name, whereOf(config), connect);
}

function whereOf({ region, endpoint }: ClientConfig): string {
  // Without a password.
  if (endpoint) return ` at ${new URL(endpoint).origin}`;
  return region ? ` in ${region}` : "";
}

const clients = new Map<string, DynamoClient>();

// The tables of one place share its connections.
function clientFor(driver: Driver, config: ClientConfig): DynamoClient {
  const key = JSON.stringify([config.region, config.endpoint]);
  let client = clients.get(key);
  if (client === undefined) clients.set(key, client = driver.connect(config));
  return client;
}
