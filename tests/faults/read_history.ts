import { readFile } from "node:fs/promises";
import type { HistoryEvent } from "./history.ts";

/** The types of each event's fields, several where it may be one of them. */
const FIELDS: Readonly<
  Record<HistoryEvent["type"], Readonly<Record<string, string>>>
> = {
  start: { worker: "string", runtime: "string", pid: "number" },
  invoke: {
    worker: "string",
    id: "number",
    name: "string",
    waits: "boolean",
  },
  grant: { worker: "string", id: "number", token: "string|null" },
  refuse: { worker: "string", id: "number", code: "string" },
  held: { worker: "string", id: "number" },
  write: {
    worker: "string",
    id: "number",
    name: "string",
    store: "string",
    token: "string|null",
    accepted: "boolean",
    base: "number",
    found: "number",
  },
  lost: { worker: "string", id: "number" },
  release: { worker: "string", id: "number" },
  released: { worker: "string", id: "number", code: "string|undefined" },
  pause: { worker: "string", from: "number" },
  exit: {
    worker: "string",
    code: "number|null",
    signal: "string|null",
    killedAt: "number|undefined",
  },
  fault: {
    fault: "number",
    kind: "string",
    phase: "string",
    worker: "string|undefined",
    suspends: "array",
    recoveryMs: "number",
    detail: "string|undefined",
  },
  left: { what: "string" },
};

/**
 * Reads a history from files of a line of JSON for each event. The last line
 * of a file is left out if it is torn, since its process may have been killed
 * while it wrote it.
 *
 * @param paths The files.
 * @returns The events of all files, in the order of their times.
 * @throws {SyntaxError} If another line is no event; names file and line.
 */
export async function readHistory(
  paths: readonly string[],
): Promise<HistoryEvent[]> {
  const events: HistoryEvent[] = [];
  for (const path of paths) {
    const lines = (await readFile(path, "utf8")).split("\n");
    lines.forEach((line, i) => {
      if (line === "") return;
      const event = parseEvent(line);
      if (typeof event !== "string") events.push(event);
      else if (event !== TORN || i !== lines.length - 1) {
        throw new SyntaxError(`Cannot read ${path}:${i + 1}: ${event}`);
      }
    });
  }
  return sortByTime(events);
}

/**
 * Sorts events by their times; what has the same time keeps its order.
 *
 * @param events The events.
 * @returns A sorted copy.
 */
export function sortByTime(events: readonly HistoryEvent[]): HistoryEvent[] {
  return [...events].sort((a, b) => a.at - b.at);
}

const TORN = "no whole JSON";

/** An event, or what is wrong with its line. */
function parseEvent(line: string): HistoryEvent | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return TORN;
  }
  if (typeOf(value) !== "object") return "not an object";
  const record = value as Record<string, unknown>;
  if (!Number.isFinite(record["at"])) return "no time";
  const type = String(record["type"]);
  if (!Object.hasOwn(FIELDS, type)) return `no such event: "${type}"`;
  const fields = FIELDS[type as HistoryEvent["type"]];
  for (const field in fields) {
    const found = typeOf(record[field]);
    if (!fields[field]!.split("|").includes(found)) {
      return `"${field}" of "${type}" is ${found}`;
    }
  }
  return value as HistoryEvent;
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}
