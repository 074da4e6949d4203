/**
 * Sequences of messages, as they are described to be drawn.
 *
 * @module
 */

/** Where an actor stands: A at the left, B at the right, between them what
 * keeps the lock. */
export type Place = "a" | "keeper" | "b";

/** Who has the lock, or the place of the keeper that stands for it. */
export type Owner = "a" | "b";

/** Somebody who sends and receives. */
export interface Actor {
  readonly name: string;
  /** What it is, in a line below. */
  readonly detail: string;
}

/** What one tells another. */
export interface Message {
  readonly from: Place;
  readonly to: Place;
  /** Above its arrow. */
  readonly text: string;
  /** Below its arrow: what came of it. */
  readonly result?: string;
}

/** One step of a sequence; those that are no messages happen with the last. */
export type Step =
  /** Messages side by side. */
  | { readonly kind: "messages"; readonly messages: readonly Message[] }
  /** A text beside a life line. */
  | { readonly kind: "note"; readonly at: Place; readonly text: string }
  /** Time in which nothing else happens. */
  | { readonly kind: "pause"; readonly text: string }
  /** From here on it holds the lock, or keeps it for somebody. */
  | { readonly kind: "holds"; readonly at: Place; readonly owner: Owner }
  /** From here on it waits. */
  | { readonly kind: "waits"; readonly at: Place }
  /** From here on it does neither. */
  | { readonly kind: "rests"; readonly at: Place }
  /** It is killed. */
  | { readonly kind: "killed"; readonly at: Place };

/** A part of a sequence, below a heading of its own. */
export interface Part {
  readonly title: string;
  readonly steps: readonly Step[];
}

/** A sequence. */
export interface Sequence {
  readonly title: string;
  readonly actors: Readonly<Record<Place, Actor>>;
  readonly parts: readonly Part[];
}

/** Messages that are sent at one time. */
export function messages(...messages: readonly Message[]): Step {
  return { kind: "messages", messages };
}

/**
 * A message.
 *
 * @param from Who sends it.
 * @param to Who gets it.
 * @param texts What it says, and what comes of it.
 */
export function message(
  from: Place,
  to: Place,
  ...[text, result]: readonly [text: string, result?: string]
): Step {
  return messages({ from, to, text, ...result !== undefined && { result } });
}

/** A text beside a life line. */
export function note(at: Place, text: string): Step {
  return { kind: "note", at, text };
}

/** Time in which nothing else happens. */
export function pause(text: string): Step {
  return { kind: "pause", text };
}

/** From here on it holds the lock, or keeps it for somebody. */
export function holds(at: Place, owner: Owner): Step {
  return { kind: "holds", at, owner };
}

/** From here on it waits. */
export function waits(at: Place): Step {
  return { kind: "waits", at };
}

/** From here on it neither holds nor waits. */
export function rests(at: Place): Step {
  return { kind: "rests", at };
}

/** It is killed. */
export function killed(at: Place): Step {
  return { kind: "killed", at };
}
