/**
 * Does work in batches, so many of them at once.
 *
 * @typeParam T What is worked on.
 * @typeParam R What comes of it.
 * @param items All that is to be done.
 * @param options How many of it make a batch, how many batches are under way at
 * once, and the work on a batch.
 * @returns What came of each, in the order of the items.
 */
export async function inBatches<T, R>(
  items: readonly T[],
  { size, concurrency, run }: BatchOptions<T, R>,
): Promise<R[]> {
  const starts = Array.from(
    { length: Math.ceil(items.length / size) },
    (_, i) => i * size,
  );
  const results: (readonly R[])[] = [];
  const queue = starts.entries();
  const work = async (): Promise<void> => {
    for (const [i, start] of queue) {
      results[i] = await run(items.slice(start, start + size));
    }
  };
  const workers = Math.min(concurrency, starts.length);
  await Promise.all(Array.from({ length: workers }, work));
  return results.flat();
}

/** Options of {@linkcode inBatches}. */
export interface BatchOptions<T, R> {
  /** The most that one batch takes. */
  readonly size: number;
  /** How many batches are under way at once. */
  readonly concurrency: number;
  /** Works on one batch, and gives as many results. */
  readonly run: (batch: readonly T[]) => Promise<readonly R[]>;
}
