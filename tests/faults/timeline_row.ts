import type { HistoryEvent, WriteEvent } from "./history.ts";
import type { Attempt, Fault } from "./model.ts";
import type { Span } from "./spans.ts";
import type { Box, Canvas } from "./timeline_canvas.ts";
import type { Entry, Row } from "./timeline_rows.ts";
import { runtimeColour } from "./timeline_svg.ts";

/** How high a lane is, and a bar in it. */
const LANE = 11;
const BAR = 8;

/** What belongs into a row. */
export interface RowContents {
  readonly top: number;
  /** Those of its workers. */
  readonly faults: readonly Fault[];
  readonly pauses: readonly Span[];
  /** By attempt. */
  readonly writes: ReadonlyMap<Attempt, readonly WriteEvent[]>;
  /** Events that prove a violation. */
  readonly bad: ReadonlySet<HistoryEvent | undefined>;
}

/**
 * Tells how high a row is.
 *
 * @param row The row.
 * @returns Its height in pixels.
 */
export function heightOf({ lanes }: Row): number {
  return lanes * LANE;
}

/** Draws what the processes of one slot did to one lock. */
export function drawRow(canvas: Canvas, row: Row, inside: RowContents): void {
  const { top } = inside;
  const bottom = top + heightOf(row);
  const runtime = row.workers.at(-1)?.starts[0]?.runtime ?? "";
  canvas.text("text.weak", `${row.slot} ${runtime}`, { x: 24, y: top + 9 });
  for (const fault of inside.faults) drawFault(canvas, fault, { top, bottom });
  for (const pause of inside.pauses) {
    const tip = `paused ${canvas.when(pause)}`;
    canvas.box("rect.pause", pause, { top, bottom, tip });
  }
  for (const entry of row.entries) drawEntry(canvas, entry, inside);
  for (const { name, killedAt } of row.workers) {
    if (killedAt === undefined) continue;
    const tip = `${name} is killed at ${canvas.second(killedAt)}`;
    const y = (top + bottom) / 2;
    canvas.shape("path.kill", killedAt, {
      y,
      path: "M-4 -4l8 8m0 -8l-8 8",
      tip,
    });
  }
}

/** Draws a fault as a band, and its recovery if it suspends anything. */
export function drawFault(
  canvas: Canvas,
  fault: Fault,
  { top, bottom }: Omit<Box, "tip">,
): void {
  const { begin: { kind, detail }, suspends, until, recoveredAt, from } = fault;
  if (!canvas.overlaps({ from, until: recoveredAt })) return;
  const recoveryMs = recoveredAt - until;
  const tip = [kind, detail, canvas.when(fault)].filter(Boolean).join(" ") +
    (suspends.length > 0
      ? `\nsuspends ${suspends.join(", ")}, and for ${recoveryMs} ms after`
      : "");
  if (suspends.length > 0) {
    const recovery = { from: until, until: recoveredAt };
    canvas.box("rect.recovery", recovery, { top, bottom, tip });
  }
  canvas.box("rect.fault", fault, { top, bottom, tip });
  const x = canvas.x(from) + 2;
  canvas.text("text.fault-name", kind, { x, y: top + 8 });
}

function drawEntry(canvas: Canvas, entry: Entry, inside: RowContents): void {
  const { attempt, tenure, from, until, lane } = entry;
  const { worker, refuse, invoke, name } = attempt;
  const top = inside.top + lane * LANE + 1;
  const what = `${worker.name} #${invoke.id} "${name}"`;
  const waited = { from, until: tenure?.from ?? until };
  const outcome = refuse ? `is refused: ${refuse.code}` : "waits";
  const kind = [
    "line.wait",
    refuse ? "refused" : "",
    inside.bad.has(invoke) || inside.bad.has(refuse) ? "bad" : "",
  ].filter(Boolean).join(".");
  const tip = `${what} ${outcome} ${canvas.when(waited)}`;
  canvas.line(kind, waited, { y: top + BAR / 2, tip });
  if (tenure) drawTenure(canvas, { ...entry, tenure }, { inside, top, what });
}

function drawTenure(
  canvas: Canvas,
  { attempt, tenure }: Entry & { readonly tenure: Span },
  { inside, top, what }: {
    readonly inside: RowContents;
    readonly top: number;
    readonly what: string;
  },
): void {
  const { worker, grant, held, lost, release, released } = attempt;
  if (release && released) {
    const freeing = { from: release.at, until: released.at };
    const tip = `${what} releases ${canvas.when(freeing)}`;
    canvas.line("line.free", freeing, { y: top + BAR / 2, tip });
  }
  const bad = [grant, held, lost, release].some((part) => inside.bad.has(part));
  const token = grant?.token ? ` token ${grant.token}` : "";
  const box = { top, bottom: top + BAR };
  canvas.box(bad ? "rect.hold.bad" : "rect.hold", tenure, {
    ...box,
    tip: `${what} holds${token} ${canvas.when(tenure)}`,
    fill: runtimeColour(worker.starts[0]?.runtime ?? ""),
  });
  for (const write of inside.writes.get(attempt) ?? []) {
    const kind = inside.bad.has(write) ? "line.write.bad" : "line.write";
    canvas.moment(kind, write.at, { ...box, tip: tell(write, canvas) });
  }
  if (!lost) return;
  const tip = `${what} is told of the loss at ${canvas.second(lost.at)}`;
  const path = "M0 -1l5 5l-5 5l-5 -5z";
  canvas.shape("path.lost", lost.at, { y: top, path, tip });
}

function tell(write: WriteEvent, canvas: Canvas): string {
  const { store, accepted, base, found, at } = write;
  const outcome = accepted ? "takes" : "refuses";
  return `the ${store} store ${outcome} a write at ${canvas.second(at)}: ` +
    `read ${base}, found ${found}`;
}
