/**
 * SocketLock: mutual exclusion between the processes of one host by an abstract
 * unix socket, which the kernel lets one process bind.
 *
 * @example Take another job when this one is taken
 * ```ts
 * import { SocketLock } from "@x/locking/socket";
 *
 * for (const job of ["a", "b", "c"]) {
 *   const lease = await new SocketLock(`socket-example/${job}`).tryAcquire();
 *   if (lease === null) continue;
 *   console.log(`job ${job} is ours`);
 *   await lease.release();
 * }
 * ```
 *
 * @module
 */
import { runtime } from "../runtime/mod.ts";
import type { Listener, MaybePromise } from "../runtime/types.ts";
import { callerLocation } from "./core/caller.ts";
import { Lock } from "./core/lock.ts";
import { checkName, encodeName, utf8 } from "./core/names.ts";
import { checkOptions } from "./core/options.ts";
import { askHolder } from "./host/ask_holder.ts";
import type { Admit, Gate, Hold } from "./host/gate.ts";
import { HostBackend } from "./host/host_backend.ts";
import { RUNG_MS } from "./host/periods.ts";

/** Options of a {@linkcode SocketLock}: none so far. */
export type SocketLockOptions = Record<never, never>;

/**
 * A lock between the processes of one host and network namespace, on Linux. It
 * is held as long as an abstract unix socket is bound, so it is free the moment
 * its holder dies. `ss -xl` shows who holds what.
 *
 * @example Hold a lock as long as a block
 * ```ts
 * import { SocketLock } from "@x/locking/socket";
 *
 * await using lease = await new SocketLock("uniquename").acquire();
 * lease.assertHeld();
 * ```
 */
export class SocketLock extends Lock {
  /**
   * Names the lock; nothing is bound yet.
   *
   * @param name The lock's name; by default the caller's `file:line`.
   * @param options None so far.
   * @throws {TypeError} If the name is empty or not a string, or an option is
   * given.
   */
  constructor(name?: string, options: SocketLockOptions = {}) {
    name = name === undefined ? callerLocation(new.target) : name;
    checkName(name);
    checkOptions("SocketLock", options, []);
    const gate = new SocketGate(socketAddress(name));
    const findHolder = () => askHolder([gate.door, gate.lobby]);
    super(name, new HostBackend(name, gate, findHolder));
  }
}

/** The longest address, in bytes, that still shows the name. */
const LONGEST_ADDRESS = 100;

/**
 * The address of a lock's socket, its leading NUL included. Two names never
 * have one address.
 *
 * @param name The lock's name.
 * @returns `\0locking:` and the encoded name, or, when that is too long,
 * `\0locking#` and the name's SHA-256 in hexadecimal.
 */
export function socketAddress(name: string): string {
  const address = `\0locking:${encodeName(name)}`;
  if (address.length <= LONGEST_ADDRESS) return address;
  return `\0locking#${runtime.digest("sha256", utf8(name))}`;
}

class SocketGate implements Gate {
  readonly key: string;
  readonly door: string;
  readonly lobby: string;
  readonly pollMs = { deaf: Infinity, answered: RUNG_MS };
  readonly advice = {
    unsupported: "SocketLock needs Linux with Deno, Bun or Node 22 or later: " +
      "use FileLock here",
    denied: "run with --allow-net",
  };

  constructor(address: string) {
    this.key = `socket:${address}`;
    this.door = address;
    this.lobby = address.replace(/^\0locking/, "$&!");
  }

  tryHold(admit: Admit): MaybePromise<Hold | null> {
    const listener = runtime.sockets.listen(this.door, admit);
    return listener instanceof Promise
      ? listener.then(toHold)
      : toHold(listener);
  }
}

function toHold(listener: Listener | null): Hold | null {
  if (listener === null) return null;
  return { open: () => listener.open(), release: () => listener.close() };
}
