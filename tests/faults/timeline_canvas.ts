import type { Span } from "./spans.ts";
import { element, escapeText, tooltip } from "./timeline_svg.ts";

/** What a canvas shows. */
export interface View {
  /** The time that it shows. */
  readonly window: Span;
  /** The time that counts as 0. */
  readonly begin: number;
  /** In pixels. */
  readonly width: number;
}

/** Where a box is from top to bottom, and what it says. */
export interface Box {
  readonly top: number;
  readonly bottom: number;
  readonly tip: string;
  readonly fill?: string;
}

/** The room at the left for names, and at each side. */
const GUTTER = 110;
const MARGIN = 16;

/** Elements of an SVG, placed by time; what is out of its window is left out. */
export class Canvas {
  readonly view: View;
  readonly elements: string[] = [];

  constructor(view: View) {
    this.view = view;
  }

  /** Draws a span from its begin to its end. */
  box(kind: string, span: Span, { top, bottom, tip, fill }: Box): void {
    if (!this.overlaps(span)) return;
    const x = this.x(span.from);
    const width = Math.max(0.5, this.x(span.until) - x);
    const box = { x, y: top, width, height: bottom - top, fill };
    this.elements.push(element(kind, box, tooltip(tip)));
  }

  /** Draws a span as a line. */
  line(kind: string, span: Span, { y, tip }: { y: number; tip: string }): void {
    if (!this.overlaps(span)) return;
    const [x1, x2] = [this.x(span.from), this.x(span.until)];
    this.elements.push(element(kind, { x1, x2, y1: y, y2: y }, tooltip(tip)));
  }

  /** Draws a moment as a line down. */
  moment(kind: string, at: number, { top, bottom, tip }: Box): void {
    if (!this.shows(at)) return;
    const x = this.x(at);
    const line = { x1: x, x2: x, y1: top, y2: bottom };
    this.elements.push(element(kind, line, tooltip(tip)));
  }

  /** Draws a moment as a shape that begins there. */
  shape(
    kind: string,
    at: number,
    { y, path, tip }: { y: number; path: string; tip: string },
  ): void {
    if (!this.shows(at)) return;
    const transform = `translate(${this.x(at).toFixed(2)} ${y})`;
    this.elements.push(element(kind, { d: path, transform }, tooltip(tip)));
  }

  /** Writes a text. */
  text(
    kind: string,
    text: string,
    at: Readonly<Record<string, number | string>>,
  ): void {
    this.elements.push(element(kind, at, escapeText(text)));
  }

  /** Where a time is; what is out of the window is at its border. */
  x(at: number): number {
    const { window: { from, until }, width } = this.view;
    const within = Math.min(Math.max(at, from), until);
    const room = width - GUTTER - 2 * MARGIN;
    return GUTTER + MARGIN + (within - from) / (until - from) * room;
  }

  shows(at: number): boolean {
    return this.overlaps({ from: at, until: at });
  }

  overlaps({ from, until }: Span): boolean {
    const { window } = this.view;
    return from <= window.until && until >= window.from;
  }

  /** A time in words. */
  second(at: number): string {
    return `${((at - this.view.begin) / 1000).toFixed(4)} s`;
  }

  /** A span in words. */
  when({ from, until }: Span): string {
    const length = until === Infinity
      ? "without an end"
      : `for ${(until - from).toFixed(2)} ms`;
    return `from ${this.second(from)} ${length}`;
  }
}
