import type { HeldLease } from "../backends/core/held_lease.ts";
import { runtime } from "../runtime/mod.ts";
import type { Timer } from "../runtime/types.ts";

/**
 * How long before the lease is over the last of the command must have been
 * killed: this process may be late, and the kernel needs a moment.
 *
 * @param ttlMs The lease's time to live, in milliseconds.
 * @returns Milliseconds.
 */
export function marginMs(ttlMs: number): number {
  return Math.min(100, ttlMs / 20);
}

// How often to look at least, in milliseconds.
const LOOK_MS = 1000;

/** Watches over a lease. */
export class LossWatch {
  readonly #lease: HeldLease;
  readonly #aheadMs: number;
  readonly #onLoss: (reason: string) => void;
  #timer: Timer | null = null;
  #over = false;

  /**
   * Starts to watch.
   *
   * @param lease The lease.
   * @param aheadMs How long before the lease is over it counts as lost, if it
   * has not been renewed by then.
   * @param onLoss Called once, with the reason.
   */
  constructor(
    lease: HeldLease,
    aheadMs: number,
    onLoss: (reason: string) => void,
  ) {
    this.#lease = lease;
    this.#aheadMs = aheadMs;
    this.#onLoss = onLoss;
    const { signal } = lease;
    const onAbort = (): void => this.#lose((signal.reason as Error).message);
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    else this.#look();
  }

  /** Stops to watch. */
  stop(): void {
    this.#over = true;
    this.#timer?.cancel();
  }

  // The lease may have been renewed since the timer was set, or its end may
  // have come nearer.
  #look(): void {
    if (this.#over) return;
    const leftMs = this.#lease.remainingMs - this.#aheadMs;
    if (leftMs === Infinity) return;
    if (leftMs <= 0) {
      const restMs = Math.max(0, Math.round(this.#lease.remainingMs));
      return this.#lose(
        `Losing "${this.#lease.lockName}": not renewed, over in ${restMs} ms`,
      );
    }
    const ms = Math.min(leftMs, LOOK_MS);
    this.#timer = runtime.timers.after(ms, () => this.#look(), {
      keepAlive: true,
    });
  }

  #lose(reason: string): void {
    if (this.#over) return;
    this.stop();
    this.#onLoss(reason);
  }
}
