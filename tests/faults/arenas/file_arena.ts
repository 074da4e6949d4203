/** FileLock: files in a small file system of their own, where that may be. */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { noProgram } from "../../_platform.ts";
import type { Arena, ArenaOptions } from "../arena.ts";
import type { Drawn, FaultKind } from "../fault.ts";
import { socketsOf } from "./socket_arena.ts";

/** Sets FileLocks up. */
export function openFileArena(options: ArenaOptions): Promise<Arena> {
  const { names } = options;
  const directory = join(options.directory, "files");
  mkdirSync(directory);
  const isSmall = mount(directory);
  const fileOf = ({ choice }: Drawn): string =>
    join(directory, names[Math.floor(choice * names.length)]!);
  const arena: Arena = {
    promised: {
      kind: "FileLock",
      lease: false,
      fenced: false,
      fifo: false,
      mostOvertaking: 0,
      newcomerMs: 0,
      mostMisordered: 0,
      orderSlackMs: 0,
      // Whoever holds looks at its file once a second.
      toldWithinMs: 1500,
      longestWaitMs: 5000,
      longestIdleMs: 500,
    },
    ttlMs: 0,
    recoveryMs: 500,
    faults: [
      ...replacements(fileOf),
      unreadable(fileOf),
      ...fullDisks(directory, isSmall, fileOf),
    ],
    locks: () =>
      names.map((name) => ({ kind: "FileLock", name, options: { directory } })),
    wrap: (_slot, command) => [...DROP_ROOT, ...command],
    left: () => Promise.resolve(leftOf(directory, names)),
    end: () => {
      if (isSmall) spawnSync("umount", ["-l", directory]);
      return Promise.resolve();
    },
  };
  return Promise.resolve(arena);
}

const isRoot = process.getuid?.() === 0;
const canDrop = isRoot && !noProgram("setpriv", "--version");

// Root may read what is unreadable; without these rights it may not.
const DROP_ROOT = canDrop
  ? ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
  : [];

/** Mounts a file system with room for some files; resolves to whether it can. */
function mount(directory: string): boolean {
  const options = ["-t", "tmpfs", "-o", "size=64k,nr_inodes=32", "tmpfs"];
  return isRoot && spawnSync("mount", [...options, directory]).status === 0;
}

/** The file's holder does not know, and others lock a new file. */
const NEW_FILE = {
  suspends: ["exclusion", "order", "progress"],
  recoveryMs: 1500,
  lastsMs: [0, 0],
} as const;

function replacements(fileOf: (drawn: Drawn) => string): FaultKind[] {
  return [
    {
      ...NEW_FILE,
      kind: "unlink",
      begin: (drawn) => rmSync(fileOf(drawn), { force: true }),
    },
    {
      ...NEW_FILE,
      kind: "replace",
      begin: (drawn) => {
        const file = fileOf(drawn);
        const other = `${file}.new`;
        writeFileSync(other, "");
        renameSync(other, file);
      },
    },
  ];
}

function unreadable(fileOf: (drawn: Drawn) => string): FaultKind {
  return {
    kind: "unreadable",
    suspends: ["order", "progress"],
    recoveryMs: 500,
    lastsMs: [100, 1500],
    missing: isRoot && !canDrop ? "root can read all: no setpriv" : false,
    begin: (drawn) => {
      const file = fileOf(drawn);
      const { mode } = statSync(file);
      chmodSync(file, 0);
      return () => chmodSync(file, mode);
    },
  };
}

function fullDisks(
  directory: string,
  isSmall: boolean,
  fileOf: (drawn: Drawn) => string,
): FaultKind[] {
  const missing = !isSmall && "a small file system needs root";
  return [
    {
      kind: "full",
      // Who has a file needs no room.
      suspends: [],
      recoveryMs: 0,
      lastsMs: [200, 1500],
      missing,
      begin: () => fill(directory),
    },
    {
      ...NEW_FILE,
      kind: "unlink, full",
      lastsMs: [200, 1500],
      missing,
      begin: (drawn) => {
        const empty = fill(directory);
        rmSync(fileOf(drawn), { force: true });
        // The room that it had is gone at once, too.
        const emptyAgain = fill(directory);
        return () => {
          emptyAgain();
          empty();
        };
      },
    },
  ];
}

const FILLER = "filler-";

/** Takes all room; what is returned gives it back. */
function fill(directory: string): () => void {
  const files: string[] = [];
  for (const size of [1 << 16, 4096, 1, 0]) {
    for (let full = false; !full;) {
      const file = join(directory, `${FILLER}${process.hrtime.bigint()}`);
      try {
        files.push(file);
        writeFileSync(file, new Uint8Array(size));
      } catch {
        full = true;
      }
    }
  }
  return () => files.forEach((file) => rmSync(file, { force: true }));
}

/** Lock files stay; locks on them, waiters' addresses and others do not. */
function leftOf(directory: string, names: readonly string[]): string[] {
  const found: string[] = [];
  const addresses: string[] = [];
  for (const file of readdirSync(directory)) {
    const path = join(directory, file);
    if (!names.includes(file)) found.push(`the file ${path}`);
    const { dev, ino } = statSync(path);
    addresses.push(`locking-file:${dev}:${ino}`);
    const { status } = spawnSync("flock", ["--nonblock", path, "true"]);
    if (status !== 0) found.push(`a lock on ${path}`);
  }
  return [...found, ...socketsOf(addresses)];
}
