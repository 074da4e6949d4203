import {
  DynamoLock,
  FileLock,
  type Lock,
  RedisLock,
  SocketLock,
} from "../mod.ts";
import { runtime } from "../runtime/mod.ts";
import { EXIT_CODES } from "./exit_codes.ts";
import { Failure } from "./failure.ts";
import type { BackendOptions } from "./options.ts";

/**
 * Makes the lock that the options mean.
 *
 * @param name The lock's name.
 * @param options Where it is kept.
 * @param ttlMs The time to live of a lease; undefined for the default.
 * @returns The lock.
 * @throws {Failure} If the options contradict each other, or a value is no
 * good.
 */
export function openLock(
  name: string,
  options: BackendOptions,
  ttlMs?: number,
): Lock {
  try {
    return makeLock(name, options, ttlMs);
  } catch (error) {
    // How the library refuses an argument.
    const { name, message } = error as Error;
    if (name !== "TypeError" && name !== "RangeError") throw error;
    throw usage(message);
  }
}

function makeLock(
  name: string,
  options: BackendOptions,
  ttlMs: number | undefined,
): Lock {
  const terms = ttlMs === undefined ? {} : { ttlMs };
  switch (kindOf(options)) {
    case "file": {
      const { file: directory } = options;
      return new FileLock(name, directory ? { directory } : {});
    }
    case "redis": {
      const hosts = hostsOf(options);
      return new RedisLock(name, { ...terms, ...hosts && { hosts } });
    }
    case "dynamo": {
      const table = options.dynamo ?? "";
      return new DynamoLock(name, { ...terms, table, ...placeOf(options) });
    }
    default:
      return new SocketLock(name);
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

/**
 * The Redis servers that the options name.
 *
 * @param options The options.
 * @returns The servers; undefined for those of the environment, which can keep
 * a password to itself, other than a command line.
 */
export function hostsOf({ redis }: BackendOptions): string[] | undefined {
  if (redis) return redis.split(",");
  if (runtime.environment("REDIS_URL")) return undefined;
  if (runtime.environment("REDIS_HOST")) return undefined;
  throw usage("--redis= names no server, and REDIS_URL is not set");
}

/**
 * Where the table is that the options name.
 *
 * @param options The options.
 * @returns What is known of it.
 */
export function placeOf(
  { region, endpoint }: BackendOptions,
): { region?: string; endpoint?: string } {
  return {
    ...region !== undefined && { region },
    ...endpoint !== undefined && { endpoint },
  };
}
