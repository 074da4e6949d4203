import type { ClientConfig, Driver, DynamoClient } from "./driver.ts";
import { DynamoTable } from "./table.ts";

const tables = new Map<string, DynamoTable>();
const brought = new WeakMap<DynamoClient, Map<string, DynamoTable>>();

/**
 * The one table of that name and place in this process.
 *
 * @param name Its name.
 * @param config Where it is.
 * @returns The table; nothing is connected yet.
 */
export function tableAt(name: string, config: ClientConfig): DynamoTable {
  const { region, endpoint } = config;
  const key = JSON.stringify([name, region, endpoint]);
  let table = tables.get(key);
  if (table === undefined) {
    const where = endpoint
      ? ` at ${new URL(endpoint).origin}` // Without a password.
      : region
      ? ` in ${region}`
      : "";
    const connect = (driver: Driver) => clientFor(driver, config);
    tables.set(key, table = new DynamoTable(name, where, connect));
  }
  return table;
}

const clients = new Map<string, DynamoClient>();

// The tables of one place share its connections.
function clientFor(driver: Driver, config: ClientConfig): DynamoClient {
  const key = JSON.stringify([config.region, config.endpoint]);
  let client = clients.get(key);
  if (client === undefined) clients.set(key, client = driver.connect(config));
  return client;
}

/**
 * The one table of that name behind a client of the caller's.
 *
 * @param name Its name.
 * @param client The client.
 * @returns The table.
 */
export function tableOf(name: string, client: DynamoClient): DynamoTable {
  let known = brought.get(client);
  if (known === undefined) brought.set(client, known = new Map());
  let table = known.get(name);
  if (table === undefined) {
    table = new DynamoTable(name, " of the given client", () => client);
    known.set(name, table);
  }
  return table;
}
