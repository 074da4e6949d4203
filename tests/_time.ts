/** Time and turns of the event loop, for tests. */
import { setImmediate } from "node:timers";

/**
 * Lets real time pass. Only where the passing of time is itself what a test is
 * about; everything else waits for an event.
 */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** CPython's `_wait`: long enough for others to do what they must not do. */
export function wait(): Promise<void> {
  return sleep(10);
}

/** The next turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Lets `count` microtasks pass. */
export async function microtasks(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await null;
}

/** Milliseconds that a promise takes, and how it ends. */
export async function timed<T>(
  run: () => Promise<T>,
): Promise<{ ms: number; value?: T; error?: unknown }> {
  const start = performance.now();
  try {
    const value = await run();
    return { ms: performance.now() - start, value };
  } catch (error) {
    return { ms: performance.now() - start, error };
  }
}

/** Whether a promise is still unsettled after some time. */
export function pendingAfter(
  ms: number,
  promise: Promise<unknown>,
): Promise<boolean> {
  const settled = promise.then(() => false, () => false);
  return Promise.race([settled, sleep(ms).then(() => true)]);
}

/** Rejects with a telling error when a promise takes longer than it may. */
export async function within<T>(
  ms: number,
  what: string,
  promise: Promise<T>,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`${what}: not after ${ms} ms`)),
      ms,
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Looks again and again until something outside this process is so; for what
 * no event tells, such as the kernel's tables.
 */
export async function until(
  what: string,
  look: () => boolean | Promise<boolean>,
  ms = 5000,
): Promise<void> {
  const end = performance.now() + ms;
  while (!(await look())) {
    if (performance.now() > end) throw new Error(`${what}: not after ${ms} ms`);
    await sleep(5);
  }
}

/** For how many milliseconds at most the event loop stood still meanwhile. */
export async function longestStall(
  run: () => Promise<unknown>,
): Promise<number> {
  let last = performance.now();
  let longestMs = 0;
  const look = (): void => {
    const now = performance.now();
    longestMs = Math.max(longestMs, now - last);
    last = now;
  };
  const interval = setInterval(look, 10);
  await run();
  clearInterval(interval);
  return longestMs;
}

/** The value below which the given part of some numbers lies. */
export function quantile(numbers: readonly number[], part: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const index = Math.min(sorted.length - 1, Math.floor(sorted.length * part));
  return sorted[index] ?? NaN;
}
