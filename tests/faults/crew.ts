/** The workers of a run: started, killed, replaced, and accounted for. */
import type { TestRuntime } from "../_runtimes.ts";
import { Child, type Exit } from "../_child.ts";
import { programFile } from "../_fixture.ts";
import { until, within } from "../_time.ts";
import { monotonicMs } from "./clock.ts";
import { forgetClock } from "./host_clock.ts";
import type { Recorder } from "./recorder.ts";
import type { WorkerPlan } from "./worker_plan.ts";

/** How to start the workers. */
export interface CrewOptions {
  /** How many work at once. */
  readonly slots: number;
  /** Each slot has one of these, in turn. */
  readonly runtimes: readonly TestRuntime[];
  /** What the worker of a slot is told. */
  plan(slot: number, worker: string, runtime: string): WorkerPlan;
  /** The command that starts a slot's worker, around the runtime's own. */
  wrap(slot: number, command: readonly string[]): readonly string[];
  readonly recorder: Recorder;
}

interface Member {
  readonly worker: string;
  readonly child: Child;
  killedAt: number | undefined;
  /** Settles when its end has been recorded. */
  readonly over: Promise<void>;
}

/** A worker starts within this time, though others load the machine. */
const START_MS = 30_000;
/** After a stop, a worker gets, does and gives back what it waits for. */
const STOP_MS = 30_000;

/** Processes in numbered slots. */
export class Crew {
  readonly #options: CrewOptions;
  readonly #members: (Member | undefined)[] = [];
  readonly #filled: number[] = [];
  /** What workers that ended by themselves said on standard error. */
  readonly complaints: string[] = [];

  /** Starts nobody yet. */
  constructor(options: CrewOptions) {
    this.#options = options;
  }

  /** Fills all slots. */
  async start(): Promise<void> {
    const slots = Array.from({ length: this.#options.slots }, (_, i) => i);
    await Promise.all(slots.map((slot) => this.fill(slot)));
  }

  /** The name of a slot's worker. */
  worker(slot: number): string {
    return this.#at(slot).worker;
  }

  /** Starts a slot's next worker. */
  async fill(slot: number): Promise<void> {
    const { runtimes, wrap, plan } = this.#options;
    const runtime = runtimes[slot % runtimes.length]!;
    const fills = this.#filled[slot] = (this.#filled[slot] ?? 0) + 1;
    const worker = `${slot}.${fills}`;
    const told = JSON.stringify(plan(slot, worker, runtime.id));
    const program = programFile("tests/faults/worker.ts");
    const child = new Child(wrap(slot, [...runtime.command, program, told]));
    const member: Member = {
      worker,
      child,
      killedAt: undefined,
      over: child.exited.then((exit) => this.#account(member, exit)),
    };
    this.#members[slot] = member;
    const ready = until(
      `the start of ${child.describe()}`,
      () => child.over || child.lines.some((line) => line.startsWith("ready")),
      START_MS,
    );
    await ready;
    if (child.over) throw new Error(child.describe());
  }

  /** Kills workers at once and fills their slots again. */
  async kill(slots: readonly number[]): Promise<void> {
    for (const slot of slots) {
      const member = this.#at(slot);
      member.killedAt = monotonicMs();
      member.child.signal("SIGKILL");
    }
    await Promise.all(slots.map(async (slot) => {
      await within(STOP_MS, "the end of a killed worker", this.#at(slot).over);
      await this.fill(slot);
    }));
  }

  /** Stops or continues a worker. */
  signal(slot: number, signal: "SIGSTOP" | "SIGCONT"): void {
    this.#at(slot).child.signal(signal);
  }

  /** Blocks a worker's event loop, and waits until it turns again. */
  async block(slot: number, ms: number): Promise<void> {
    const { child } = this.#at(slot);
    const isDone = (line: string): boolean => line === "unblocked";
    const before = child.lines.filter(isDone).length;
    child.write(`block ${Math.round(ms)}`);
    const after = (): boolean => child.lines.filter(isDone).length > before;
    await until("an event loop", () => child.over || after(), ms + START_MS);
  }

  /** Has all end by themselves; who does not is ended, which its exit shows. */
  async stop(): Promise<void> {
    const members = this.#members.filter((member) => member !== undefined);
    for (const { child } of members) {
      child.write("stop");
      child.endInput();
    }
    await Promise.all(members.map(async ({ child, worker, over }) => {
      await within(STOP_MS, worker, over).catch(async () => {
        this.complaints.push(`${worker} does not end: ${child.errors}`);
        await child.end();
        await over;
      });
    }));
  }

  /** Ends all, when a run is given up. */
  async end(): Promise<void> {
    await Promise.all(
      this.#members.map((member) => member?.child.end()),
    );
  }

  #at(slot: number): Member {
    const member = this.#members[slot];
    if (!member) throw new RangeError(`Nobody is in slot ${slot}`);
    return member;
  }

  #account({ worker, child, killedAt }: Member, exit: Exit): void {
    const killed = killedAt === undefined ? {} : { killedAt };
    const { recorder } = this.#options;
    forgetClock(child.pid);
    recorder.record({ type: "exit", worker, ...exit, ...killed });
    if (killedAt !== undefined || exit.code === 0) return;
    this.complaints.push(`${worker} ended: ${child.errors}`);
  }
}
