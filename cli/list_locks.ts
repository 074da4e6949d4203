import type { HeldLock } from "../backends/core/held_lock.ts";
import { listItems } from "../backends/dynamo/list_items.ts";
import { listFiles } from "../backends/host/list_files.ts";
import { listSockets } from "../backends/host/list_sockets.ts";
import { listKeys } from "../backends/redis/list_keys.ts";
import { EXIT_CODES } from "./exit_codes.ts";
import { Failure } from "./failure.ts";
import { hostsOf, kindOf, openLock, placeOf } from "./open_lock.ts";
import type { BackendOptions } from "./options.ts";

/**
 * Finds all locks that are held where the options mean.
 *
 * @param options Where they are kept.
 * @returns The locks, in no order.
 * @throws {Failure} If the options contradict each other, or nobody can tell.
 */
export async function listLocks(options: BackendOptions): Promise<HeldLock[]> {
  // Bad arguments are told in the same way everywhere.
  openLock("list", options);
  try {
    return await listOf(options);
  } catch (error) {
    const { message } = error as Error;
    throw new Failure(EXIT_CODES.backend, `Cannot list locks: ${message}`);
  }
}

async function listOf(options: BackendOptions): Promise<HeldLock[]> {
  switch (kindOf(options)) {
    case "file":
      return listFiles(options.file || undefined);
    case "redis":
      return await listKeys(hostsOf(options));
    case "dynamo":
      return await listItems(options.dynamo ?? "", placeOf(options));
    default:
      return await listSockets();
  }
}
