/** What this machine has, for what a test needs. */
import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { hostname, platform, tmpdir } from "node:os";

/** Why SocketLock cannot run here, or false. */
export function noSockets(): string | false {
  return platform() === "linux" ? false : "abstract sockets are Linux's";
}

/** Why FileLock cannot run here, or false. */
export function noFiles(): string | false {
  return platform() === "win32" ? "Windows has no flock" : false;
}

/**
 * What a holder of this process is to say of its host, as the source of a
 * pattern: a random name where Deno may not tell the real one.
 */
export function hostPattern(): string {
  try {
    return hostname().replaceAll(".", "\\.");
  } catch {
    return "host-[0-9a-f]{32}";
  }
}

/** Where DESIGN's "Stored formats" puts lock files by default. */
export function defaultDirectory(): string {
  const found = statSync("/dev/shm", { throwIfNoEntry: false });
  return found && (found.mode & 0o002) !== 0 ? "/dev/shm" : tmpdir();
}

/** Why a program cannot be run here, or false. */
export function noProgram(command: string, ...args: string[]): string | false {
  const { status } = spawnSync(command, args, { stdio: "ignore" });
  return status === 0 ? false : `${command} is not installed`;
}
