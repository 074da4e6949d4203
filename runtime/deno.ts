import { clock } from "./clock.ts";
import { environment } from "./deno_environment.ts";
import { DenoLockFiles } from "./deno_files.ts";
import { DenoSockets } from "./deno_sockets.ts";
import { createIdentity, digest } from "./identity.ts";
import { createTimers } from "./timers.ts";
import type { Runtime } from "./types.ts";

/**
 * The adapter to Deno's own APIs.
 *
 * @returns The adapter.
 */
export function createDenoRuntime(): Runtime {
  return {
    name: "deno",
    identity: createIdentity(Deno.pid, hostname),
    clock,
    timers: createTimers(
      clock,
      (callback) => void setImmediate(callback),
      (handle, alive) => setAlive(handle, alive),
    ),
    sockets: new DenoSockets(),
    files: new DenoLockFiles(),
    digest,
    environment,
  };
}

// Asking for a permission that is not granted would prompt the user for
// something that the library can do without.
function hostname(): string {
  const wanted = { name: "sys", kind: "hostname" } as const;
  if (Deno.permissions.querySync(wanted).state !== "granted") {
    throw new Error("No permission to read the host's name");
  }
  return Deno.hostname();
}

// With the types of browsers and of Node, a handle may be either.
function setAlive(handle: unknown, alive: boolean): void {
  if (alive) Deno.refTimer(Number(handle));
  else Deno.unrefTimer(Number(handle));
}
