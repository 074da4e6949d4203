import { environment, refuseDenoDeploy } from "./deno_environment.ts";
import { RuntimeFault, systemCode, toFault } from "./fault.ts";
import { readText } from "./read_text.ts";
import type { Inode, LockFile, LockFiles } from "./types.ts";

const encoder = new TextEncoder();

/** Lock files through `Deno.openSync` and `FsFile.tryLockSync`. */
export class DenoLockFiles implements LockFiles {
  // Whether everybody may write there, not whether we may: processes of two
  // users are to agree on one directory. Where Deno may not look into it, it is
  // still the one that others use: an error later beats two directories for one
  // lock.
  defaultDirectory(): string {
    try {
      const { isDirectory, mode } = Deno.statSync("/dev/shm");
      const worldWritable = mode === null || (mode & 0o002) !== 0;
      return isDirectory && worldWritable ? "/dev/shm" : temporaryDirectory();
    } catch (error) {
      const denied = error instanceof Deno.errors.NotCapable;
      return denied && Deno.build.os === "linux"
        ? "/dev/shm"
        : temporaryDirectory();
    }
  }

  resolve(directory: string, fileName: string): string {
    const isAbsolute = /^([A-Za-z]:)?[\\/]/.test(directory);
    const base = isAbsolute ? directory : `${Deno.cwd()}/${directory}`;
    return `${base.replace(/[\\/]+$/, "")}/${fileName}`;
  }

  open(path: string): LockFile {
    checkSupport();
    try {
      refuseOthers(path);
      const options = { read: true, write: true, create: true, mode: 0o666 };
      return new DenoLockFile(path, Deno.openSync(path, options));
    } catch (error) {
      throw toFault(`open "${path}"`, error);
    }
  }

  reopen(path: string): LockFile | null {
    try {
      const file = Deno.openSync(path, { read: true, write: true });
      return new DenoLockFile(path, file);
    } catch {
      return null;
    }
  }

  inode(path: string): Inode | null {
    refuseDenoDeploy();
    try {
      return toInode(Deno.lstatSync(path));
    } catch (error) {
      if (systemCode(error) === "ENOENT") return null;
      throw toFault(`look at "${path}"`, error);
    }
  }

  read(path: string): string | null {
    try {
      // Nobody is to be asked for the permission to look.
      const descriptor = { name: "read", path } as const;
      const { state } = Deno.permissions.querySync(descriptor);
      if (state !== "granted") return null;
      // Looked at first: to open a FIFO would be to wait for its writer.
      if (!Deno.lstatSync(path).isFile) return null;
      const file = Deno.openSync(path, { read: true });
      try {
        return readText((buffer) => file.readSync(buffer) ?? 0);
      } finally {
        file.close();
      }
    } catch {
      return null;
    }
  }
}

// Deno opens without O_NOFOLLOW: look first. A link put there in between is
// found when the inodes are compared after locking.
function refuseOthers(path: string): void {
  let info: Deno.FileInfo;
  try {
    info = Deno.lstatSync(path);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return;
    throw error;
  }
  if (info.isFile) return;
  const what = info.isSymlink ? "a symbolic link" : "not a regular file";
  throw new RuntimeFault("failed", `Cannot open "${path}": it is ${what}`);
}

function temporaryDirectory(): string {
  return environment("TMPDIR") ?? environment("TMP") ?? environment("TEMP") ??
    "/tmp";
}

function checkSupport(): void {
  refuseDenoDeploy();
  const prototype = Deno.FsFile?.prototype;
  if (typeof prototype?.tryLockSync === "function") return;
  throw new RuntimeFault(
    "unsupported",
    "this Deno has no FsFile.tryLockSync: it came with Deno 2.7",
  );
}

function toInode(info: Deno.FileInfo): Inode {
  return { device: info.dev, number: info.ino ?? 0 };
}

class DenoLockFile implements LockFile {
  readonly #path: string;
  readonly #file: Deno.FsFile;
  readonly inode: Inode;

  constructor(path: string, file: Deno.FsFile) {
    this.#path = path;
    this.#file = file;
    this.inode = toInode(file.statSync());
  }

  tryLock(): boolean {
    try {
      return this.#file.tryLockSync(true);
    } catch (error) {
      throw toFault(`lock "${this.#path}"`, error);
    }
  }

  write(text: string): void {
    try {
      this.#file.truncateSync(0);
      this.#file.seekSync(0, Deno.SeekMode.Start);
      this.#file.writeSync(encoder.encode(text));
    } catch (error) {
      throw toFault(`write to "${this.#path}"`, error);
    }
  }

  close(): void {
    this.#file.close();
  }
}
