import type { Clock, Timer, TimerOptions, Timers } from "./types.ts";

// setTimeout takes a signed 32-bit number of milliseconds, and fires at once
// when given more.
const LONGEST_MS = 2 ** 31 - 1;

/** What setTimeout gives, by the runtime a number or an object. */
export type TimerHandle = number | ReturnType<typeof setTimeout>;

interface RefCounted {
  ref(): void;
  unref(): void;
}

/**
 * Timers over the runtime's own setTimeout and setImmediate.
 *
 * @param clock The clock by which long timers are counted.
 * @param soon Calls back in the next turn of the event loop.
 * @param setAlive Sets whether a pending timer keeps the process alive; by
 * default as in Node.
 * @returns The timers.
 */
export function createTimers(
  clock: Clock,
  soon: (callback: () => void) => void,
  setAlive: (handle: TimerHandle, alive: boolean) => void = setRefCounted,
): Timers {
  function after(
    ms: number,
    callback: () => void,
    options: TimerOptions = {},
  ): Timer {
    const end = clock.monotonic() + ms;
    let { keepAlive = false } = options;
    let handle: TimerHandle;
    function wait(): void {
      const left = end - clock.monotonic();
      handle = left > LONGEST_MS
        ? setTimeout(wait, LONGEST_MS)
        : setTimeout(callback, Math.max(0, left));
      if (!keepAlive) setAlive(handle, false);
    }
    wait();
    return {
      cancel: () => clearTimeout(handle),
      keepAlive: (alive) => {
        keepAlive = alive;
        setAlive(handle, alive);
      },
    };
  }
  return { after, soon };
}

/**
 * Sets whether a pending timer keeps the process alive, where timers are
 * objects, as on Node and Bun.
 *
 * @param handle What setTimeout gave.
 * @param alive Whether it keeps the process alive.
 */
export function setRefCounted(handle: TimerHandle, alive: boolean): void {
  const counted = handle as unknown as RefCounted;
  if (alive) counted.ref();
  else counted.unref();
}
