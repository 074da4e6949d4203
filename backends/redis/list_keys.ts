import { reasonOf } from "../../runtime/fault.ts";
import type { HeldLock } from "../core/held_lock.ts";
import type { Holder } from "../core/holder.ts";
import { parseHosts } from "./hosts.ts";
import { majorityOf } from "./quorum_grant.ts";
import { SCAN } from "./scripts.ts";
import { callOptions, type RedisServer, serverFor } from "./server.ts";
import { serverAt } from "./server_ref.ts";
import { ownerOf, readHolder } from "./shared_lock.ts";

/** What a server has of a lock. */
interface Vote {
  readonly name: string;
  readonly owner: string;
  readonly holder: Holder;
}

// How long the server may be silent: a page of a scan takes milliseconds.
const PATIENCE_MS = 5000;

/**
 * The RedisLocks that are held now, by a scan of the keys of each server: those
 * that the same owner is seen to hold on a majority of them.
 *
 * @param hosts The servers, as RedisLock takes them.
 * @param keyPrefix What the locks' keys begin with.
 * @returns The locks.
 * @throws {Error} If no majority of the servers answers.
 */
export async function listKeys(
  hosts: string | readonly string[] | undefined,
  keyPrefix = "locking:",
): Promise<HeldLock[]> {
  const servers = parseHosts(hosts).map((host) =>
    serverFor(serverAt(host, undefined))
  );
  const majority = majorityOf(servers.length);
  const scans = await Promise.allSettled(
    servers.map((server) => scan(server, keyPrefix)),
  );
  const faults = scans.flatMap((scan) =>
    scan.status === "rejected" ? [reasonOf(scan.reason)] : []
  );
  if (servers.length - faults.length < majority) {
    throw new Error(faults.join("; "));
  }
  const votes = scans.flatMap((scan) =>
    scan.status === "fulfilled" ? [...scan.value.values()] : []
  );
  return elect(votes, majority);
}

function elect(votes: readonly Vote[], majority: number): HeldLock[] {
  const counts = new Map<string, number>();
  return votes.flatMap(({ name, owner, holder }) => {
    const key = JSON.stringify([name, owner]);
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    return count === majority ? [{ name, holder }] : [];
  });
}

// A scan may show a key twice.
async function scan(
  server: RedisServer,
  keyPrefix: string,
): Promise<Map<string, Vote>> {
  const found = new Map<string, Vote>();
  const start = `${keyPrefix}{`;
  const pattern = `${escapeGlob(start)}*}`;
  let cursor = "0";
  do {
    const call = { script: SCAN, keys: [], args: [cursor, pattern] };
    const answer = await server.link.call(call, callOptions(PATIENCE_MS));
    const [next, ...rest] = answer.values.map(String);
    for (let i = 0; i + 2 < rest.length; i += 3) {
      const name = rest[i]!.slice(start.length, -1);
      const text = rest[i + 1]!;
      const holder = readHolder(text, Number(rest[i + 2]));
      found.set(name, { name, owner: ownerOf(text), holder });
    }
    cursor = next ?? "0";
  } while (cursor !== "0");
  return found;
}

function escapeGlob(text: string): string {
  return text.replace(/[\\*?[\]^]/g, "\\$&");
}
