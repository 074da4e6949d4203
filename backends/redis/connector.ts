import { runtime } from "../../runtime/mod.ts";
import type {
  CreateRedisClient,
  RedisClient,
  RedisConnection,
  RedisSubscriber,
} from "./driver.ts";
import { loadCreateClient } from "./driver.ts";
import type { Call } from "./exchange.ts";
import { ServerFault } from "./faults.ts";
import type { RedisHost } from "./hosts.ts";

/** A way to run scripts on a server. */
export interface Connection {
  /**
   * Runs a script.
   *
   * @param call The script, its keys and its arguments.
   * @param stamp What is put before the arguments.
   * @param byText Whether the server is given the script's text, and not only
   * the SHA-1 by which it knows those that it has seen.
   * @returns The server's answer.
   */
  run(call: Call, stamp: string, byText: boolean): Promise<unknown>;
  /** Ends it at once; what is under way is rejected. */
  close(): void;
}

/** How a server is reached. */
export interface Connector {
  /** The server, for messages. */
  readonly label: string;
  /**
   * Whether the number of listeners that a message reached is known: on a
   * cluster, only those at one node are counted.
   */
  readonly counts: boolean;
  /** The most locks that one script may renew: 1 where they lie on many nodes. */
  readonly batch: number;
  /**
   * Whether a connection that stays silent can be replaced by another.
   */
  readonly replaceable: boolean;
  /**
   * Gets ready to connect, once: loads the driver.
   *
   * @returns A promise until it is ready.
   */
  prepare(): Promise<void>;
  /**
   * Connects.
   *
   * @param onEnd Called when the connection ends by itself.
   * @returns The connection.
   */
  connect(onEnd: (error: unknown) => void): Promise<Connection>;
  /**
   * Connects and listens on a channel.
   *
   * @param channel The channel.
   * @param onMessage Called for each message.
   * @param onEnd Called when nothing is heard any more.
   * @returns A way to stop, where listening keeps the process alive; else null.
   */
  subscribe(
    channel: string,
    onMessage: (message: string) => void,
    onEnd: (error: unknown) => void,
  ): Promise<(() => void) | null>;
}

// How long one try to connect may take, in milliseconds.
const CONNECT_MS = 2000;

// How long it may take until a connection can be used, in milliseconds: the
// driver knows no limit for what it says to the server first.
const READY_MS = 3000;

const BATCH = 500;

/** Reaches a server through connections of our own. */
export class OwnConnector implements Connector {
  readonly label: string;
  readonly counts = true;
  readonly batch = BATCH;
  readonly replaceable = true;
  readonly #url: string;
  #create: CreateRedisClient | undefined;

  /**
   * @param host The server.
   * @param create Makes a client; by default that of the driver.
   */
  constructor(host: RedisHost, create: CreateRedisClient | undefined) {
    this.label = host.label;
    this.#url = host.url;
    this.#create = create;
  }

  async prepare(): Promise<void> {
    this.#create ??= await loadCreateClient();
  }

  async connect(onEnd: (error: unknown) => void): Promise<Connection> {
    const { client, close } = await this.#open(onEnd);
    return {
      run: (call, stamp, byText) => runCommand(client, call, stamp, byText),
      close,
    };
  }

  async subscribe(
    channel: string,
    onMessage: (message: string) => void,
    onEnd: (error: unknown) => void,
  ): Promise<(() => void) | null> {
    const { client, close } = await this.#open(onEnd);
    await listen(client, channel, onMessage);
    return client.unref ? null : close;
  }

  async #open(
    onEnd: (error: unknown) => void,
  ): Promise<{ client: RedisConnection; close: () => void }> {
    const client = this.#create!({
      url: this.#url,
      RESP: 2,
      maintNotifications: "disabled",
      disableClientInfo: true,
      disableOfflineQueue: true,
      commandOptions: { timeout: 0 },
      socket: { reconnectStrategy: false, connectTimeout: CONNECT_MS },
    });
    return { client, close: await connect(client, onEnd) };
  }
}

/** Reaches a server through a client that the caller brought. */
export class BroughtConnector implements Connector {
  readonly label = "the given client";
  readonly counts: boolean;
  readonly batch: number;
  readonly replaceable = false;
  readonly #client: RedisClient;

  /** @param client The caller's client. */
  constructor(client: RedisClient) {
    this.#client = client;
    // Only a cluster's client knows slots.
    const isCluster = "slots" in client;
    this.counts = !isCluster;
    this.batch = isCluster ? 1 : BATCH;
  }

  prepare(): Promise<void> {
    return Promise.resolve();
  }

  connect(): Promise<Connection> {
    const client = this.#client;
    if (client.isOpen === false) {
      const message = `${this.label} is closed: connect it first`;
      return Promise.reject(new ServerFault("refused", message));
    }
    return Promise.resolve({
      run: (call, stamp, byText) => runScript(client, call, stamp, byText),
      close: () => {},
    });
  }

  async subscribe(
    channel: string,
    onMessage: (message: string) => void,
    onEnd: (error: unknown) => void,
  ): Promise<(() => void) | null> {
    const client = this.#client.duplicate();
    const close = await connect(client, onEnd);
    await listen(client, channel, onMessage);
    // Those of a cluster and of sentinels do not let the process end.
    return client.unref ? null : close;
  }
}

// A client reports its end as an error, as an end, or as both, also when it was
// closed on purpose; and one that is not listened to would throw.
async function connect(
  client: RedisSubscriber,
  onEnd: (error: unknown) => void,
): Promise<() => void> {
  let ended = false;
  const finish = (): void => {
    ended = true;
    close(client);
  };
  const end = (error?: unknown): void => {
    if (ended) return;
    finish();
    onEnd(error ?? new Error("the connection was closed"));
  };
  client.on("error", end);
  client.on("end", end);
  client.unref?.();
  try {
    await ready(client);
    return finish;
  } catch (error) {
    finish();
    throw error;
  }
}

// Resolves when the server has answered to password and database as well.
function ready(client: RedisSubscriber): Promise<void> {
  return new Promise((resolve, reject) => {
    const message = `it cannot be used after ${READY_MS} ms: no answer to ` +
      "password or database";
    const limit = runtime.timers.after(READY_MS, () => {
      reject(new Error(message));
    });
    client.connect().finally(() => limit.cancel()).then(
      () => resolve(),
      reject,
    );
  });
}

// A server that does not answer is not waited for.
async function listen(
  client: RedisSubscriber,
  channel: string,
  onMessage: (message: string) => void,
): Promise<void> {
  const limit = runtime.timers.after(CONNECT_MS, () => close(client));
  try {
    await client.subscribe(channel, onMessage);
  } catch (error) {
    close(client);
    throw error;
  } finally {
    limit.cancel();
  }
}

function close(client: RedisSubscriber): void {
  try {
    client.destroy?.();
  } catch {
    // It is closed already.
  }
}

function runCommand(
  client: RedisConnection,
  { script, keys, args }: Call,
  stamp: string,
  byText: boolean,
): Promise<unknown> {
  const command = byText ? ["EVAL", script.text] : ["EVALSHA", script.sha1];
  command.push(String(keys.length), ...keys, stamp, ...args);
  return client.sendCommand(command);
}

function runScript(
  client: RedisClient,
  { script, keys, args }: Call,
  stamp: string,
  byText: boolean,
): Promise<unknown> {
  const call = { keys, arguments: [stamp, ...args] };
  return byText
    ? client.eval(script.text, call)
    : client.evalSha(script.sha1, call);
}
