const underWay = new Set<Promise<void>>();

/**
 * Notes that something is given back in the background, or may have to be when
 * an attempt ends that nobody waits for any more.
 *
 * @param giving What settles when that is done, or has failed.
 */
export function farewell(giving: Promise<unknown>): void {
  const done = (): void => void underWay.delete(noted);
  const noted: Promise<void> = giving.then(done, done);
  underWay.add(noted);
}

/**
 * Waits until nothing is given back any more: for whoever ends a process by
 * force.
 *
 * @returns A promise until then; it never rejects.
 */
export async function farewells(): Promise<void> {
  while (underWay.size > 0) await Promise.all(underWay);
}
