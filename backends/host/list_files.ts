import { commandLine } from "../../runtime/command_line/mod.ts";
import { runtime } from "../../runtime/mod.ts";
import type { HeldLock } from "../core/held_lock.ts";
import { decodeName } from "../core/names.ts";
import { fileKey, holderOf, readLockers } from "./file_holder.ts";

/**
 * The FileLocks of a directory that are held now, by the kernel's list of file
 * locks: no file is opened, so nobody is disturbed.
 *
 * @param directory The directory; by default that of FileLock.
 * @returns The locks.
 * @throws {Error} If the directory or that list cannot be read.
 */
export function listFiles(
  directory: string = runtime.files.defaultDirectory(),
): HeldLock[] {
  const lockers = readLockers();
  if (lockers === null) throw new Error("/proc/locks cannot be read");
  return commandLine.files.names(directory).flatMap((fileName) => {
    const name = nameOf(fileName);
    const path = runtime.files.resolve(directory, fileName);
    const inode = name === null ? null : runtime.files.inode(path);
    const pid = inode === null ? undefined : lockers.get(fileKey(inode));
    if (name === null || pid === undefined) return [];
    return [{ name, holder: holderOf(path, pid) }];
  });
}

// No other lock than that of this name has this file, see `lockFileName`.
function nameOf(fileName: string): string | null {
  if (/^#[0-9a-f]{64}$/.test(fileName)) return fileName;
  if (fileName === "%2E") return ".";
  if (fileName === "%2E%2E") return "..";
  return decodeName(fileName.replaceAll("%2F", "/"));
}
