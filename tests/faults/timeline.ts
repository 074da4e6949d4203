import type { Violation } from "./findings.ts";
import type { HistoryEvent, WriteEvent } from "./history.ts";
import { type Attempt, type Fault, type Model, modelHistory } from "./model.ts";
import type { Span } from "./spans.ts";
import { Canvas } from "./timeline_canvas.ts";
import {
  drawFault,
  drawRow,
  heightOf,
  type RowContents,
} from "./timeline_row.ts";
import { layOut, type Row, slotOf, stack } from "./timeline_rows.ts";
import {
  element,
  escapeText,
  runtimeColour,
  svgFile,
  timelineStyle,
} from "./timeline_svg.ts";

/** What of a history is drawn, and how. */
export interface TimelineOptions {
  /** @default {""} */
  readonly title?: string;
  /** What is marked. @default {[]} */
  readonly violations?: readonly Violation[];
  /** In the events' time. @default {the history's begin} */
  readonly from?: number;
  /** @default {the history's end} */
  readonly until?: number;
  /** In pixels. @default {1200} */
  readonly width?: number;
}

/** A line of the labels of faults. */
const LABEL = 11;

/** Where the axis is. */
const AXIS = 48;

/** How many violations are listed below. */
const LISTED = 10;

/**
 * Draws a history, or some seconds of it: a row for each lock and each slot of
 * workers in it, waits as lines, tenures as bars in their runtime's colour,
 * faults as bands, violations in red. Where two hold one lock at once, one bar
 * is above the other.
 *
 * @param events The history.
 * @param options What of it to draw.
 * @returns An SVG file's text, without scripts.
 */
export function drawTimeline(
  events: readonly HistoryEvent[],
  options: TimelineOptions = {},
): string {
  const model = modelHistory(events);
  const { whole } = model;
  const { from = whole.from, until = whole.until, width = 1200 } = options;
  const window = { from, until: Math.max(until, from + 1) };
  const canvas = new Canvas({ window, begin: whole.from, width });
  const violations = (options.violations ?? [])
    .filter(({ events }) => events.some(({ at }) => canvas.shows(at)));
  const top = AXIS + 10 + LABEL * drawGlobalFaults(model, canvas);
  const bottom = drawSections(canvas, { model, violations, top });
  // What lies behind the rows is drawn before them.
  const rows = canvas.elements.splice(0);
  drawGlobalFaults(model, canvas, bottom);
  drawAxis(canvas, bottom);
  canvas.elements.push(...rows);
  drawMarks(canvas, violations, bottom);
  drawLegend(canvas, model);
  return finish(canvas, { violations, bottom, title: options.title ?? "" });
}

/**
 * Tells which part of a history shows a violation.
 *
 * @param violation The violation.
 * @returns The time of its events, and half a second before and after; null if
 * it has no events.
 */
export function aroundViolation({ events }: Violation): Span | null {
  if (events.length === 0) return null;
  const times = events.map(({ at }) => at);
  return { from: Math.min(...times) - 500, until: Math.max(...times) + 500 };
}

/** Draws faults that are done to no worker down to a line; counts their lanes. */
function drawGlobalFaults(
  model: Model,
  canvas: Canvas,
  bottom?: number,
): number {
  const bands = model.faults.filter(({ worker }) => worker === undefined)
    .map((fault) => ({ fault, from: fault.from, until: fault.recoveredAt }))
    .filter((band) => canvas.overlaps(band));
  let lanes = 0;
  for (const [{ fault }, lane] of stack(bands)) {
    lanes = Math.max(lanes, lane + 1);
    const top = AXIS + 4 + lane * LABEL;
    if (bottom !== undefined) drawFault(canvas, fault, { top, bottom });
  }
  return lanes;
}

/** What is drawn into the sections of the locks. */
interface Drawn {
  readonly model: Model;
  readonly violations: readonly Violation[];
  readonly top: number;
}

/** Draws the rows below each lock's name; tells where they end. */
function drawSections(canvas: Canvas, drawn: Drawn): number {
  const contents = contentsOf(canvas, drawn);
  let top = drawn.top;
  for (const { name, rows } of layOut(drawn.model, canvas.view.window)) {
    canvas.text("text.name", name, { x: 16, y: top + 13 });
    top += 18;
    for (const row of rows) {
      drawRow(canvas, row, { top, ...contents(row) });
      top += heightOf(row) + 4;
    }
    top += 8;
  }
  return top;
}

function contentsOf(
  canvas: Canvas,
  { model, violations }: Drawn,
): (row: Row) => Omit<RowContents, "top"> {
  const bad = new Set(violations.flatMap(({ events }) => events));
  const faults = model.faults.filter(({ from, recoveredAt: until, worker }) =>
    worker !== undefined && canvas.overlaps({ from, until })
  );
  const pauses = model.events.filter((event) => event.type === "pause")
    .filter(({ from, at }) => canvas.overlaps({ from, until: at }));
  const writes = writesOf(model, canvas);
  return ({ slot }) => ({
    faults: faults.filter(({ worker }: Fault) => slotOf(worker!) === slot),
    pauses: pauses.filter(({ worker }) => slotOf(worker) === slot)
      .map(({ from, at }) => ({ from, until: at })),
    writes,
    bad,
  });
}

function writesOf(model: Model, canvas: Canvas): Map<Attempt, WriteEvent[]> {
  const writes = new Map<Attempt, WriteEvent[]>();
  for (const event of model.events) {
    if (event.type !== "write" || !canvas.shows(event.at)) continue;
    const attempt = model.workers.get(event.worker)!.attempts.get(event.id);
    if (!attempt) continue;
    const others = writes.get(attempt);
    if (others) others.push(event);
    else writes.set(attempt, [event]);
  }
  return writes;
}

function drawAxis(canvas: Canvas, bottom: number): void {
  const { window: { from, until }, begin } = canvas.view;
  const step = niceStep((until - from) / 10);
  for (
    let i = Math.ceil((from - begin) / step);
    begin + i * step <= until;
    i++
  ) {
    const at = begin + i * step;
    const text = `${+(i * step / 1000).toFixed(6)} s`;
    canvas.moment("line.rule", at, { top: AXIS, bottom, tip: text });
    for (const y of [AXIS - 4, bottom + 12]) {
      const place = { x: canvas.x(at), y, "text-anchor": "middle" };
      canvas.text("text.weak.small", text, place);
    }
  }
}

/** 1, 2 or 5 times a power of ten, at least so much. */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 5].find((n) => n * power >= least) ?? 10);
}

/** Draws a line at each event that proves a violation. */
function drawMarks(
  canvas: Canvas,
  violations: readonly Violation[],
  bottom: number,
): void {
  for (const { rule, message, events } of violations) {
    for (const { type, at } of events) {
      const tip = `${rule}: ${message}\n${type} at ${canvas.second(at)}`;
      canvas.moment("line.line", at, { top: AXIS, bottom, tip });
      canvas.shape("path.mark", at, { y: AXIS, path: "M-4 0h8l-4 6z", tip });
    }
  }
}

function drawLegend(canvas: Canvas, model: Model): void {
  const runtimes = new Set(
    [...model.workers.values()].flatMap(({ starts }) =>
      starts.map(({ runtime }) => runtime)
    ),
  );
  let x = canvas.view.width - 16 - runtimes.size * 70;
  for (const runtime of [...runtimes].sort()) {
    const fill = runtimeColour(runtime);
    const box = { x, y: 14, width: 10, height: 8, fill };
    canvas.elements.push(element("rect", box));
    canvas.text("text.weak", runtime, { x: x + 14, y: 22 });
    x += 70;
  }
}

function finish(
  { view, elements }: Canvas,
  { violations, bottom, title }: {
    readonly violations: readonly Violation[];
    readonly bottom: number;
    readonly title: string;
  },
): string {
  const { window, begin, width } = view;
  const seconds = [window.from, window.until]
    .map((at) => ((at - begin) / 1000).toFixed(2));
  const head = `${title} ${seconds.join("–")} s`.trim();
  const list = violations.slice(0, LISTED).map(({ rule, message }, i) => {
    const place = { x: 16, y: bottom + 36 + i * 16 };
    return element("text.bad", place, escapeText(`${rule}: ${message}`));
  });
  const height = bottom + 42 + list.length * 16;
  return svgFile(
    { title: head, style: timelineStyle, width, height },
    element("text.head", { x: 16, y: 22 }, escapeText(head)),
    ...elements,
    ...list,
  );
}
