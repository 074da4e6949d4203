import type { Clock, Timer, TimerOptions, Timers } from "./types.ts";

// setTimeout takes a signed 32-bit number of milliseconds, and fires at once
// when given more.
const LONGEST_MS = 2 ** 31 - 1;

type Handle = ReturnType<typeof setTimeout>;

/**
 * Timers over the runtime's own setTimeout and setImmediate.
 *
 * @param clock The clock by which long timers are counted.
 * @param unref Lets the process exit although the timer is pending.
 * @param soon Calls back in the next turn of the event loop.
 * @returns The timers.
 */
export function createTimers(
  clock: Clock,
  unref: (handle: Handle) => void,
  soon: (callback: () => void) => void,
): Timers {
  function after(
    ms: number,
    callback: () => void,
    options: TimerOptions = {},
  ): Timer {
    const end = clock.monotonic() + ms;
    let handle: Handle;
    function wait(): void {
      const left = end - clock.monotonic();
      handle = left > LONGEST_MS
        ? setTimeout(wait, LONGEST_MS)
        : setTimeout(callback, Math.max(0, left));
      if (!options.keepAlive) unref(handle);
    }
    wait();
    return { cancel: () => clearTimeout(handle) };
  }
  return { after, soon };
}
