import { runtime } from "../../runtime/mod.ts";

/** Wakes one waiter early. */
export class Bell {
  #rung = false;
  #wake: (() => void) | null = null;

  /** Wakes the waiter, or the next one to come. */
  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /**
   * Waits until the bell rings; it may have done so already.
   *
   * @param ms How long to wait at the most; does not keep the process alive.
   * @returns A promise until the bell rang or the time is up.
   */
  async wait(ms: number): Promise<void> {
    if (!this.#rung && ms > 0) {
      await new Promise<void>((resolve) => {
        const timer = ms === Infinity
          ? null
          : runtime.timers.after(ms, resolve);
        this.#wake = () => {
          timer?.cancel();
          resolve();
        };
      });
    }
    this.#rung = false;
    this.#wake = null;
  }
}
