import {
  element,
  escapeText,
  svgFile,
} from "../../tests/faults/timeline_svg.ts";
import { LifeLine } from "./life_line.ts";
import type { Message, Part, Place, Sequence, Step } from "./sequence.ts";
import { style } from "./style.ts";
import { breakLines, fitCode, widthOf } from "./text.ts";

const WIDTH = 900;
const MARGIN = 20;

/** Where the life lines are. */
const X: Readonly<Record<Place, number>> = { a: 120, keeper: 450, b: 780 };
const PLACES = ["a", "keeper", "b"] as const;

const HEAD = 46;
const LINE = 18;
/** Between a life line and what stands beside it. */
const GAP = 14;
const NOTE_WIDTH = 284;
const PADDING = 8;

/**
 * Draws a sequence.
 *
 * @param sequence What to draw.
 * @returns An SVG file's text, without scripts.
 * @throws {RangeError} If a text does not fit.
 */
export function drawSequence(sequence: Sequence): string {
  const { title, actors } = sequence;
  const drawing = new Drawing();
  for (const part of sequence.parts) drawing.part(part, actors);
  const height = drawing.y + MARGIN - 10;
  return svgFile(
    { title, style, width: WIDTH, height },
    element("text.title", { x: MARGIN, y: 34 }, escapeText(title)),
    ...drawing.elements,
  );
}

class Drawing {
  readonly elements: string[] = [];
  /** Where the next step begins. */
  y = 52;
  /** Where the last message was. */
  #at = 0;
  #lines: Readonly<Record<Place, LifeLine>> = this.#newLines();

  part({ title, steps }: Part, actors: Sequence["actors"]): void {
    this.y += 8;
    this.#rule();
    this.#text("text.part", title, { x: MARGIN, y: this.y + 26 });
    this.y += 42;
    for (const place of PLACES) this.#head(X[place], actors[place]);
    this.y += HEAD + 6;
    this.#at = this.y;
    this.#lines = this.#newLines();
    // What lies behind is drawn first, and its end is known last.
    const behind = this.elements.length;
    const top = this.y - 6;
    for (const step of steps) this.#step(step);
    this.y += 8;
    const lines = PLACES.flatMap((place) =>
      this.#lines[place].draw(top, this.y)
    );
    this.elements.splice(behind, 0, ...lines);
    this.y += 6;
  }

  #newLines(): Readonly<Record<Place, LifeLine>> {
    return {
      a: new LifeLine(X.a, "left"),
      keeper: new LifeLine(X.keeper, "keeper"),
      b: new LifeLine(X.b, "right"),
    };
  }

  #step(step: Step): void {
    if (step.kind === "messages") return this.#messages(step.messages);
    if (step.kind === "note") return this.#note(X[step.at], step.text);
    if (step.kind === "pause") return this.#pause(step.text);
    const line = this.#lines[step.at];
    if (step.kind === "holds") line.begin(this.#at, step.owner);
    else if (step.kind === "waits") line.begin(this.#at, "waits");
    else if (step.kind === "rests") line.rest(this.#at);
    else this.#kill(line);
  }

  // Far enough down for it to be seen what ends.
  #kill(line: LifeLine): void {
    this.#at = this.y + 32;
    line.kill(this.#at);
    this.y += 52;
  }

  #messages(messages: readonly Message[]): void {
    this.#at = this.y + 26;
    for (const message of messages) this.#message(message);
    const hasResult = messages.some(({ result }) => result !== undefined);
    this.y += hasResult ? 52 : 36;
  }

  #message({ from, to, text, result }: Message): void {
    const way = Math.sign(X[to] - X[from]);
    const x1 = X[from] + way * 7;
    const x2 = X[to] - way * 8;
    const y = this.#at;
    const head = `M${x2 - way * 8} ${y - 4}l${way * 8} 4l${-way * 8} 4`;
    const arrow = { d: `M${x1} ${y}H${x2}${head}` };
    this.elements.push(element("path.arrow", arrow));
    // Past the keeper: what is said stands at who says it.
    this.#code("text.says", text, { x: nextTo(from, to), y: y - 8 });
    if (result === undefined) return;
    this.#code("text.says.weak", result, { x: nextTo(to, from), y: y + 17 });
  }

  #code(
    kind: string,
    text: string,
    place: { readonly x: number; readonly y: number },
  ): void {
    const room = X.keeper - X.a - 28;
    const middle = { ...place, "text-anchor": "middle" };
    this.#text(kind, fitCode(text, room), middle);
  }

  #note(x: number, text: string): void {
    const lines = breakLines(text, NOTE_WIDTH - 2 * PADDING);
    const width = widthOf(lines) + 2 * PADDING;
    const height = lines.length * LINE + 10;
    const left = x === X.a
      ? x + GAP
      : x === X.b
      ? x - GAP - width
      : x - width / 2;
    // Below what stands beside the keeper's bar.
    const top = this.y + (x === X.keeper ? 12 : 4);
    const box = { x: left, y: top, width, height, rx: 4 };
    this.elements.push(element("rect.note", box));
    lines.forEach((line, i) => {
      const y = top + 19 + i * LINE;
      this.#text("text", line, { x: left + PADDING, y });
    });
    this.#at = top + height;
    this.y = this.#at + 4;
  }

  // It cuts the life lines through.
  #pause(text: string): void {
    const [x1, x2] = [X.a - 60, X.b + 60];
    const [top, bottom] = [this.y + 12, this.y + 40];
    const box = { x: x1, y: top, width: x2 - x1, height: bottom - top };
    this.elements.push(
      element("rect.ground", box),
      ...[top, bottom].map((y) =>
        element("line.pause", { x1, x2, y1: y, y2: y })
      ),
    );
    const place = { x: X.keeper, y: top + 19, "text-anchor": "middle" };
    this.#text("text.weak", text, place);
    this.#at = bottom;
    this.y = bottom + 6;
  }

  #head(x: number, { name, detail }: Sequence["actors"][Place]): void {
    const width = x === X.keeper ? 270 : 170;
    const box = { x: x - width / 2, y: this.y, width, height: HEAD, rx: 5 };
    this.elements.push(element("rect.actor", box));
    const middle = { x, "text-anchor": "middle" };
    this.#text("text.name", name, { ...middle, y: this.y + 19 });
    const shown = fitCode(detail, width);
    this.#text("text.says.weak", shown, { ...middle, y: this.y + 37 });
  }

  #rule(): void {
    const line = { x1: MARGIN, x2: WIDTH - MARGIN, y1: this.y, y2: this.y };
    this.elements.push(element("line.rule", line));
  }

  #text(
    kind: string,
    text: string,
    place: Readonly<Record<string, number | string>>,
  ): void {
    this.elements.push(element(kind, place, escapeText(text)));
  }
}

/** The middle between a place and the keeper, or whom it has to do with. */
function nextTo(place: Place, other: Place): number {
  if (place === "keeper") return nextTo(other, place);
  return (X[place] + X.keeper) / 2;
}
