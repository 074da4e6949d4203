import type { HeldLock } from "../backends/core/held_lock.ts";
import type { Lock } from "../backends/core/lock.ts";
import { EXIT_CODES } from "./exit_codes.ts";
import { Failure } from "./failure.ts";
import type { BackendOptions } from "./options.ts";

/**
 * Makes the lock that the options mean. Only its own kind is loaded.
 *
 * @param name The lock's name.
 * @param options Where it is kept.
 * @param ttlMs The time to live of a lease; undefined for the default.
 * @returns The lock.
 * @throws {Failure} If the options contradict each other, or a value is no
 * good.
 */
export async function openLock(
  name: string,
  options: BackendOptions,
  ttlMs?: number,
): Promise<Lock> {
  try {
    return await makeLock(name, options, ttlMs);
  } catch (error) {
    // How the library refuses an argument.
    const { name, message } = error as Error;
    if (name !== "TypeError" && name !== "RangeError") throw error;
    throw usage(message);
  }
}

async function makeLock(
  name: string,
  options: BackendOptions,
  ttlMs: number | undefined,
): Promise<Lock> {
  const terms = ttlMs === undefined ? {} : { ttlMs };
  switch (kindOf(options)) {
    case "file": {
      const { FileLock } = await import("../backends/file.ts");
      const { file: directory } = options;
      return new FileLock(name, directory ? { directory } : {});
    }
    case "redis": {
      const { RedisLock } = await import("../backends/redis.ts");
      const hosts = hostsOf(options);
      return new RedisLock(name, { ...terms, ...hosts && { hosts } });
    }
    case "dynamo": {
      const { DynamoLock } = await import("../backends/dynamo.ts");
      const table = options.dynamo ?? "";
      return new DynamoLock(name, { ...terms, table, ...placeOf(options) });
    }
    default: {
      const { SocketLock } = await import("../backends/socket.ts");
      return new SocketLock(name);
    }
  }
}

/**
 * Finds all locks that are held where the options mean.
 *
 * @param options Where they are kept.
 * @returns The locks, in no order.
 * @throws {Failure} If the options contradict each other, or nobody can tell.
 */
export async function listLocks(options: BackendOptions): Promise<HeldLock[]> {
  const kind = kindOf(options);
  // Bad arguments are told in the same way everywhere.
  await openLock("list", options);
  try {
    return await listOf(kind, options);
  } catch (error) {
    const { message } = error as Error;
    throw new Failure(EXIT_CODES.backend, `Cannot list locks: ${message}`);
  }
}

async function listOf(
  kind: Kind,
  options: BackendOptions,
): Promise<HeldLock[]> {
  switch (kind) {
    case "file": {
      const { listFiles } = await import("../backends/host/list_files.ts");
      return listFiles(options.file || undefined);
    }
    case "redis": {
      const { listKeys } = await import("../backends/redis/list_keys.ts");
      return await listKeys(hostsOf(options));
    }
    case "dynamo": {
      const { listItems } = await import("../backends/dynamo/list_items.ts");
      return await listItems(options.dynamo ?? "", placeOf(options));
    }
    default: {
      const { listSockets } = await import("../backends/host/list_sockets.ts");
      return await listSockets();
    }
  }
}

const KINDS = ["socket", "file", "redis", "dynamo"] as const;

/** Where a lock is kept. */
export type Kind = typeof KINDS[number];

/**
 * Which kind of lock the options mean.
 *
 * @param options The options.
 * @returns The kind.
 * @throws {Failure} If they name several, or what belongs to another.
 */
export function kindOf(options: BackendOptions): Kind {
  const named = KINDS.filter((kind) => options[kind] !== undefined);
  if (named.length > 1) {
    const list = named.map((kind) => `--${kind}`).join(" and ");
    throw usage(`${list}: a lock is kept in one place`);
  }
  const kind = named[0] ?? "socket";
  for (const option of ["region", "endpoint"] as const) {
    if (options[option] === undefined || kind === "dynamo") continue;
    throw usage(`--${option} belongs to --dynamo`);
  }
  return kind;
}

function usage(message: string): Failure {
  return new Failure(EXIT_CODES.usage, message);
}

// The environment can keep a password to itself, other than a command line.
function hostsOf({ redis }: BackendOptions): string[] | undefined {
  return redis ? redis.split(",") : undefined;
}

function placeOf(
  { region, endpoint }: BackendOptions,
): { region?: string; endpoint?: string } {
  return {
    ...region !== undefined && { region },
    ...endpoint !== undefined && { endpoint },
  };
}
