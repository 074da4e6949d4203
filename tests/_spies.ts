/** Counters of what a lock may leave behind: descriptors, timers, listeners. */
import { readdirSync } from "node:fs";
import { until } from "./_time.ts";

/** How many descriptors this process has open, by the kernel's count. */
export function openDescriptors(): number {
  return readdirSync("/proc/self/fd").length;
}

/**
 * Asserts that this process has no more descriptors than it should, once what
 * was closed in the background has gone; a leak does not go.
 */
export async function assertDescriptors(most: number): Promise<void> {
  await until(
    `at most ${most} descriptors`,
    () => openDescriptors() <= most,
    1000,
  );
}

/** Why descriptors cannot be counted here, or false. */
export function noDescriptors(): string | false {
  try {
    openDescriptors();
    return false;
  } catch {
    return "needs /proc/self/fd";
  }
}

/** A count of live things, and the way to stop counting. */
export interface Spy {
  /** How many are alive now. */
  live(): number;
  /** The greatest number alive at once. */
  peak(): number;
  /** Puts the original back. */
  stop(): void;
}

/** Counts the timers set through the global functions and not yet over. */
export function spyTimers(): Spy {
  const alive = new Set<unknown>();
  let peak = 0;
  const { setTimeout, clearTimeout, setInterval, clearInterval } = globalThis;
  const add = (timer: unknown): void => {
    alive.add(timer);
    peak = Math.max(peak, alive.size);
  };
  const set = (
    run: (...args: unknown[]) => void,
    ms?: number,
    ...args: unknown[]
  ): unknown => {
    const timer = setTimeout(() => {
      alive.delete(timer);
      run(...args);
    }, ms);
    add(timer);
    return timer;
  };
  const repeat = (run: () => void, ms?: number): unknown => {
    const timer = setInterval(run, ms);
    add(timer);
    return timer;
  };
  const clear = (timer: unknown): void => {
    alive.delete(timer);
    clearTimeout(timer as ReturnType<typeof setTimeout>);
  };
  const replaced = { setTimeout, clearTimeout, setInterval, clearInterval };
  Object.assign(globalThis, {
    setTimeout: set,
    clearTimeout: clear,
    setInterval: repeat,
    clearInterval: clear,
  });
  return {
    live: () => alive.size,
    peak: () => peak,
    stop: () => void Object.assign(globalThis, replaced),
  };
}

/** Counts the listeners on a signal. */
export function spyListeners(signal: AbortSignal): Spy {
  const alive: unknown[] = [];
  let peak = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (
    ...args: Parameters<AbortSignal["addEventListener"]>
  ): void => {
    alive.push(args[1]);
    peak = Math.max(peak, alive.length);
    add(...args);
  };
  signal.removeEventListener = (
    ...args: Parameters<AbortSignal["removeEventListener"]>
  ): void => {
    const index = alive.indexOf(args[1]);
    if (index >= 0) alive.splice(index, 1);
    remove(...args);
  };
  return {
    live: () => alive.length,
    peak: () => peak,
    stop(): void {
      Reflect.deleteProperty(signal, "addEventListener");
      Reflect.deleteProperty(signal, "removeEventListener");
    },
  };
}
