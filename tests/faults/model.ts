import type {
  ExitEvent,
  FaultEvent,
  GrantEvent,
  HeldEvent,
  HistoryEvent,
  InvokeEvent,
  LeftEvent,
  LostEvent,
  PauseEvent,
  RefuseEvent,
  ReleasedEvent,
  ReleaseEvent,
  StartEvent,
  Suspension,
  WriteEvent,
} from "./history.ts";
import { sortByTime } from "./read_history.ts";
import { type Span, Spans } from "./spans.ts";

/** The longest pause before a kill that nobody could tell of. */
const UNTOLD_MS = 100;

/** A process that took locks. */
export interface Worker {
  readonly name: string;
  readonly starts: StartEvent[];
  readonly exits: ExitEvent[];
  readonly attempts: Map<number, Attempt>;
  /** When it was killed or ended, whichever is first; else Infinity. */
  endedAt: number;
  killedAt: number | undefined;
  /** The last event that it wrote itself. */
  last: HistoryEvent | undefined;
  /** When it did not run. */
  pauses: Spans;
  /** When it need not get on: its pauses, and what suspends progress. */
  stalls: Spans;
}

/** An attempt to hold a lock, and what became of it. */
export interface Attempt {
  readonly worker: Worker;
  readonly name: string;
  readonly invoke: InvokeEvent;
  grant?: GrantEvent;
  /** Where its grant is in the history. */
  grantIndex: number;
  refuse?: RefuseEvent;
  /** The last time that it was held for sure. */
  held?: HeldEvent;
  lost?: LostEvent;
  release?: ReleaseEvent;
  released?: ReleasedEvent;
  /** When it was granted, refused, or ended with its worker; or Infinity. */
  settledAt: number;
}

/** The time in which an attempt's worker could believe to hold the lock. */
export interface Tenure extends Span {
  readonly attempt: Attempt;
  readonly grant: GrantEvent;
  /** What ended it, if anything did. */
  readonly end: HistoryEvent | undefined;
  /** When the lock was given back, as far as the worker knows. */
  readonly freeAt: number;
}

/** A fault, from before it was done until after it was undone. */
export interface Fault extends Span {
  readonly begin: FaultEvent;
  readonly end: FaultEvent | undefined;
  readonly worker: string | undefined;
  readonly suspends: readonly Suspension[];
  /** When what it suspended must hold again. */
  readonly recoveredAt: number;
}

/** All that was done under one name. */
export interface Named {
  readonly name: string;
  /** In the order of their invokes. */
  readonly attempts: Attempt[];
  /** In the order of their grants. */
  readonly tenures: Tenure[];
  /** In the stores' order. */
  readonly writes: WriteEvent[];
}

/** A history, put together. */
export interface Model {
  /** In the order of their times. */
  readonly events: readonly HistoryEvent[];
  /** The time of the first event, until that of the last. */
  readonly whole: Span;
  readonly workers: ReadonlyMap<string, Worker>;
  readonly names: ReadonlyMap<string, Named>;
  readonly faults: readonly Fault[];
  readonly left: readonly LeftEvent[];
  /** Events that belong to no attempt, or are there already. */
  readonly strays: readonly HistoryEvent[];
  /** When something is suspended, with the recoveries. */
  suspended(what: Suspension): Spans;
}

/**
 * Puts the events of a history together.
 *
 * @param unsorted The events, in any order.
 * @returns What they tell.
 */
export function modelHistory(unsorted: readonly HistoryEvent[]): Model {
  const events = sortByTime(unsorted);
  const parts = new Parts();
  for (const event of events) parts.declare(event);
  events.forEach((event, i) => parts.attach(event, i));
  return parts.finish(events);
}

class Parts {
  readonly #workers = new Map<string, Worker>();
  readonly #names = new Map<string, Named>();
  readonly #faults = new Map<number, FaultEvent[]>();
  readonly #pauses = new Map<string, Span[]>();
  readonly #strays: HistoryEvent[] = [];
  readonly #left: LeftEvent[] = [];

  /** A store's write may have the very time of its grant, and come first. */
  declare(event: HistoryEvent): void {
    if (event.type === "invoke") this.#invoke(event);
    else if (event.type === "start") this.#worker(event).starts.push(event);
    else if (event.type === "exit") this.#worker(event).exits.push(event);
    else if (event.type === "fault") this.#fault(event);
    else if (event.type === "left") this.#left.push(event);
    else if (event.type === "pause") {
      this.#pause(event.worker, { from: event.from, until: event.at });
    }
  }

  attach(event: HistoryEvent, index: number): void {
    if (isOwn(event)) this.#worker(event).last = event;
    if (!isOfAttempt(event)) return;
    const attempt = this.#worker(event).attempts.get(event.id);
    if (!attempt) this.#strays.push(event);
    else if (event.type === "write") this.#named(event).writes.push(event);
    else if (event.type === "held") attempt.held = event;
    else if (attempt[event.type]) this.#strays.push(event);
    else {
      Object.assign(attempt, { [event.type]: event });
      if (event.type === "grant") attempt.grantIndex = index;
    }
  }

  finish(events: readonly HistoryEvent[]): Model {
    const faults = [...this.#faults.values()].map(toFault)
      .sort((a, b) => a.from - b.from);
    for (const { begin, worker, from, until } of faults) {
      if (begin.kind === "stop" && worker) this.#pause(worker, { from, until });
    }
    const suspended = suspensions(faults);
    for (const worker of this.#workers.values()) {
      settleWorker(worker);
      worker.pauses = this.#pausesOf(worker);
      worker.stalls = worker.pauses.with(suspended("progress"));
    }
    for (const { attempts, tenures } of this.#names.values()) {
      for (const attempt of attempts) settle(attempt, tenures);
      tenures.sort((a, b) => a.attempt.grantIndex - b.attempt.grantIndex);
    }
    return {
      events,
      whole: { from: events[0]?.at ?? 0, until: events.at(-1)?.at ?? 0 },
      workers: this.#workers,
      names: this.#names,
      faults,
      left: this.#left,
      strays: this.#strays,
      suspended,
    };
  }

  /**
   * Who is killed soon after a pause, and has said nothing since, may not have
   * been run again: another pause would have been told of only after it.
   */
  #pausesOf({ name, killedAt = Infinity, last }: Worker): Spans {
    const spans = this.#pauses.get(name) ?? [];
    return new Spans(spans.map((span) => {
      const isLast = span.until >= (last?.at ?? Infinity);
      const isSoon = killedAt - span.until <= UNTOLD_MS;
      return isLast && isSoon ? { from: span.from, until: killedAt } : span;
    }));
  }

  #worker({ worker: name }: { worker: string }): Worker {
    let worker = this.#workers.get(name);
    if (!worker) {
      worker = {
        name,
        starts: [],
        exits: [],
        attempts: new Map(),
        endedAt: Infinity,
        killedAt: undefined,
        last: undefined,
        pauses: new Spans([]),
        stalls: new Spans([]),
      };
      this.#workers.set(name, worker);
    }
    return worker;
  }

  #named({ name }: { name: string }): Named {
    let named = this.#names.get(name);
    if (!named) {
      named = { name, attempts: [], tenures: [], writes: [] };
      this.#names.set(name, named);
    }
    return named;
  }

  #invoke(invoke: InvokeEvent): void {
    const worker = this.#worker(invoke);
    if (worker.attempts.has(invoke.id)) {
      this.#strays.push(invoke);
      return;
    }
    const { name } = invoke;
    const attempt: Attempt = {
      worker,
      name,
      invoke,
      grantIndex: Infinity,
      settledAt: Infinity,
    };
    worker.attempts.set(invoke.id, attempt);
    this.#named(invoke).attempts.push(attempt);
  }

  #fault(event: FaultEvent): void {
    const phases = this.#faults.get(event.fault);
    if (!phases) this.#faults.set(event.fault, [event]);
    else if (phases.length === 1 && event.phase === "end") phases.push(event);
    else this.#strays.push(event);
  }

  #pause(worker: string, span: Span): void {
    const spans = this.#pauses.get(worker);
    if (spans) spans.push(span);
    else this.#pauses.set(worker, [span]);
  }
}

type OfAttempt = Exclude<
  Extract<HistoryEvent, { readonly id: number }>,
  InvokeEvent
>;

function isOfAttempt(event: HistoryEvent): event is OfAttempt {
  return "id" in event && event.type !== "invoke";
}

/** Whether a worker has written it, and not others about it. */
function isOwn(event: HistoryEvent): event is StartEvent | PauseEvent {
  return "worker" in event && event.type !== "write" &&
    event.type !== "fault" && event.type !== "exit";
}

// The end knows better than the begin what became of it.
function toFault(phases: readonly FaultEvent[]): Fault {
  const begin = phases[0]!;
  const end = phases[1];
  const { worker, suspends, recoveryMs } = end ?? begin;
  const until = end?.at ?? Infinity;
  return {
    begin,
    end,
    worker,
    suspends,
    from: begin.at,
    until,
    recoveredAt: until + recoveryMs,
  };
}

function suspensions(faults: readonly Fault[]): (what: Suspension) => Spans {
  const of = (what: Suspension): Spans =>
    new Spans(
      faults.filter(({ suspends }) => suspends.includes(what))
        .map(({ from, recoveredAt }) => ({ from, until: recoveredAt })),
    );
  const all = {
    exclusion: of("exclusion"),
    order: of("order"),
    progress: of("progress"),
  };
  return (what) => all[what];
}

function settleWorker(worker: Worker): void {
  const exit = worker.exits[0];
  worker.killedAt = exit?.killedAt;
  worker.endedAt = Math.min(exit?.killedAt ?? Infinity, exit?.at ?? Infinity);
}

function settle(attempt: Attempt, tenures: Tenure[]): void {
  const { worker, grant, refuse, lost, release, released } = attempt;
  attempt.settledAt = (grant ?? refuse)?.at ?? worker.endedAt;
  if (!grant) return;
  const ends = [release, lost].filter((end) => end !== undefined);
  const first = ends.sort((a, b) => a.at - b.at)[0];
  const ended = first && first.at <= worker.endedAt
    ? { end: first, until: first.at }
    : { end: worker.exits[0], until: worker.endedAt };
  tenures.push({
    attempt,
    grant,
    ...ended,
    from: grant.at,
    freeAt: ended.end === release ? released?.at ?? ended.until : ended.until,
  });
}
