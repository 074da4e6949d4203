/**
 * What RedisLock uses of the package `redis`. Only these members are declared,
 * so that no type of the driver shows in ours, and any client that has them
 * will do.
 *
 * @module
 */

/** A script call, as the package's `eval` and `evalSha` take it. */
export interface RedisScriptCall {
  /** The keys that the script uses. */
  keys: string[];
  /** Its other arguments. */
  arguments: string[];
}

/**
 * A connected client of the package `redis` that the caller brings: for one
 * server, a cluster, or a group under sentinels.
 */
export interface RedisClient {
  /** Whether it has been connected. */
  readonly isOpen?: boolean;
  /** Runs a script by its SHA-1. */
  evalSha(sha1: string, call: RedisScriptCall): Promise<unknown>;
  /** Runs a script by its text. */
  eval(script: string, call: RedisScriptCall): Promise<unknown>;
  /** Makes another client with the same options, for the wake-up messages. */
  duplicate(): RedisSubscriber;
}

/** A client that listens for messages. */
export interface RedisSubscriber {
  /** Connects it. */
  connect(): Promise<unknown>;
  /** Listens on a channel. */
  subscribe(
    channel: string,
    listener: (message: string) => void,
  ): Promise<unknown>;
  /** Reports errors and the end of the connection. */
  on(event: string, listener: (error?: unknown) => void): unknown;
  /** Lets the process end although it is connected. */
  unref?(): unknown;
  /** Ends the connection at once. */
  destroy?(): unknown;
}

/** A client of the package `redis` for one server. */
export interface RedisConnection extends RedisSubscriber {
  /** Sends a command. */
  sendCommand(args: string[]): Promise<unknown>;
}

/** Options with which a connection is made. */
export interface RedisConnectionOptions {
  /** The server, with user, password and database. */
  url: string;
  /** The version of the protocol. */
  RESP: 2;
  /** Asks for no push messages about maintenance. */
  maintNotifications: "disabled";
  /** Tells the server nothing of the library. */
  disableClientInfo: true;
  /** Refuses commands while there is no connection. */
  disableOfflineQueue: true;
  /** 0: no timer for each command, since RedisLock has its own. */
  commandOptions: { timeout: number };
  /** How the socket is kept. */
  socket: {
    /** RedisLock itself connects anew. */
    reconnectStrategy: false;
    /** How long to try to connect, in milliseconds. */
    connectTimeout: number;
  };
}

/** The function `createClient` of the package `redis`, or one in its manner. */
export type CreateRedisClient = (
  options: RedisConnectionOptions,
) => RedisConnection;

let loading: Promise<CreateRedisClient> | null = null;

/**
 * Loads the driver, on first use only: it takes a tenth of a second.
 *
 * @returns What does as its function `createClient`, sooner.
 * @throws {Error} If the package is not installed; says how to install it.
 */
export function loadCreateClient(): Promise<CreateRedisClient> {
  return loading ??= load().catch((error) => {
    loading = null;
    throw new Error(
      "the package redis cannot be loaded: run `npm install redis`",
      { cause: error },
    );
  });
}

// For each server's options, the driver would make a class with hundreds of
// methods, tens of milliseconds long; duplicates of one client share its class.
async function load(): Promise<CreateRedisClient> {
  const { createClient } = await import("redis");
  const first = createClient({ RESP: 2 }) as unknown as Duplicable;
  return (options) => first.duplicate(options);
}

interface Duplicable {
  duplicate(options: RedisConnectionOptions): RedisConnection;
}

/**
 * Checks a client that the caller brings.
 *
 * @param client What the caller gave.
 * @throws {TypeError} If it is no client of the package redis.
 */
export function checkClient(client: unknown): asserts client is RedisClient {
  const { evalSha, eval: run, duplicate } = (client ?? {}) as RedisClient;
  if ([evalSha, run, duplicate].every((f) => typeof f === "function")) return;
  throw new TypeError(
    "RedisLock client must be a client of the package redis: " +
      "it has no evalSha(), eval() and duplicate()",
  );
}
