/** Hosts whose wall clocks are wrong, by faketime's library. */
import { spawnSync } from "node:child_process";
import { noProgram } from "./_platform.ts";
import type { TestRuntime } from "./_runtimes.ts";

/** Why clocks cannot be shifted here, or false. */
export function noFaketime(): string | false {
  return noProgram("faketime", "--help");
}

/** A runtime with a wall clock that is off by so much, such as `+1h`. */
export function shifted({ id, command }: TestRuntime, by: string): TestRuntime {
  const env = ["env", `FAKETIME=${by}`, `LD_PRELOAD=${faketimeLibrary()}`];
  return { id: `${id} at ${by}`, command: [...env, ...command] };
}

/**
 * The path of its library; faketime itself stays as the parent of what it
 * starts.
 */
export function faketimeLibrary(): string {
  const print = ["-f", "+1h", "printenv", "LD_PRELOAD"];
  return spawnSync("faketime", print, { encoding: "utf8" }).stdout.trim();
}
