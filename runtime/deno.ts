import { openChannel } from "./channels.ts";
import { clock } from "./clock.ts";
import { environment } from "./deno_environment.ts";
import { DenoLockFiles } from "./deno_files.ts";
import { DenoSockets } from "./deno_sockets.ts";
import { createIdentity, digest } from "./identity.ts";
import { createTimers, setRefCounted, type TimerHandle } from "./timers.ts";
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
      setAlive,
    ),
    sockets: new DenoSockets(),
    files: new DenoLockFiles(),
    digest,
    environment,
    openChannel,
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

// Deno's timers are numbers in some releases and objects as Node's in others,
// of which Deno.unrefTimer takes no notice.
function setAlive(handle: TimerHandle, alive: boolean): void {
  if (typeof handle !== "number") setRefCounted(handle, alive);
  else if (alive) Deno.refTimer(handle);
  else Deno.unrefTimer(handle);
}
