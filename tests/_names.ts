/** Names and directories of one run, and the sweeping up after it. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

const RUN = `locking-test-${process.pid}-${
  Math.random().toString(36).slice(2)
}`;
let count = 0;

/** A lock name that no other test, process or run uses. */
export function uniqueName(label = "lock"): string {
  return `${RUN}-${label}-${++count}`;
}

/** A new directory; remove it with {@linkcode removeDirectory}. */
export function makeDirectory(): string {
  return mkdtempSync(join(tmpdir(), "locking-test-"));
}

/** Removes a directory that a test made. */
export function removeDirectory(path: string): void {
  rmSync(path, { recursive: true, force: true });
}

/** Removes this run's lock files from a directory that is not ours alone. */
export function removeLockFiles(directory: string): void {
  for (const file of readdirSync(directory)) {
    if (file.startsWith(RUN)) rmSync(join(directory, file), { force: true });
  }
}
