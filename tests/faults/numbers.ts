import type { Findings, Rule } from "./findings.ts";
import type { WriteEvent } from "./history.ts";
import type { Model } from "./model.ts";
import { describeExit } from "./rules/exits.ts";
import { isLost } from "./rules/stores.ts";

/** How often something was, by what it was. */
export type Counts = Record<string, number>;

/** What became of the writes to a store. */
export interface StoreNumbers {
  readonly accepted: number;
  /** Those refused because of their tokens. */
  readonly stale: number;
  /** Accepted ones that another's update was lost by. */
  readonly lostUpdates: number;
}

/** What was in a history. */
export interface Numbers {
  readonly durationMs: number;
  /** How much of it no fault suspended progress. */
  readonly calmMs: number;
  readonly events: number;
  readonly attempts: number;
  readonly grants: number;
  readonly grantsByRuntime: Counts;
  /** By code. */
  readonly refusals: Counts;
  /** By code: releases that failed. */
  readonly failedReleases: Counts;
  readonly fencedWrites: StoreNumbers;
  readonly plainWrites: StoreNumbers;
  /** Writes decided about after their worker was killed. */
  readonly lateWrites: number;
  /** Less what is suspended, as is the next. */
  readonly longestWaitMs: number;
  /** The same, faults and pauses not aside. */
  readonly longestWaitInAllMs: number;
  readonly longestIdleMs: number;
  /** Tenures whose loss was told. */
  readonly tenuresLost: number;
  /** Pairs of tenures. */
  readonly excusedOverlaps: number;
  /** Waiters that were overtaken and should not have been. */
  readonly misorders: number;
  readonly faults: Counts;
  /** By `killed`, a signal or a code. */
  readonly exits: Counts;
  /** By rule; also those that a verdict does not list. */
  readonly violations: Partial<Record<Rule, number>>;
}

/** Counts what is in a history. */
export function countAll(model: Model, findings: Findings): Numbers {
  const names = [...model.names.values()];
  const attempts = names.flatMap((named) => named.attempts);
  const tenures = names.flatMap((named) => named.tenures);
  const writes = names.flatMap((named) => named.writes);
  const {
    lateWrites,
    longestWaitMs,
    longestWaitInAllMs,
    longestIdleMs,
    excusedOverlaps,
    misorders,
  } = findings;
  const durationMs = model.whole.until - model.whole.from;
  return {
    durationMs,
    calmMs: durationMs - model.suspended("progress").lengthWithin(model.whole),
    events: model.events.length,
    attempts: attempts.length,
    grants: tenures.length,
    grantsByRuntime: count(
      tenures,
      ({ attempt }) => attempt.worker.starts[0]?.runtime,
    ),
    refusals: count(attempts, ({ refuse }) => refuse?.code),
    failedReleases: count(attempts, ({ released }) => released?.code),
    fencedWrites: countWrites(writes.filter((w) => w.store === "fenced")),
    plainWrites: countWrites(writes.filter((w) => w.store === "plain")),
    lateWrites,
    longestWaitMs,
    longestWaitInAllMs,
    longestIdleMs,
    tenuresLost: tenures.filter(({ attempt }) => attempt.lost).length,
    excusedOverlaps,
    misorders,
    faults: count(model.faults, ({ begin }) => begin.kind),
    exits: count(
      [...model.workers.values()].flatMap(({ exits }) => exits),
      (exit) => exit.killedAt === undefined ? describeExit(exit) : "killed",
    ),
    violations: findings.counts,
  };
}

function count<T>(
  items: readonly T[],
  by: (item: T) => string | undefined,
): Counts {
  const counts: Counts = {};
  for (const item of items) {
    const key = by(item);
    if (key !== undefined) counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

function countWrites(writes: readonly WriteEvent[]): StoreNumbers {
  return {
    accepted: writes.filter(({ accepted }) => accepted).length,
    stale: writes.filter(({ accepted }) => !accepted).length,
    lostUpdates: writes.filter(isLost).length,
  };
}
