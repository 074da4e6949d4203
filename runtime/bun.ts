import { BunSockets } from "./bun_sockets.ts";
import { openChannel } from "./channels.ts";
import { clock } from "./clock.ts";
import { RuntimeFault } from "./fault.ts";
import { createIdentity, digest } from "./identity.ts";
import { type Flock, PosixLockFiles } from "./posix_files.ts";
import { builtin, environment, processLike } from "./process.ts";
import { createTimers } from "./timers.ts";
import type { Runtime } from "./types.ts";

/**
 * The adapter to Bun: `Bun.listen`, `Bun.connect`, and flock(2) through
 * `bun:ffi`.
 *
 * @returns The adapter.
 */
export function createBunRuntime(): Runtime {
  return {
    name: "bun",
    identity: createIdentity(processLike()?.pid ?? 0, hostname),
    clock,
    timers: createTimers(clock, setImmediate),
    sockets: new BunSockets(),
    files: new PosixLockFiles(loadFlock),
    digest,
    environment,
    openChannel,
  };
}

function hostname(): string {
  return builtin<typeof import("node:os")>("node:os").hostname();
}

/** The part of `bun:ffi` that is used here. */
interface BunFfi {
  dlopen(library: string, symbols: Record<string, unknown>): {
    symbols: Record<string, (...args: number[]) => number>;
  };
  read: { i32(pointer: number): number };
}

const LIBRARIES: Record<string, string[]> = {
  linux: ["libc.so.6", "libc.so"],
  darwin: ["libSystem.B.dylib"],
};

function loadFlock(): Flock {
  const ffi = builtin<BunFfi>("bun:ffi");
  const isMac = processLike()?.platform === "darwin";
  const errnoName = isMac ? "__error" : "__errno_location";
  const { flock, [errnoName]: errnoLocation } = openLibrary(ffi, {
    flock: { args: ["i32", "i32"], returns: "i32" },
    [errnoName]: { args: [], returns: "ptr" },
  });
  return (fd, operation) =>
    flock!(fd, operation) === 0 ? 0 : ffi.read.i32(errnoLocation!());
}

function openLibrary(
  ffi: BunFfi,
  symbols: Record<string, unknown>,
): Record<string, (...args: number[]) => number> {
  let cause: unknown;
  for (const library of LIBRARIES[processLike()?.platform ?? ""] ?? []) {
    try {
      return ffi.dlopen(library, symbols).symbols;
    } catch (error) {
      cause = error;
    }
  }
  throw new RuntimeFault(
    "unsupported",
    "flock(2) cannot be reached on this platform through bun:ffi",
    cause,
  );
}
