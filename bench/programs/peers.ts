/**
 * The other libraries, each with the settings that suit it best: it never gives
 * up, tries again after a millisecond or a few, and keeps its lease for 5 s.
 *
 * @module
 */
import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";

/** Frees what was taken. */
export type Release = () => Promise<unknown>;

/** A way to take locks. */
export interface Contender {
  /** What goes by this name in the results. */
  readonly name: string;
  /**
   * Takes a lock, waiting for it as long as it takes.
   *
   * @param name The lock's name.
   * @returns What frees it.
   */
  acquire(name: string): Promise<Release>;
  /** Ends its connections. */
  close(): Promise<void> | void;
}

/** Where the locks are kept. */
export interface Places {
  /** Where the peers are installed. */
  readonly peers: string;
  /** A Redis server, as `host:port`. */
  readonly redis: string;
  /** A DynamoDB's URL. */
  readonly dynamo: string;
  /** A directory for files. */
  readonly directory: string;
}

/** The table of dynamodb-lock-client. */
export const PEER_TABLE = "peer-locks";

const TTL_MS = 5000;
const RETRY_MS = 1;
const JITTER_MS = 4;

// deno-lint-ignore no-explicit-any
type Loose = any;

/**
 * Opens a peer.
 *
 * @param name Its package.
 * @param places Where the locks are kept.
 * @returns The peer.
 */
export async function openPeer(
  name: string,
  places: Places,
): Promise<Contender> {
  const load = createRequire(`${places.peers}/package.json`) as Load;
  const open = openers[name];
  if (!open) throw new RangeError(`There is no peer ${JSON.stringify(name)}`);
  return { name, ...await open({ ...places, load }) };
}

interface Loading extends Places {
  /** Loads a package of theirs. */
  readonly load: Load;
}

interface Load {
  (name: string): Loose;
  /** Tells where a package's file is. */
  resolve(name: string): string;
}

type Opened = Omit<Contender, "name">;

const openers: Record<string, (places: Loading) => Promise<Opened> | Opened> = {
  "redlock": (places) => redlock(places, "redlock"),
  "@sesamecare-oss/redlock": (places) =>
    redlock(places, "@sesamecare-oss/redlock"),
  "redis-semaphore": (places) => {
    const client = ioredis(places);
    const { Mutex } = places.load("redis-semaphore");
    return {
      acquire: async (name) => {
        const mutex = new Mutex(client, name, {
          lockTimeout: TTL_MS,
          acquireTimeout: 600_000,
          retryInterval: RETRY_MS,
        });
        await mutex.acquire();
        return () => mutex.release();
      },
      close: () => client.disconnect(),
    };
  },
  "redlock-universal": async (places) => {
    const { createClient } = places.load("redis");
    const client = createClient({ url: `redis://${places.redis}` });
    await client.connect();
    const { createLock, NodeRedisAdapter } = places.load("redlock-universal");
    const adapter = new NodeRedisAdapter(client);
    return {
      acquire: async (key) => {
        const lock = createLock({
          adapter,
          key,
          ttl: TTL_MS,
          retryAttempts: 1_000_000,
          retryDelay: RETRY_MS,
          performance: "lean",
        });
        const handle = await lock.acquire();
        return () => lock.release(handle);
      },
      close: () => client.destroy(),
    };
  },
  "@verrou/core": async (places) => {
    const at = places.load.resolve("@verrou/core");
    const { Verrou } = await import(`file://${at}`);
    const driver = places.load.resolve("@verrou/core/drivers/redis");
    const { redisStore } = await import(`file://${driver}`);
    const connection = ioredis(places);
    const verrou = new Verrou({
      default: "redis",
      stores: { redis: { driver: redisStore({ connection }) } },
    });
    return {
      acquire: async (name) => {
        const lock = verrou.createLock(name, TTL_MS);
        await lock.acquire({
          retry: { attempts: Infinity, delay: RETRY_MS, timeout: 600_000 },
        });
        return () => lock.release();
      },
      close: () => connection.disconnect(),
    };
  },
  "proper-lockfile": ({ load, directory }) => {
    const { lock } = load("proper-lockfile");
    mkdirSync(directory, { recursive: true });
    // With a number of retries it would make a list of as many at each lock.
    const retries = {
      ...{ retries: 0, forever: true },
      ...{ minTimeout: RETRY_MS, maxTimeout: RETRY_MS + JITTER_MS },
      randomize: true,
    };
    return {
      acquire: (name) =>
        lock(`${directory}/${name}`, { realpath: false, retries }),
      close: () => {},
    };
  },
  "dynamodb-lock-client": ({ load, dynamo }) => {
    const { DynamoDB } = load("aws-sdk");
    const { FailOpen } = load("dynamodb-lock-client");
    const client = new FailOpen({
      dynamodb: new DynamoDB.DocumentClient({
        endpoint: dynamo,
        region: "us-east-1",
      }),
      lockTable: PEER_TABLE,
      partitionKey: "id",
      leaseDurationMs: TTL_MS,
      heartbeatPeriodMs: 2000,
      retryCount: 1e6,
    });
    return {
      acquire: (name) =>
        new Promise((resolve, reject) => {
          client.acquireLock(name, (error: unknown, lock: Loose) => {
            if (error) return reject(error);
            resolve(() =>
              new Promise((done, fail) => {
                lock.release((e: unknown) => e ? fail(e) : done(undefined));
              })
            );
          });
        }),
      close: () => {},
    };
  },
  "async-mutex": ({ load }) => {
    const { Mutex } = load("async-mutex");
    const mutexes = new Map<string, Loose>();
    return {
      acquire: async (name) => {
        const mutex = mutexes.get(name) ?? new Mutex();
        mutexes.set(name, mutex);
        const release = await mutex.acquire();
        return () => Promise.resolve(release());
      },
      close: () => {},
    };
  },
};

function ioredis({ load, redis }: Loading): Loose {
  const { Redis } = load("ioredis");
  const [host, port] = redis.split(":");
  return new Redis({ host, port: Number(port) });
}

function redlock(places: Loading, name: string): Opened {
  const client = ioredis(places);
  const module = places.load(name);
  const Redlock = module.default ?? module.Redlock;
  const lock = new Redlock([client], {
    retryCount: -1,
    retryDelay: RETRY_MS,
    retryJitter: JITTER_MS,
  });
  lock.on("error", () => {});
  return {
    acquire: async (resource) => {
      const held = await lock.acquire([resource], TTL_MS);
      return () => held.release();
    },
    close: () => client.disconnect(),
  };
}
