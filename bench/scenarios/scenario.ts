/**
 * What scenarios are made of.
 *
 * @module
 */
import type { RuntimeCommand } from "../../scripts/runtimes.ts";
import type { Result } from "../harness/result.ts";
import type { Curve } from "../harness/plot.ts";
import type { Program } from "../harness/program.ts";
import type { Site } from "../harness/site.ts";
import { type Spread, spreadOf } from "../harness/statistics.ts";

/** How much is measured. */
export interface Effort {
  /** How many rounds of pairs. */
  readonly rounds: number;
  /** How long each measurement of a round takes, in milliseconds. */
  readonly roundMs: number;
  /** How long a measurement takes that is made once. */
  readonly longMs: number;
}

/** Enough for ratios to be within a few hundredths. */
export const FULL: Effort = { rounds: 15, roundMs: 200, longMs: 4000 };

/** Enough to see that everything works. */
export const QUICK: Effort = { rounds: 3, roundMs: 20, longMs: 300 };

/** Where and how a scenario is measured. */
export interface Setting {
  readonly site: Site;
  readonly runtime: RuntimeCommand;
  readonly effort: Effort;
}

/**
 * For how long to run what is then measured: code that has run for as long is
 * compiled as well.
 *
 * @param setting Where and how it is measured.
 * @returns The milliseconds.
 */
export function warmUpMs({ effort }: Setting): number {
  return 10 * effort.roundMs;
}

/** What a scenario found. */
export interface Findings {
  readonly results: readonly Result[];
  readonly curves?: readonly Curve[];
}

/** A question, and how it is answered. */
export interface Scenario {
  /** What `--only` picks it by. */
  readonly name: string;
  /**
   * Measures it on one runtime.
   *
   * @param setting Where and how.
   * @returns What was found.
   */
  run(setting: Setting): Promise<Findings>;
}

/** Ours and another, measured in turns. */
export interface Pair {
  readonly ours: Spread;
  readonly other: Spread;
  /** Of ours by the other, round by round. */
  readonly ratio: Spread;
}

/**
 * Measures ours and others in turns, so that all meet the same machine.
 *
 * @param ours Our program.
 * @param others The programs it is compared with.
 * @param rounds How often.
 * @param measure Measures a program once.
 * @returns The pairs, in the order of the others.
 */
export async function comparePairs(
  ours: Program,
  others: readonly Program[],
  rounds: number,
  measure: (program: Program) => Promise<number>,
): Promise<Pair[]> {
  const all = [ours, ...others];
  const values: number[][] = all.map(() => []);
  // What is measured first pays for what the machine does meanwhile: so each
  // begins as often as the others.
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < all.length; i++) {
      const turn = (round + i) % all.length;
      values[turn]!.push(await measure(all[turn]!));
    }
  }
  const own = values[0]!;
  return others.map((_, i) => {
    const theirs = values[i + 1]!;
    return {
      ours: spreadOf(own),
      other: spreadOf(theirs),
      ratio: spreadOf(own.map((value, round) => value / theirs[round]!)),
    };
  });
}

/**
 * Starts programs with the locks of others, and says which do not run.
 *
 * @param setting Where.
 * @param names Their packages.
 * @returns Those that run.
 */
export async function startPeers(
  { site, runtime }: Setting,
  names: readonly string[],
): Promise<Program[]> {
  const programs: Program[] = [];
  for (const name of names) {
    try {
      programs.push(await site.start(runtime, name));
    } catch (error) {
      const why = String((error as Error).message).split("\n")
        .find((line) => /error/i.test(line)) ?? String(error);
      console.log(`${name} does not run on ${runtime.id}: ${why.trim()}`);
    }
  }
  return programs;
}
