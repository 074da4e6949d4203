/**
 * Who is measured, and against whom.
 *
 * @module
 */

/** Where a lock is kept. */
export type Backend = "socket" | "file" | "redis" | "dynamo" | "none";

/** Our locks. */
export const OURS: Readonly<Record<Exclude<Backend, "none">, string>> = {
  socket: "SocketLock",
  file: "FileLock",
  redis: "RedisLock",
  dynamo: "DynamoLock",
};

/** What a lock cannot do without: two commands of its driver, or system calls. */
export const LIMITS: Readonly<Record<Exclude<Backend, "none">, string>> = {
  socket: "C: bind, listen, close",
  file: "C: open, flock, close",
  redis: "redis: SET NX PX, DEL",
  dynamo: "client-dynamodb: PutItem, DeleteItem",
};

/** What is shown beside the limit, for where the difference comes from. */
export const REFERENCES: Readonly<Partial<Record<Backend, readonly string[]>>> =
  {
    redis: ["redis: 2 small scripts", "redis: PING", "TCP: PING"],
    dynamo: [
      "client-dynamodb: 2 x UpdateItem",
      "client-dynamodb: the same 2 writes",
    ],
  };

/** The other libraries, and where their locks are kept. */
export const PEERS: Readonly<Record<string, Backend>> = {
  "redlock": "redis",
  "@sesamecare-oss/redlock": "redis",
  "redis-semaphore": "redis",
  "redlock-universal": "redis",
  "@verrou/core": "redis",
  "proper-lockfile": "file",
  "dynamodb-lock-client": "dynamo",
  "async-mutex": "none",
};

/** What is installed for the other libraries. */
export const PEER_PACKAGES: readonly string[] = [
  "redlock@5.0.0-beta.2",
  "@sesamecare-oss/redlock@1.4.0",
  "redis-semaphore@5.8.0",
  "redlock-universal@0.8.5",
  "@verrou/core@0.5.2",
  "proper-lockfile@4.1.2",
  "dynamodb-lock-client@0.7.3",
  "async-mutex@0.5.0",
  // What they connect with.
  "ioredis@5.11.1",
  "redis@6.3.1",
  "aws-sdk@2.1693.0",
];

/**
 * Tells where a contender's locks are kept.
 *
 * @param name One of our locks, a peer or a driver.
 * @returns Where.
 */
export function backendOf(name: string): Backend {
  for (const names of [OURS, LIMITS]) {
    for (const [backend, known] of Object.entries(names)) {
      if (known === name) return backend as Backend;
    }
  }
  for (const [backend, names] of Object.entries(REFERENCES)) {
    if (names.includes(name)) return backend as Backend;
  }
  return PEERS[name] ?? "none";
}

/**
 * Lists the other libraries for a backend.
 *
 * @param backend Where locks are kept.
 * @returns Their names.
 */
export function peersOf(backend: Backend): string[] {
  return Object.keys(PEERS).filter((name) => PEERS[name] === backend);
}
