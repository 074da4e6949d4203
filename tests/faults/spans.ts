/** A stretch of time, in milliseconds. */
export interface Span {
  readonly from: number;
  readonly until: number;
}

/** Stretches of time, merged where they meet; asked in O(log n). */
export class Spans {
  readonly #spans: readonly Span[];
  /** How long all the spans before each are. */
  readonly #before: readonly number[];

  /** @param spans In any order; they may overlap. */
  constructor(spans: Iterable<Span>) {
    this.#spans = merge([...spans]);
    let sum = 0;
    this.#before = this.#spans.map(({ from, until }) => {
      const before = sum;
      sum += until - from;
      return before;
    });
  }

  /** All of these and all of the others. */
  with(others: Spans): Spans {
    return new Spans([...this.#spans, ...others.#spans]);
  }

  /** How much of a finite stretch they cover. */
  lengthWithin({ from, until }: Span): number {
    if (this.#spans.length === 0 || until <= from) return 0;
    return this.#lengthUpTo(until) - this.#lengthUpTo(from);
  }

  /** Whether one of them and a stretch have a moment in common. */
  touch({ from, until }: Span): boolean {
    const last = this.#spans[this.#countBegun(until) - 1];
    return last !== undefined && last.until >= from;
  }

  #lengthUpTo(at: number): number {
    const i = this.#countBegun(at) - 1;
    const last = this.#spans[i];
    if (!last) return 0;
    return this.#before[i]! + Math.min(at, last.until) - last.from;
  }

  /** How many of them have begun at a time. */
  #countBegun(at: number): number {
    let low = 0;
    let high = this.#spans.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#spans[middle]!.from <= at) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function merge(spans: Span[]): Span[] {
  const merged: Span[] = [];
  for (const span of spans.sort((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    if (!last || last.until < span.from) merged.push(span);
    else if (last.until < span.until) {
      merged[merged.length - 1] = { from: last.from, until: span.until };
    }
  }
  return merged;
}
