/**
 * The measured part of `docs/performance.md`.
 *
 * @module
 */
import { type Curve, drawPlot } from "./plot.ts";
import { markdownOf, type Result } from "./result.ts";

const BEGIN = "<!-- measured: deno task bench -->";
const END = "<!-- /measured -->";

/** What was measured, and where. */
export interface Measurements {
  readonly results: readonly Result[];
  readonly curves: readonly Curve[];
  /** The machine and the versions, in a sentence. */
  readonly machine: string;
}

/**
 * Puts measurements into a page, between its two marks.
 *
 * @param page The page.
 * @param measurements What was measured.
 * @returns The page, and its plots by the names of their files.
 * @throws {RangeError} If the page has no marks.
 */
export function putInto(
  page: string,
  { results, curves, machine }: Measurements,
): { page: string; plots: Map<string, string> } {
  const from = page.indexOf(BEGIN);
  const to = page.indexOf(END);
  if (from < 0 || to < from) {
    throw new RangeError(`A page needs ${BEGIN} and ${END}`);
  }
  const plots = new Map<string, readonly Curve[]>();
  for (const curve of curves) {
    plots.set(curve.plot, [...plots.get(curve.plot) ?? [], curve]);
  }
  const pictures = [...plots].map(([name, [first]]) =>
    `![${first!.title}: ${first!.y} by the number of ${
      first!.x
    }](performance/${name}.svg)`
  );
  const measured = [machine, markdownOf(results), ...pictures].join("\n\n");
  return {
    page: `${page.slice(0, from)}${BEGIN}\n\n${measured}\n\n${page.slice(to)}`,
    plots: new Map(
      [...plots].map(([name, curves]) => [name, drawPlot(curves)]),
    ),
  };
}
