/**
 * The machine's monotonic clock, which all processes share. On Deno and Bun
 * `process.hrtime` is not: there it counts from the start of the process.
 */
import process from "node:process";

/** Milliseconds of CLOCK_MONOTONIC, to the microsecond. */
export const monotonicMs: () => number = await choose();

const CLOCK_MONOTONIC = 1;

function choose(): (() => number) | Promise<() => number> {
  if ("Deno" in globalThis) return onDeno();
  if ("Bun" in globalThis) return onBun();
  return () => toMs(process.hrtime.bigint());
}

function onDeno(): () => number {
  const { symbols } = Deno.dlopen("libc.so.6", {
    clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },
  });
  const time = new BigInt64Array(2);
  return () => {
    symbols.clock_gettime(CLOCK_MONOTONIC, time);
    return inMs(time);
  };
}

/** The part of `bun:ffi` that is used here. */
interface BunFfi {
  dlopen(library: string, symbols: Record<string, unknown>): {
    symbols: { clock_gettime(clock: number, time: BigInt64Array): number };
  };
}

async function onBun(): Promise<() => number> {
  const name = "bun:ffi";
  const { dlopen } = await import(name) as BunFfi;
  const { symbols } = dlopen("libc.so.6", {
    clock_gettime: { args: ["i32", "ptr"], returns: "i32" },
  });
  const time = new BigInt64Array(2);
  return () => {
    symbols.clock_gettime(CLOCK_MONOTONIC, time);
    return inMs(time);
  };
}

/** A `struct timespec`: seconds and nanoseconds. */
function inMs([seconds = 0n, nanoseconds = 0n]: BigInt64Array): number {
  return toMs(seconds * 1_000_000_000n + nanoseconds);
}

function toMs(nanoseconds: bigint): number {
  return Number(nanoseconds / 1000n) / 1000;
}
