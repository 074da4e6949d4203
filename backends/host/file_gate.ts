import { RuntimeFault } from "../../runtime/fault.ts";
import { runtime } from "../../runtime/mod.ts";
import type { Inode, LockFile } from "../../runtime/types.ts";
import type { FaultAdvice } from "./fault_error.ts";
import type { Gate, Hold } from "./gate.ts";
import { POLL_MS, SLOW_POLL_MS } from "./periods.ts";

// How often the file may have been replaced between our opening and locking it
// before that is no coincidence.
const MOST_REPLACEMENTS = 100;

/** A file that flock(2) gives to one process. */
export class FileGate implements Gate {
  readonly #fileName: string;
  readonly #directory: string | undefined;
  #path: string | null = null;
  #inode: Inode | null = null;

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
      unsupported: runtime.sockets.available()
        ? "use SocketLock here"
        : "use RedisLock or DynamoLock here",
      denied: "give this process access to that directory, or all of them " +
        "another `directory` (Deno: --allow-read and --allow-write for it, " +
        "but --allow-all for /dev/shm; Linux: a file that another user made " +
        "in a sticky directory is out of reach, see fs.protected_regular)",
    };
  }

  /** None: a file has no address. */
  get door(): null {
    return null;
  }

  /** The address at which the holder of the file last tried lets waiters in. */
  get lobby(): string | null {
    return this.#inode && lobbyOf(this.#inode);
  }

  /** Holders that are not ours let nobody in. */
  get pollMs(): { readonly deaf: number; readonly answered: number } {
    const deaf = POLL_MS * (0.75 + Math.random() / 4);
    return { deaf, answered: SLOW_POLL_MS };
  }

  /**
   * Tries once to lock the file that the path names.
   *
   * @returns The hold, or null when another has it.
   */
  tryHold(): Hold | null {
    for (let tries = 0; tries < MOST_REPLACEMENTS; tries++) {
      const file = this.#open(tries === 0 && this.#inode !== null);
      try {
        this.#inode = file.inode;
        const locked = file.tryLock();
        // Unlinked or replaced since it was opened: others lock another file.
        const current = locked && isSame(file.inode, this.path);
        if (current) return new FileHold(this.path, file);
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

  #open(again: boolean): LockFile {
    const { files } = runtime;
    return again && files.reopen(this.path) || files.open(this.path);
  }
}

// By the file and not by its path, which may go through links.
function lobbyOf(inode: Inode): string | null {
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
  #signed = false;

  constructor(path: string, file: LockFile) {
    this.#path = path;
    this.#file = file;
  }

  // Who holds the lock is a courtesy: a full disk takes no lock away.
  open(): void {
    if (this.#signed) return;
    this.#signed = true;
    const { identity, clock } = runtime;
    this.#write(JSON.stringify({
      host: identity.host(),
      pid: identity.pid,
      acquiredAt: clock.wall(),
    }));
  }

  // Asked by timers, and between two tasks: what is wrong is an answer.
  check(): string | null {
    try {
      if (isSame(this.#file.inode, this.#path)) return null;
      return `somebody unlinked or replaced "${this.#path}"`;
    } catch (error) {
      return `whether its file is still there is unknown: ${
        (error as Error).message
      }`;
    }
  }

  release(): void {
    if (this.#signed) this.#write("");
    this.#file.close();
  }

  #write(text: string): void {
    try {
      this.#file.write(text);
    } catch {
      // Then the holder stays unknown.
    }
  }
}
