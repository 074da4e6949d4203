/** A wall clock that follows a file, by faketime's library. */
import { faketimeLibrary, noFaketime } from "../_faketime.ts";

const missing = noFaketime();

/**
 * What comes before a command whose wall clock is to follow a file, with
 * `+1h` or the like in it; nothing where that cannot be.
 */
export function clockEnvironment(file: string): string[] {
  if (missing) return [];
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
