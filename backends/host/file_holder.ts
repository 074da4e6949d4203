import { runtime } from "../../runtime/mod.ts";
import type { Inode } from "../../runtime/types.ts";
import type { Holder } from "../core/holder.ts";
import type { FileGate } from "./file_gate.ts";
import { nextTurn } from "./turns.ts";
import { isDuration, isPid, parseObject } from "../core/untrusted.ts";

/**
 * Tells who holds a lock file: what the holder wrote into it, if it is indeed
 * held, or what the kernel knows of a holder that writes nothing.
 *
 * @param gate The lock file.
 * @returns The holder, one without a process id if it cannot be told, or null.
 */
export async function findFileHolder(gate: FileGate): Promise<Holder | null> {
  // A holder signs the file in the first turn of its hold; it may be us.
  await nextTurn();
  const inode = runtime.files.inode(gate.path);
  if (inode === null) return null;
  const lockerPid = readLockers()?.get(fileKey(inode)) ?? null;
  if (lockerPid === null && !isLocked(gate.path)) return null;
  return holderOf(gate.path, lockerPid);
}

/**
 * Who holds a lock file that is held.
 *
 * @param path The file.
 * @param lockerPid Who the kernel says it is; 0 or null where it does not.
 * @returns What the holder wrote into it, or what the kernel knows.
 */
export function holderOf(path: string, lockerPid: number | null): Holder {
  const written = readHolder(path);
  const isCurrent = written !== null &&
    (lockerPid === null || lockerPid === 0 || lockerPid === written.pid);
  if (isCurrent) return written;
  return { host: runtime.identity.host(), pid: lockerPid ?? 0 };
}

function readHolder(path: string): Holder | null {
  const text = runtime.files.read(path) ?? "";
  const { host, pid, acquiredAt } = parseObject(text);
  if (typeof host !== "string" || !isPid(pid)) return null;
  if (!isDuration(acquiredAt)) return null;
  return { host, pid, acquiredAt: new Date(acquiredAt) };
}

/**
 * The kernel's list of the files that flock(2) has given to somebody. Lines such
 * as `1: FLOCK  ADVISORY  WRITE 1234 00:1a:5678 0 EOF`, see proc(5); those of
 * waiters have an arrow, and are no holders'.
 *
 * @returns The process id by {@linkcode fileKey}, 0 where it is in another
 * namespace; null where the list cannot be read.
 */
export function readLockers(): Map<string, number> | null {
  const text = runtime.files.read("/proc/locks");
  if (text === null) return null;
  const lockers = new Map<string, number>();
  for (const line of text.split("\n")) {
    const [, kind, , , pid, where] = line.trim().split(/\s+/);
    if (kind === "FLOCK") lockers.set(where ?? "", Math.max(0, Number(pid)));
  }
  return lockers;
}

/**
 * A file's identity as the kernel writes it in that list.
 *
 * @param inode The file's identity.
 * @returns Such as `00:1a:5678`.
 */
export function fileKey({ device, number }: Inode): string {
  const major = Math.floor(device / 0x100) & 0xfff;
  const minor = (device & 0xff) | (Math.floor(device / 0x1000) & ~0xff);
  const hex = (n: number): string => n.toString(16).padStart(2, "0");
  return `${hex(major)}:${hex(minor)}:${number}`;
}

// What is not in the kernel's list may be held all the same: the list may be
// out of reach, or hide what is in another namespace, or name the file system
// in its own way. Then the lock itself tells. It is held for an instant if it
// was free, and only in this case.
function isLocked(path: string): boolean {
  const file = runtime.files.open(path);
  try {
    return !file.tryLock();
  } finally {
    file.close();
  }
}
