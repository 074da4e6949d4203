import { runtime } from "../../runtime/mod.ts";
import { type Deadline, Deadlines } from "./deadlines.ts";

// One timer, however much is waited for.
const limits = new Deadlines(
  runtime.timers,
  runtime.clock.monotonic,
  { keepAlive: true },
);

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
    const at = runtime.clock.monotonic() + longestMs;
    const limit: Deadline = { at, expire: resolve };
    const end = (): void => {
      limits.cancel(limit);
      resolve();
    };
    limits.add(limit);
    pending.then(end, end);
  });
}
