/** Options of {@linkcode inBatches}. */
export interface BatchOptions<T, R> {
  /** The most that one batch takes. */
  readonly size: number;
  /** How many batches are under way at once. */
  readonly concurrency: number;
  /** After it has aborted, no batch is begun. */
  readonly signal: AbortSignal | undefined;
  /** Works on one batch, and gives as many results. */
  readonly run: (batch: readonly T[]) => Promise<readonly R[]>;
}

/**
 * Does work in batches, so many of them at once. When one fails, no other is
 * begun.
 *
 * @typeParam T What is worked on.
 * @typeParam R What comes of it.
 * @param items All that is to be done.
 * @param options How it is done.
 * @returns What came of each, in the order of the items.
 */
export async function inBatches<T, R>(
  items: readonly T[],
  { size, concurrency, signal, run }: BatchOptions<T, R>,
): Promise<R[]> {
  const results: (readonly R[])[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < items.length) {
      const start = next;
      next += size;
      try {
        signal?.throwIfAborted();
        results[start / size] = await run(items.slice(start, start + size));
      } catch (error) {
        next = items.length;
        throw error;
      }
    }
  };
  const workers = Math.min(concurrency, Math.ceil(items.length / size));
  await Promise.all(Array.from({ length: workers }, work));
  return results.flat();
}
