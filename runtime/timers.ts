import type { Clock, Timer, TimerOptions, Timers } from "./types.ts";

// setTimeout takes a signed 32-bit number of milliseconds, and fires at once
// when given more.
const LONGEST_MS = 2 ** 31 - 1;

type Handle = ReturnType<typeof setTimeout>;

/** A handle as Node and Bun have it. */
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
  setAlive: (handle: Handle, alive: boolean) => void = refOrUnref,
): Timers {
  function after(
    ms: number,
    callback: () => void,
    options: TimerOptions = {},
  ): Timer {
    const end = clock.monotonic() + ms;
    let { keepAlive = false } = options;
    let handle: Handle;
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

function refOrUnref(handle: Handle, alive: boolean): void {
  const counted = handle as unknown as RefCounted;
  if (alive) counted.ref();
  else counted.unref();
}
