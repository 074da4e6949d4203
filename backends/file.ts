/**
 * FileLock: mutual exclusion between the processes of one host by flock(2) on a
 * file.
 *
 * @example Wait at most five seconds
 * ```ts
 * import { FileLock } from "@x/locking/file";
 *
 * const lock = new FileLock("file-example", { directory: "/tmp" });
 * const lease = await lock.acquire({ timeoutMs: 5000 });
 * await lease.release();
 * ```
 *
 * @module
 */
import { runtime } from "../runtime/mod.ts";
import { callerLocation } from "./core/caller.ts";
import { Lock } from "./core/lock.ts";
import { checkName, encodeName, percent, utf8 } from "./core/names.ts";
import { checkOptions, show } from "./core/options.ts";
import { FileGate } from "./host/file_gate.ts";
import { findFileHolder } from "./host/file_holder.ts";
import { HostBackend } from "./host/host_backend.ts";

/** Options of a {@linkcode FileLock}. */
export interface FileLockOptions {
  /**
   * Where the lock files are; it must exist. All processes must agree on it.
   *
   * @default {"/dev/shm" if everybody can write there, else the system's
   * temporary directory}
   */
  directory?: string;
}

/**
 * A lock between the processes of one host, by flock(2) on a file that stays
 * behind. It is free the moment its holder dies, and excludes flock(1) and
 * Python's `fcntl.flock` on the same path.
 *
 * @example Run a function while holding a lock
 * ```ts
 * import { FileLock } from "@x/locking/file";
 *
 * const lock = new FileLock("report", { directory: "/tmp" });
 * await lock.withLock((lease) => lease.assertHeld());
 * ```
 */
export class FileLock extends Lock {
  /**
   * Names the lock; nothing is opened yet.
   *
   * @param name The lock's name; by default the caller's `file:line`.
   * @param options Where the lock files are.
   * @throws {TypeError} If the name is empty or not a string, or an option is
   * not what it should be.
   */
  constructor(name?: string, options: FileLockOptions = {}) {
    name = name === undefined ? callerLocation(new.target) : name;
    checkName(name);
    checkOptions("FileLock", options, ["directory"]);
    checkDirectory(options.directory);
    const gate = new FileGate(lockFileName(name), options.directory);
    super(name, new HostBackend(name, gate, () => findFileHolder(gate)));
  }
}

function checkDirectory(directory: unknown): void {
  if (directory === undefined) return;
  if (typeof directory === "string" && directory !== "") return;
  throw new TypeError(
    `FileLock's directory must be a non-empty string, got ${show(directory)}`,
  );
}

/** The longest file name, in bytes, that still shows the lock's name. */
const LONGEST_FILE_NAME = 200;

/**
 * The name of a lock's file in its directory. Two names never share a file.
 *
 * @param name The lock's name.
 * @returns The encoded name, with `/` encoded too, or, when that is too long,
 * `#` and the name's SHA-256 in hexadecimal.
 */
export function lockFileName(name: string): string {
  if (name === "." || name === "..") return percent(utf8(name));
  const fileName = encodeName(name).replaceAll("/", "%2F");
  if (fileName.length <= LONGEST_FILE_NAME) return fileName;
  return `#${runtime.digest("sha256", utf8(name))}`;
}
