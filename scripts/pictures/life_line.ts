import { element, escapeText } from "../../tests/faults/timeline_svg.ts";
import type { Owner } from "./sequence.ts";

/** What somebody does for a while. */
type State = Owner | "waits" | "rests";

interface Span {
  readonly from: number;
  readonly until: number;
  readonly state: State;
}

const BAR = 12;

/** Who says that the keeper keeps the lock for them. */
const NAMES: Readonly<Record<Owner, string>> = { a: "A's", b: "B's" };

/** An actor's line down, with a bar where it holds or waits. */
export class LifeLine {
  readonly #x: number;
  readonly #side: "left" | "keeper" | "right";
  readonly #spans: Span[] = [];
  #begun: { readonly at: number; readonly state: State } | null = null;
  #killedAt: number | null = null;

  /**
   * @param x Where it is.
   * @param side Where it stands: what is said of it stands outside.
   */
  constructor(x: number, side: "left" | "keeper" | "right") {
    this.#x = x;
    this.#side = side;
  }

  /** Begins to hold or to wait, and ends what was. */
  begin(at: number, state: State): void {
    this.end(at);
    this.#begun = { at, state };
  }

  /** Ends what was. */
  end(at: number): void {
    if (this.#begun === null) return;
    const { at: from, state } = this.#begun;
    this.#spans.push({ from, until: at, state });
    this.#begun = null;
  }

  /** Ends what was, and does nothing. */
  rest(at: number): void {
    this.begin(at, "rests");
  }

  /** Ends for good. */
  kill(at: number): void {
    this.end(at);
    this.#killedAt = at;
  }

  /**
   * Draws it.
   *
   * @param top Where it begins.
   * @param bottom Where it ends.
   * @returns The elements.
   */
  draw(top: number, bottom: number): string[] {
    this.end(bottom);
    const end = this.#killedAt ?? bottom;
    const line = { x1: this.#x, x2: this.#x, y1: top, y2: end };
    return [
      element("line.life", line),
      ...this.#spans.flatMap((span) => this.#drawSpan(span)),
      ...this.#killedAt === null ? [] : this.#drawKill(this.#killedAt),
    ];
  }

  #drawSpan({ from, until, state }: Span): string[] {
    const text = this.#tell(state);
    const label = text ? [this.#label("text", text, from + 15)] : [];
    if (state === "rests") return label;
    const kind = state === "waits" ? "rect.waits" : `rect.by-${state}`;
    const box = { x: this.#x - BAR / 2, y: from, width: BAR };
    return [element(kind, { ...box, height: until - from }), ...label];
  }

  #tell(state: State): string {
    const isKeeper = this.#side === "keeper";
    if (state === "rests") return isKeeper ? "free" : "";
    if (state === "waits") return "waits";
    return isKeeper ? NAMES[state] : "holds";
  }

  #drawKill(at: number): string[] {
    const d = `M${this.#x - 8} ${at - 8}l16 16m0 -16l-16 16`;
    return [
      element("path.kill", { d }),
      this.#label("text.killed", "killed", at + 5),
    ];
  }

  #label(kind: string, text: string, y: number): string {
    const away = this.#side === "left" ? -1 : 1;
    const x = this.#x + away * 14;
    const anchor = away < 0 ? { "text-anchor": "end" } : {};
    return element(kind, { x, y, ...anchor }, escapeText(text));
  }
}
