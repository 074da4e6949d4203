/** The demo as a picture: who ran which job when, by one clock. */
import { Canvas } from "../tests/faults/timeline_canvas.ts";
import {
  element,
  escapeText,
  runtimeColour,
  svgFile,
  timelineStyle,
  tooltip,
} from "../tests/faults/timeline_svg.ts";
import { gapOf, type Run } from "./demo_record.ts";

/** A time in which a worker waited for a job. */
export interface Wait {
  readonly worker: string;
  readonly from: number;
  until: number;
}

/** What was seen of a run of the demo. */
export interface Seen {
  readonly title: string;
  readonly runs: readonly Run[];
  readonly waits: readonly Wait[];
}

const WIDTH = 900;
const TOP = 76;
const ROW = 40;
const BAR = 24;

const style = `${timelineStyle}
text { font-size: 13px; }
.head { font-size: 18px; }
.in { fill: #fff; font-weight: 600; text-anchor: middle; }
.hold { stroke: var(--ground); stroke-width: 2; }
.kill { stroke: var(--bad); stroke-width: 3; fill: none; }
.told { fill: var(--bad); font-weight: 600; }
.takeover { stroke: var(--bad); stroke-width: 2; fill: none; }
.wait { stroke-dasharray: 2 4; stroke-width: 2; }
`;

/**
 * Draws a run of the demo: a row for each worker, a bar for each job in the
 * colour of its runtime, and how the killed worker's job was taken over.
 *
 * @param seen What was seen: at least one run.
 * @returns An SVG file's text.
 */
export function drawDemo({ title, runs, waits }: Seen): string {
  const window = {
    from: Math.min(...runs.map(({ started }) => started)),
    until: Math.max(...runs.map(({ ended = 0 }) => ended)),
  };
  const canvas = new Canvas({ window, begin: window.from, width: WIDTH });
  const workers = [...new Map(runs.map((run) => [run.worker, run.runtime]))]
    .sort(([a], [b]) => a.localeCompare(b));
  const rowOf = (worker: string): number =>
    TOP + ROW * workers.findIndex(([id]) => id === worker) + (ROW - BAR) / 2;
  const bottom = TOP + workers.length * ROW;
  drawAxis(canvas, bottom);
  for (const worker of workers) drawName(canvas, worker, rowOf(worker[0]));
  for (const wait of waits) {
    const y = rowOf(wait.worker) + BAR / 2;
    canvas.line("line.wait", wait, { y, tip: `${wait.worker} waits` });
  }
  for (const run of runs) drawRun(canvas, run, rowOf(run.worker));
  for (const run of runs) drawTakeover(canvas, run, rowOf);
  return finish(canvas, title, bottom);
}

function drawName(
  canvas: Canvas,
  [worker, runtime]: readonly [string, string],
  top: number,
): void {
  const y = top + 17;
  canvas.text("text.name", worker, { x: 16, y });
  canvas.text("text.weak", runtime.replace(/\.\d+$/, ""), { x: 42, y });
}

function drawRun(canvas: Canvas, run: Run, top: number): void {
  const { job, worker, runtime, started, ended = started } = run;
  const bottom = top + BAR;
  const kind = runtime.toLowerCase().replace(" ", "");
  canvas.box("rect.hold", { from: started, until: ended }, {
    top,
    bottom,
    tip: `${worker} runs ${job}`,
    fill: runtimeColour(kind),
  });
  const x = (canvas.x(started) + canvas.x(ended)) / 2;
  canvas.text("text.in", job.replace("job-", ""), { x, y: top + 17 });
  if (!run.killed) return;
  const [y, path] = [top + BAR / 2, "M-9 -9l18 18m0 -18l-18 18"];
  canvas.shape("path.kill", ended, { y, path, tip: `${worker} is killed` });
}

function drawTakeover(
  canvas: Canvas,
  run: Run,
  rowOf: (worker: string) => number,
): void {
  const from = run.takenOverFrom;
  if (from?.ended === undefined) return;
  const way = Math.sign(rowOf(run.worker) - rowOf(from.worker));
  const [y1, y2] = [from, run].map(({ worker }) => rowOf(worker) + BAR / 2);
  const [start, end] = [y1! + way * 12, y2! - way * (BAR / 2 + 2)];
  const x = canvas.x(run.started);
  const d = `M${canvas.x(from.ended)} ${start}L${x} ${end}` +
    `m-5 ${-7 * way}l5 ${7 * way}l5 ${-7 * way}`;
  const gap = gapOf(run);
  const text = `killed: ${run.worker} takes ${run.job} over after ${gap}`;
  canvas.elements.push(element("path.takeover", { d }, tooltip(text)));
  // Nothing else is in the row of whoever has been killed.
  canvas.text("text.told", text, { x: x + 16, y: y1! + 5 });
}

function drawAxis(canvas: Canvas, bottom: number): void {
  const { window: { from, until } } = canvas.view;
  for (let ms = 0; from + ms <= until; ms += 500) {
    const at = from + ms;
    const text = `${ms / 1000} s`;
    const moment = { top: TOP - 8, bottom, tip: text };
    canvas.moment("line.rule", at, moment);
    const place = { x: canvas.x(at), y: TOP - 14, "text-anchor": "middle" };
    canvas.text("text.weak", text, place);
  }
}

function finish({ elements }: Canvas, title: string, bottom: number): string {
  return svgFile(
    { title, style, width: WIDTH, height: bottom + 44 },
    element("text.head", { x: 16, y: 32 }, escapeText(title)),
    ...elements,
    element(
      "text.weak",
      { x: 16, y: bottom + 26 },
      "A bar is a job whose lock the worker holds; a dotted line is a wait " +
        "for any lock to come free.",
    ),
  );
}
