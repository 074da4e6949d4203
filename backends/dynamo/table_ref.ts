import type { ClientConfig, DynamoClient } from "./driver.ts";

/** A table that is meant, before the code that talks to it is loaded. */
export interface TableRef {
  /** Tells it from the other tables of this process. */
  readonly id: number;
  /** The table's name. */
  readonly name: string;
  /** How it is reached: by a client that the caller brought, or of our own. */
  readonly to: { readonly client: DynamoClient } | {
    readonly config: ClientConfig;
  };
}

let count = 0;

const tables = new Map<string, TableRef>();
const brought = new WeakMap<DynamoClient, Map<string, TableRef>>();

/**
 * A table that is reached through a client of our own.
 *
 * @param name Its name.
 * @param config Where it is.
 * @returns The one reference of this process to it.
 */
export function tableAt(name: string, config: ClientConfig): TableRef {
  const key = JSON.stringify([name, config.region, config.endpoint]);
  return refIn(tables, key, name, { config });
}

/**
 * A table that is reached through a client of the caller's.
 *
 * @param name Its name.
 * @param client The client.
 * @returns The one reference of this process to it.
 */
export function tableOf(name: string, client: DynamoClient): TableRef {
  let known = brought.get(client);
  if (known === undefined) brought.set(client, known = new Map());
  return refIn(known, name, name, { client });
}

function refIn(
  known: Map<string, TableRef>,
  key: string,
  name: string,
  to: TableRef["to"],
): TableRef {
  let ref = known.get(key);
  if (ref === undefined) known.set(key, ref = { id: ++count, name, to });
  return ref;
}
