/** Faults of workers and of their hosts, for every lock. */
import { writeFileSync } from "node:fs";
import { noFaketime } from "../_faketime.ts";
import type { Crew } from "./crew.ts";
import type { FaultKind } from "./fault.ts";

/** What the faults depend on. */
export interface ProcessFaultsOptions {
  /** The workers; they are started later. */
  crew(): Crew;
  readonly slots: number;
  /** A lease's time to live in milliseconds; 0 if it is none. */
  readonly ttlMs: number;
  /** For how long waiters may feel that a holder has died or was stopped. */
  readonly recoveryMs: number;
  /** The slots whose workers have a wall clock of their own. */
  readonly clocked: readonly number[];
  /** The file that such a clock follows. */
  clockFile(slot: number): string;
}

/** The faults. */
export function processFaults(options: ProcessFaultsOptions): FaultKind[] {
  const { crew, slots, ttlMs, recoveryMs } = options;
  const pauseMs = [50, 2.5 * (ttlMs || 500)] as const;
  const common = { suspends: ["order", "progress"], recoveryMs } as const;
  return [
    {
      ...common,
      kind: "kill",
      ofWorker: true,
      lastsMs: [0, 0],
      begin: ({ slot }) => crew().kill([slot]),
    },
    {
      ...common,
      kind: "kill some",
      lastsMs: [0, 0],
      begin: ({ slot }) => {
        const count = Math.ceil(slots / 3);
        const some = Array.from({ length: count }, (_, i) => slot + i);
        return crew().kill(some.map((slot) => slot % slots));
      },
    },
    {
      ...common,
      kind: "stop",
      ofWorker: true,
      lastsMs: pauseMs,
      begin: ({ slot }) => {
        crew().signal(slot, "SIGSTOP");
        return () => crew().signal(slot, "SIGCONT");
      },
    },
    {
      ...common,
      kind: "block",
      ofWorker: true,
      lastsMs: pauseMs,
      begin: ({ slot, lastsMs }) => crew().block(slot, lastsMs),
    },
    {
      // No clock of a host is compared with another's; a step forward ends a
      // holder's trust in its lease, whose time to live then frees the lock.
      suspends: ["progress"],
      recoveryMs,
      kind: "clock",
      ofWorker: true,
      slots: options.clocked,
      lastsMs: [1500, 3000],
      missing: noFaketime() ||
        options.clocked.length === 0 && "faketime and Deno: see host_clock.ts",
      begin: ({ slot, choice }) => {
        const file = options.clockFile(slot);
        writeFileSync(file, choice < 0.5 ? "-1h\n" : "+1h\n");
        return () => writeFileSync(file, "+0\n");
      },
    },
  ];
}
