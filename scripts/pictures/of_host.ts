/**
 * What the processes of one host say to each other, as the pictures of their
 * locks show it.
 *
 * @module
 */
import { OVERTAKING_MS } from "../../backends/host/periods.ts";
import { type Hello, type Reply, toLine } from "../../backends/host/wire.ts";
import { type Message, message, type Step } from "./sequence.ts";

const hello: Hello = {
  want: "turn",
  waitedMs: 0,
  claim: false,
  aheadBefore: null,
};

const reply: Reply = {
  ahead: 0,
  others: 0,
  settlesInMs: OVERTAKING_MS,
  host: "web-3",
  pid: 812,
  acquiredAt: 0,
};

/** B connects to A, and is told its place. */
export const visits: Step = message(
  "b",
  "a",
  shorten(toLine(hello), "claim"),
  shorten(toLine(reply), "settlesInMs"),
);

/** A sends B away. */
export const sendsAway: Message = {
  from: "a",
  to: "b",
  text: "end of the connection",
};

/** The kernel ends the connection of a process that is dead. */
export const isCutOff: Message = {
  from: "keeper",
  to: "b",
  text: "end of the connection",
};

/** Leaves out what a line says from a key on. */
function shorten(line: string, key: string): string {
  return `${line.slice(0, line.indexOf(`"${key}"`))}…}`;
}
