/** SocketLock: the kernel's names. */
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import type { Arena, ArenaOptions } from "../arena.ts";
import type { FaultKind } from "../fault.ts";

/** Sets SocketLocks up. */
export function openSocketArena({ names }: ArenaOptions): Promise<Arena> {
  const arena: Arena = {
    promised: {
      kind: "SocketLock",
      lease: false,
      fenced: false,
      fifo: true,
      mostOvertaking: 16,
      newcomerMs: 2,
      // On a busy machine a waiter that is not run for some milliseconds may be
      // passed over.
      mostMisordered: 0.002,
      // Until a waiter's connection stands, with all that others do meanwhile.
      orderSlackMs: 100,
      toldWithinMs: 0,
      longestWaitMs: 3000,
      longestIdleMs: 500,
    },
    ttlMs: 0,
    recoveryMs: 500,
    faults: [strangers(names)],
    locks: () => names.map((name) => ({ kind: "SocketLock", name })),
    wrap: (_slot, command) => command,
    left: () => Promise.resolve(socketsOf(names)),
    end: () => Promise.resolve(),
  };
  return Promise.resolve(arena);
}

/** The sockets whose addresses have one of some texts in them. */
export function socketsOf(parts: readonly string[]): string[] {
  return readFileSync("/proc/net/unix", "utf8").split("\n").filter((line) =>
    parts.some((part) => line.includes(part))
  );
}

const STRANGERS = 50;

/** Others connect to a holder; some say something, most say nothing. */
function strangers(names: readonly string[]): FaultKind {
  return {
    kind: "strangers",
    suspends: [],
    recoveryMs: 0,
    lastsMs: [200, 1000],
    begin: ({ choice }) => {
      const name = names[Math.floor(choice * names.length)]!;
      const sockets = Array.from({ length: STRANGERS }, (_, i) => {
        const socket = connect(`\0locking:${name}`);
        // Nobody holds it, or the holder is gone meanwhile.
        socket.on("error", () => {});
        if (i % 5 === 0) socket.write(Buffer.alloc(64 * i, "\0\xff{\n"));
        return socket;
      });
      return () => sockets.forEach((socket) => socket.destroy());
    },
  };
}
