import type { Clock } from "./types.ts";

/** The clocks that every runtime has. */
export const clock: Clock = {
  monotonic: () => performance.now(),
  wall: () => Date.now(),
};
