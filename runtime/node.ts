import { openChannel } from "./channels.ts";
import { clock } from "./clock.ts";
import { RuntimeFault } from "./fault.ts";
import { createIdentity, digest } from "./identity.ts";
import { type Flock, PosixLockFiles } from "./posix_files.ts";
import { NodeSockets } from "./node_sockets.ts";
import { builtin, environment, processLike } from "./process.ts";
import { createTimers } from "./timers.ts";
import type { Runtime } from "./types.ts";

/**
 * The adapter to Node: `node:net`, `node:fs`, and flock(2) through koffi.
 *
 * @returns The adapter.
 */
export function createNodeRuntime(): Runtime {
  return {
    name: "node",
    identity: createIdentity(processLike()?.pid ?? 0, hostname),
    clock,
    timers: createTimers(clock, setImmediate),
    sockets: new NodeSockets(),
    files: new PosixLockFiles(loadFlock),
    digest,
    environment,
    openChannel,
  };
}

function hostname(): string {
  return builtin<typeof import("node:os")>("node:os").hostname();
}

/** The part of koffi that is used here. */
interface Koffi {
  load(
    library: null,
  ): { func(signature: string): (...args: number[]) => number };
  errno(): number;
}

function loadFlock(): Flock {
  const koffi = loadKoffi();
  const flock = findFlock(koffi);
  return (fd, operation) => flock(fd, operation) === 0 ? 0 : koffi.errno();
}

function findFlock(koffi: Koffi): (...args: number[]) => number {
  try {
    return koffi.load(null).func("int flock(int fd, int operation)");
  } catch (error) {
    throw new RuntimeFault(
      "unsupported",
      "flock(2) cannot be reached on this platform through koffi",
      error,
    );
  }
}

function loadKoffi(): Koffi {
  const { createRequire } = builtin<typeof import("node:module")>(
    "node:module",
  );
  try {
    return createRequire(import.meta.url)("koffi") as Koffi;
  } catch (error) {
    throw new RuntimeFault(
      "unsupported",
      "Node reaches flock(2) through the package koffi, which cannot be " +
        "loaded: run `npm install koffi`",
      error,
    );
  }
}
