/** A wall clock that follows a file, by faketime's library. */
import { rmSync } from "node:fs";
import { faketimeLibrary, noFaketime } from "../_faketime.ts";
import type { TestRuntime } from "../_runtimes.ts";

const missing = noFaketime();

/**
 * Whether a runtime can have such a clock. Deno's threads may ask for the time
 * once more when faketime's library has been torn down, and then it crashes at
 * its end.
 */
export function canHaveClock({ id }: TestRuntime): boolean {
  return !missing && !id.startsWith("deno");
}

/**
 * What comes before a command whose wall clock is to follow a file, with
 * `+1h` or the like in it.
 */
export function clockEnvironment(file: string): string[] {
  return [
    "env",
    `LD_PRELOAD=${faketimeLibrary()}`,
    `FAKETIME_TIMESTAMP_FILE=${file}`,
    // It looks at the file once a second.
    "FAKETIME_CACHE_DURATION=1",
    "FAKETIME_DONT_FAKE_MONOTONIC=1",
    "DONT_FAKE_MONOTONIC=1",
  ];
}

/**
 * Removes what faketime's library leaves of a process that was killed, lest
 * another one of that process id find it.
 */
export function forgetClock(pid: number): void {
  for (const file of [`faketime_shm_${pid}`, `sem.faketime_sem_${pid}`]) {
    rmSync(`/dev/shm/${file}`, { force: true });
  }
}
