const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const PART = /(\d+(?:\.\d+)?)(ms|[smhd])/g;

// From its first character on: a search would begin again at each digit.
const DURATION = /^(?:\d+(?:\.\d+)?(?:ms|[smhd]))+$/;

/**
 * Reads a duration such as `500ms`, `1.5s` or `1h30m`. A number without a unit
 * means seconds to some tools and milliseconds to others, and is refused.
 *
 * @param text The duration.
 * @returns Milliseconds; null where it is none.
 */
export function parseDuration(text: string): number | null {
  if (text === "0") return 0;
  if (!DURATION.test(text)) return null;
  let ms = 0;
  for (const [, count, unit] of text.matchAll(PART)) {
    ms += Number(count) * (UNITS[unit ?? ""] ?? NaN);
  }
  return Math.round(ms);
}

/**
 * Writes a duration for people.
 *
 * @param ms Milliseconds.
 * @returns Such as `12 ms` or `1.5 s`.
 */
export function showDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return `${Number((ms / 1000).toFixed(1))} s`;
}
