/** What the demo and its workers tell each other. */

/** One piece of work. */
export interface Job {
  /** The job's name; its lock and its result file are named after it. */
  readonly name: string;
  /** How long the work takes, in milliseconds. */
  readonly workMs: number;
}

/** What a worker is given when it starts. */
export interface Plan {
  /** What the names of this run's locks begin with. */
  readonly prefix: string;
  /** Which lock to use. */
  readonly lock: "socket" | "file";
  /** Where the results of finished jobs go. */
  readonly folder: string;
  /** The jobs, in the order in which to try them. */
  readonly jobs: readonly Job[];
}

/** What a worker reports: one line of JSON each, on its standard output. */
export type WorkerEvent =
  | { type: "ready"; pid: number; runtime: string }
  | { type: "started"; job: string; passedOver: number }
  | { type: "finished"; job: string }
  | { type: "waiting"; jobs: number };
