import { runtime } from "../../runtime/mod.ts";

/**
 * Waits for some time, or until it is no use any more.
 *
 * @param ms How long, in milliseconds.
 * @param signal Ends the pause early.
 * @returns A promise that resolves when it is over, and never rejects.
 */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      timer.cancel();
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = runtime.timers.after(ms, end, { keepAlive: true });
    signal?.addEventListener("abort", end);
  });
}
