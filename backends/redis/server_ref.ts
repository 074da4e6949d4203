import type { CreateRedisClient, RedisClient } from "./driver.ts";
import type { RedisHost } from "./hosts.ts";

/** A server that is meant, before the code that talks to it is loaded. */
export interface ServerRef {
  /** Tells it from the other servers of this process. */
  readonly id: number;
  /** How it is reached: by a client that the caller brought, or at a host. */
  readonly to: { readonly client: RedisClient } | {
    readonly host: RedisHost;
    readonly create: CreateRedisClient | undefined;
  };
}

let servers = 0;

// Keyed by the function that makes clients, or by the driver's place.
const owned = new WeakMap<object, Map<string, ServerRef>>();
const DRIVER = {};
const brought = new WeakMap<RedisClient, ServerRef>();

/**
 * A server that is reached through connections of our own.
 *
 * @param host The server.
 * @param create Makes a client; by default that of the driver.
 * @returns The one reference of this process to it.
 */
export function serverAt(
  host: RedisHost,
  create: CreateRedisClient | undefined,
): ServerRef {
  const maker = create ?? DRIVER;
  let known = owned.get(maker);
  if (known === undefined) owned.set(maker, known = new Map());
  let server = known.get(host.url);
  if (server === undefined) {
    known.set(host.url, server = { id: ++servers, to: { host, create } });
  }
  return server;
}

/**
 * A server that is reached through a client that the caller brought.
 *
 * @param client The client.
 * @returns The one reference of this process to it.
 */
export function serverOf(client: RedisClient): ServerRef {
  let server = brought.get(client);
  if (server === undefined) {
    brought.set(client, server = { id: ++servers, to: { client } });
  }
  return server;
}
