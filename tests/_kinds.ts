/** The kinds of lock that processes of one host share. */
import { after } from "node:test";
import { FileLock, type Lock, SocketLock } from "../mod.ts";
import { makeDirectory, removeDirectory, uniqueName } from "./_names.ts";
import { noFiles, noSockets } from "./_platform.ts";
import type { LockSpec } from "./fixtures/protocol.ts";

/** A kind of lock. */
export interface Kind {
  /** The lock's class. */
  kind: LockSpec["kind"];
  /** Why it cannot run here, or false. */
  missing: string | false;
  /** Whether processes are served in the order in which they came. */
  fifo: boolean;
  /** A lock that nobody else uses. */
  fresh(): LockSpec;
  /** That lock in this process. */
  create(spec: LockSpec): Lock;
}

/**
 * The kinds, with a directory for the files of this test file; call it once,
 * at the top of one.
 */
export function hostKinds(): Kind[] {
  const directory = makeDirectory();
  after(() => removeDirectory(directory));
  return [
    {
      kind: "SocketLock",
      missing: noSockets(),
      fifo: true,
      fresh: () => ({ kind: "SocketLock", name: uniqueName() }),
      create: ({ name }) => new SocketLock(name),
    },
    {
      kind: "FileLock",
      missing: noFiles(),
      fifo: false,
      fresh: () => ({ kind: "FileLock", name: uniqueName(), directory }),
      create: ({ name }) => new FileLock(name, { directory }),
    },
  ];
}

/** The arguments by which a fixture is told which lock. */
export function lockArguments(spec: LockSpec): string[] {
  return [spec.kind, spec.name, ...(spec.directory ? [spec.directory] : [])];
}
