import { runtime } from "../../runtime/mod.ts";

/**
 * Keeps the process alive until something is over, but not for too long.
 *
 * @param pending What is to be over; how it ends does not matter.
 * @param longestMs The longest to stay alive for it, in milliseconds.
 * @returns A promise until then; it never rejects.
 */
export function stayAlive(
  pending: Promise<unknown>,
  longestMs: number,
): Promise<void> {
  return new Promise((resolve) => {
    const options = { keepAlive: true };
    const limit = runtime.timers.after(longestMs, resolve, options);
    const end = (): void => {
      limit.cancel();
      resolve();
    };
    pending.then(end, end);
  });
}
