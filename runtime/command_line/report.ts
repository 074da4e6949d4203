import type * as Fs from "node:fs";
import { builtin } from "../process.ts";

let descriptor: number | undefined;

/**
 * Writes to standard error, without waiting for whoever reads it: they may be
 * stopped, and a lease goes on meanwhile. What nobody takes is dropped.
 *
 * @param text What to write.
 */
export function report(text: string): void {
  const fs = builtin<typeof Fs>("node:fs");
  try {
    fs.writeSync(descriptor ??= open(fs), text);
  } catch {
    // Nobody reads it, or not now.
  }
}

// A pipe or a terminal that is opened anew does not block, and for its other
// users it goes on to. Where there is no such way, it may.
function open(fs: typeof Fs): number {
  const { O_WRONLY, O_APPEND, O_NONBLOCK, O_NOCTTY } = fs.constants;
  const flags = O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY;
  try {
    return fs.openSync("/proc/self/fd/2", flags);
  } catch {
    return 2;
  }
}
