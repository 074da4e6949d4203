import { reasonOf } from "../../runtime/fault.ts";
import { commandLine } from "../../runtime/command_line/mod.ts";
import type { HeldLock } from "../core/held_lock.ts";
import { decodeName } from "../core/names.ts";
import { askHolder } from "./ask_holder.ts";
import { listeningAddresses } from "./listening.ts";

// The doors of locks, and not their lobbies.
const DOOR = /^\0locking(?::|#[0-9a-f]{64}$)/;

// How many holders are asked at once: each is a connection.
const MOST_AT_ONCE = 32;

/**
 * The SocketLocks that are held now in this network namespace, by the kernel's
 * list. Each holder is asked who it is.
 *
 * @returns The locks.
 * @throws {Error} If that list cannot be read.
 */
export async function listSockets(): Promise<HeldLock[]> {
  const text = commandLine.files.text("/proc/net/unix");
  if (text === null) throw new Error("/proc/net/unix cannot be read");
  const doors = listeningAddresses(text).filter((at) => DOOR.test(at));
  const addresses = [...new Set(doors)];
  const found: HeldLock[] = [];
  for (let i = 0; i < addresses.length; i += MOST_AT_ONCE) {
    const some = addresses.slice(i, i + MOST_AT_ONCE);
    found.push(...(await Promise.all(some.map(look))).flat());
  }
  return found;
}

async function look(address: string): Promise<HeldLock[]> {
  const name = nameOf(address);
  if (name === null) return [];
  try {
    const holder = await askHolder([address]);
    return holder === null ? [] : [{ name, holder }];
  } catch (error) {
    throw new Error(`Cannot ask who holds "${name}": ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

function nameOf(address: string): string | null {
  const kept = address.slice("\0locking".length);
  return kept.startsWith("#") ? kept : decodeName(kept.slice(1));
}
