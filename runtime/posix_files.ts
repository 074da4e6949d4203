import { RuntimeFault, systemCode, toFault } from "./fault.ts";
import { builtin } from "./process.ts";
import { readText } from "./read_text.ts";
import type { Inode, LockFile, LockFiles } from "./types.ts";

type Fs = typeof import("node:fs");

/** Calls flock(2); returns 0, or the error's number. */
export type Flock = (descriptor: number, operation: number) => number;

const LOCK_EX_NB = 2 | 4; // The same numbers on Linux and macOS.

/** Lock files through `node:fs` and a foreign function for flock(2). */
export class PosixLockFiles implements LockFiles {
  readonly #loadFlock: () => Flock;
  #flock: Flock | null = null;

  /** @param loadFlock Loads the foreign function, on first use. */
  constructor(loadFlock: () => Flock) {
    this.#loadFlock = loadFlock;
  }

  // Whether everybody may write there, not whether we may: processes of two
  // users are to agree on one directory.
  defaultDirectory(): string {
    try {
      const found = builtin<Fs>("node:fs").statSync("/dev/shm");
      if (found.isDirectory() && (found.mode & 0o002) !== 0) return "/dev/shm";
    } catch {
      // There is none.
    }
    return builtin<typeof import("node:os")>("node:os").tmpdir();
  }

  resolve(directory: string, fileName: string): string {
    const path = builtin<typeof import("node:path")>("node:path");
    return path.resolve(directory, fileName);
  }

  open(path: string): LockFile {
    const flock = this.#flock ??= this.#loadFlock();
    const fs = builtin<Fs>("node:fs");
    const { O_RDWR, O_CREAT, O_NOFOLLOW } = fs.constants;
    let descriptor: number;
    try {
      // O_NONBLOCK is not needed: opening a FIFO for both directions returns.
      descriptor = fs.openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o666);
    } catch (error) {
      if (systemCode(error) !== "ELOOP") throw toFault(`open "${path}"`, error);
      throw refusal(path, "a symbolic link");
    }
    return new PosixLockFile(path, descriptor, fs, flock);
  }

  // With O_NOFOLLOW, there is nothing to look at first.
  reopen(path: string): LockFile {
    return this.open(path);
  }

  inode(path: string): Inode | null {
    const fs = builtin<Fs>("node:fs");
    try {
      const info = fs.lstatSync(path, { throwIfNoEntry: false });
      return info ? { device: info.dev, number: info.ino } : null;
    } catch (error) {
      throw toFault(`look at "${path}"`, error);
    }
  }

  read(path: string): string | null {
    const fs = builtin<Fs>("node:fs");
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
    let descriptor: number;
    try {
      descriptor = fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    } catch {
      return null;
    }
    try {
      return fs.fstatSync(descriptor).isFile()
        ? readText((buffer) => fs.readSync(descriptor, buffer))
        : null;
    } catch {
      return null;
    } finally {
      fs.closeSync(descriptor);
    }
  }
}

function refusal(path: string, what: string): RuntimeFault {
  return new RuntimeFault("failed", `Cannot open "${path}": it is ${what}`);
}

class PosixLockFile implements LockFile {
  readonly #path: string;
  readonly #descriptor: number;
  readonly #fs: Fs;
  readonly #flock: Flock;
  readonly inode: Inode;

  constructor(path: string, descriptor: number, fs: Fs, flock: Flock) {
    this.#path = path;
    this.#descriptor = descriptor;
    this.#fs = fs;
    this.#flock = flock;
    const info = fs.fstatSync(descriptor);
    this.inode = { device: info.dev, number: info.ino };
    if (info.isFile()) return;
    this.close();
    throw refusal(path, "not a regular file");
  }

  tryLock(): boolean {
    const error = this.#flock(this.#descriptor, LOCK_EX_NB);
    if (error === 0) return true;
    const { errno } = builtin<typeof import("node:os")>("node:os").constants;
    if (error === errno.EWOULDBLOCK) return false;
    const name = Object.entries(errno).find(([, n]) => n === error)?.[0];
    throw new RuntimeFault(
      "failed",
      `Cannot lock "${this.#path}": ${name ?? `error ${error}`}`,
    );
  }

  write(text: string): void {
    try {
      this.#fs.ftruncateSync(this.#descriptor, 0);
      this.#fs.writeSync(this.#descriptor, text, 0);
    } catch (error) {
      throw toFault(`write to "${this.#path}"`, error);
    }
  }

  close(): void {
    this.#fs.closeSync(this.#descriptor);
  }
}
