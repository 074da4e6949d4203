import { RuntimeFault } from "../../runtime/fault.ts";
import { runtime } from "../../runtime/mod.ts";
import type { Inode, Listener, LockFile } from "../../runtime/types.ts";
import type { FaultAdvice } from "./fault_error.ts";
import type { Admit, Gate, Hold } from "./gate.ts";
import { POLL_MS, SLOW_POLL_MS } from "./periods.ts";

// How often the file may have been replaced between our opening and locking it
// before that is no coincidence.
const MOST_REPLACEMENTS = 100;

/** A file that flock(2) gives to one process. */
export class FileGate implements Gate {
  readonly #fileName: string;
  readonly #directory: string | undefined;
  #path: string | null = null;
  #bell: string | null = null;

  /**
   * @param fileName The lock file's name.
   * @param directory Its directory; undefined for the system's.
   */
  constructor(fileName: string, directory: string | undefined) {
    this.#fileName = fileName;
    this.#directory = directory;
  }

  /** The file's absolute path; found on first use. */
  get path(): string {
    if (this.#path === null) {
      const { files } = runtime;
      const directory = this.#directory ?? files.defaultDirectory();
      this.#path = files.resolve(directory, this.#fileName);
    }
    return this.#path;
  }

  /** The file, for this process's books. */
  get key(): string {
    return `file:${this.path}`;
  }

  /** What helps when the file cannot be used. */
  get advice(): FaultAdvice {
    return {
      unsupported: "use SocketLock here",
      denied: "give this process access to that directory, or all of them " +
        "another `directory` (Deno: --allow-read and --allow-write for it, " +
        "but --allow-all for /dev/shm; Linux: a file that another user made " +
        "in a sticky directory is out of reach, see fs.protected_regular)",
    };
  }

  /** The address at which the holder of the file last tried rings. */
  get bell(): string | null {
    return this.#bell;
  }

  /** Holders that are not ours ring no bell. */
  get pollMs(): { readonly deaf: number; readonly answered: number } {
    const deaf = POLL_MS * (0.75 + Math.random() / 4);
    return { deaf, answered: SLOW_POLL_MS };
  }

  /**
   * Tries once to lock the file that the path names.
   *
   * @param admit Lets waiters in.
   * @returns The hold, or null when another has it.
   */
  tryHold(admit: Admit): Hold | null {
    for (let tries = 0; tries < MOST_REPLACEMENTS; tries++) {
      const file = runtime.files.open(this.path);
      try {
        this.#bell = bellOf(file.inode);
        const locked = file.tryLock();
        // Unlinked or replaced since it was opened: others lock another file.
        const current = locked && isSame(file.inode, this.path);
        if (current) return new FileHold(this.path, file, this.#bell, admit);
        file.close();
        if (!locked) return null;
      } catch (error) {
        file.close();
        throw error;
      }
    }
    throw new RuntimeFault(
      "failed",
      `"${this.path}" is replaced again and again by somebody`,
    );
  }
}

// By the file and not by its path, which may go through links.
function bellOf(inode: Inode): string | null {
  if (!runtime.sockets.available()) return null;
  return `\0locking-file:${inode.device}:${inode.number}`;
}

function isSame(inode: Inode, path: string): boolean {
  const now = runtime.files.inode(path);
  return now?.number === inode.number && now.device === inode.device;
}

class FileHold implements Hold {
  readonly #path: string;
  readonly #file: LockFile;
  readonly #bell: string | null;
  readonly #admit: Admit;
  #listener: Listener | null = null;
  #opened = false;

  constructor(
    path: string,
    file: LockFile,
    bell: string | null,
    admit: Admit,
  ) {
    this.#path = path;
    this.#file = file;
    this.#bell = bell;
    this.#admit = admit;
  }

  open(): void {
    if (this.#opened) return;
    this.#opened = true;
    this.#sign();
    this.#hangBell();
  }

  check(): string | null {
    if (isSame(this.#file.inode, this.#path)) return null;
    return `somebody unlinked or replaced "${this.#path}"`;
  }

  // The lock is free before the bell's end wakes the waiters.
  release(): void | Promise<void> {
    if (this.#opened) this.#write("");
    this.#file.close();
    return this.#listener?.close();
  }

  #sign(): void {
    const { identity, clock } = runtime;
    this.#write(JSON.stringify({
      host: identity.host(),
      pid: identity.pid,
      acquiredAt: clock.wall(),
    }));
  }

  // Who holds the lock is a courtesy: a full disk takes no lock away.
  #write(text: string): void {
    try {
      this.#file.write(text);
    } catch {
      // Then the holder stays unknown.
    }
  }

  // So is the bell: without it the waiters poll.
  #hangBell(): void {
    if (this.#bell === null) return;
    try {
      const listener = runtime.sockets.listen(this.#bell, this.#admit);
      if (listener instanceof Promise) return void listener.catch(() => {});
      this.#listener = listener;
      listener?.open();
    } catch {
      // No descriptor left, or no such socket here.
    }
  }
}
