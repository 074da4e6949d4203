import type { Keeper } from "../core/backend.ts";
import { FairKeeper } from "./fair_keeper.ts";
import { QuorumKeeper } from "./quorum_keeper.ts";
import { serverFor } from "./server.ts";
import type { ServerRef } from "./server_ref.ts";
import type { SharedLock } from "./shared_lock.ts";

/**
 * How a lock is taken: from one server fairly, from several by majority.
 *
 * @param lock The lock.
 * @param refs Its servers.
 * @returns What takes it.
 */
export function makeKeeper(
  lock: SharedLock,
  refs: readonly ServerRef[],
): Keeper {
  const servers = refs.map(serverFor);
  const [first] = servers;
  return servers.length === 1
    ? new FairKeeper(lock, first!)
    : new QuorumKeeper(lock, servers);
}
