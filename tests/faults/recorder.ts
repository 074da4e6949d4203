/** Writing a history. */
import { closeSync, openSync, writeSync } from "node:fs";
import { monotonicMs } from "./clock.ts";
import type { HistoryEvent } from "./history.ts";

/** An event; without a stamp it is stamped as it is recorded. */
export type Unstamped = HistoryEvent extends infer E
  ? E extends HistoryEvent ? Omit<E, "at"> & { at?: number } : never
  : never;

/** Appends events to a file. */
export class Recorder {
  readonly #file: number;

  /** Opens or creates the file. */
  constructor(path: string) {
    this.#file = openSync(path, "a");
  }

  /** Writes an event. It is out when this returns, whatever comes then. */
  record(event: Unstamped): void {
    const stamped = { at: monotonicMs(), ...event };
    writeSync(this.#file, JSON.stringify(stamped) + "\n");
  }

  /** Closes the file. */
  close(): void {
    closeSync(this.#file);
  }
}
