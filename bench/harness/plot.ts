/**
 * Plots as SVG: points on logarithmic axes, and lines between them.
 *
 * @module
 */
import {
  element,
  escapeText,
  svgFile,
} from "../../tests/faults/timeline_svg.ts";

/** A line of a plot. */
export interface Curve {
  /** The plot that it belongs to; a file's name. */
  readonly plot: string;
  /** What the plot shows. */
  readonly title: string;
  /** What goes to the right, and its unit. */
  readonly x: string;
  /** What goes up, and its unit. */
  readonly y: string;
  /** What the line shows. */
  readonly series: string;
  readonly points: readonly (readonly [number, number])[];
}

const WIDTH = 720;
const HEIGHT = 360;
const LEFT = 64;
const RIGHT = 190;
const TOP = 40;
const BOTTOM = 48;
const LINE = 16;

/** Told apart by the colour-blind, on white and on black. */
const COLOURS = ["#4477aa", "#cc6677", "#228833", "#b8860b", "#aa77aa"];
const DASHES = ["", "6 3", "2 3"];

const style = `
svg { --ground: #fff; --text: #222; --rule: #ddd; color-scheme: light dark; }
@media (prefers-color-scheme: dark) {
  svg { --ground: #16181c; --text: #e6e6e6; --rule: #33363c; }
}
text { font: 11px ui-sans-serif, system-ui, sans-serif; fill: var(--text); }
.ground { fill: var(--ground); }
.head { font-size: 14px; font-weight: 600; }
.rule { stroke: var(--rule); }
.line { fill: none; stroke-width: 1.8; }
`;

/** From a value to where it is. */
type Scale = (value: number) => number;

/**
 * Draws a plot.
 *
 * @param curves Its lines, at least one.
 * @returns The SVG.
 */
export function drawPlot(curves: readonly Curve[]): string {
  const { title, x, y } = curves[0]!;
  const points = curves.flatMap((curve) => curve.points);
  const across = spanOf(points.map(([value]) => value), 1.1);
  const up = spanOf(points.map(([, value]) => value), 1.5);
  const toX = scaleOf(across, LEFT, WIDTH - RIGHT);
  const toY = scaleOf(up, HEIGHT - BOTTOM, TOP);
  const ticks = [...new Set(points.map(([value]) => value))];
  return svgFile(
    { title, style, width: WIDTH, height: HEIGHT },
    element("text.head", { x: LEFT, y: 22 }, escapeText(title)),
    ...ticks.map((value) => upright(value, toX)),
    ...roundValues(up).map((value) => level(value, toY)),
    element(
      "text",
      {
        x: (LEFT + WIDTH - RIGHT) / 2,
        y: HEIGHT - 10,
        "text-anchor": "middle",
      },
      escapeText(x),
    ),
    element("text", { x: 8, y: TOP - 8 }, escapeText(y)),
    ...curves.map((curve, i) => drawCurve(curve, i, toX, toY)),
  );
}

function drawCurve(
  { series, points }: Curve,
  index: number,
  toX: Scale,
  toY: Scale,
): string {
  const stroke = COLOURS[index % COLOURS.length]!;
  const dash = DASHES[Math.floor(index / COLOURS.length) % DASHES.length]!;
  const dashes = { stroke, "stroke-dasharray": dash || undefined };
  const path = points
    .map(([x, y], i) => `${i ? "L" : "M"}${at(toX(x))} ${at(toY(y))}`)
    .join("");
  const y = TOP + index * LINE;
  const x = WIDTH - RIGHT + 12;
  return [
    element("path.line", { d: path, ...dashes }),
    ...points.map(([px, py]) =>
      element("circle", { cx: toX(px), cy: toY(py), r: 2.5, fill: stroke })
    ),
    element("path.line", { d: `M${x} ${y}h18`, ...dashes }),
    element("text", { x: x + 24, y: y + 4 }, escapeText(series)),
  ].join("");
}

function upright(value: number, toX: Scale): string {
  const x = toX(value);
  const y = HEIGHT - BOTTOM;
  return element("line.rule", { x1: x, x2: x, y1: TOP, y2: y }) +
    element("text", { x, y: y + 16, "text-anchor": "middle" }, print(value));
}

function level(value: number, toY: Scale): string {
  const y = toY(value);
  return element("line.rule", { x1: LEFT, x2: WIDTH - RIGHT, y1: y, y2: y }) +
    element(
      "text",
      { x: LEFT - 6, y: y + 4, "text-anchor": "end" },
      print(value),
    );
}

function spanOf(
  values: readonly number[],
  margin: number,
): readonly [number, number] {
  const above = values.filter((value) => value > 0);
  return [Math.min(...above) / margin, Math.max(...above) * margin];
}

function scaleOf(
  [low, high]: readonly [number, number],
  from: number,
  to: number,
): Scale {
  const size = Math.log(high / low);
  return (value) =>
    from + (to - from) * Math.log(Math.max(value, low) / low) / size;
}

/** One, two and five, and their tens, as many as there are. */
function roundValues([low, high]: readonly [number, number]): number[] {
  const found: number[] = [];
  for (let ten = 10 ** Math.floor(Math.log10(low)); ten <= high; ten *= 10) {
    found.push(...[ten, 2 * ten, 5 * ten]);
  }
  return found.filter((value) => value >= low && value <= high);
}

function print(value: number): string {
  return String(Number(value.toPrecision(3)));
}

function at(value: number): string {
  return value.toFixed(1);
}
