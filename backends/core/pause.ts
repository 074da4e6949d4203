import { runtime } from "../../runtime/mod.ts";

/** Options of {@linkcode pause}. */
export interface PauseOptions {
  /** Ends the pause early. */
  signal?: AbortSignal | undefined;
  /**
   * Whether the process stays alive for the pause.
   *
   * @default {true}
   */
  keepAlive?: boolean;
}

/**
 * Waits for some time, or until it is no use any more.
 *
 * @param ms How long, in milliseconds.
 * @param options What ends it, and whether it keeps the process alive.
 * @returns A promise that resolves when it is over, and never rejects.
 */
export function pause(ms: number, options: PauseOptions = {}): Promise<void> {
  const { signal, keepAlive = true } = options;
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const end = (): void => {
      timer.cancel();
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = runtime.timers.after(ms, end, { keepAlive });
    signal?.addEventListener("abort", end);
  });
}
