/** Histories made by hand, a line for each tenure, fault or pause. */
import type {
  FaultEvent,
  GrantEvent,
  HistoryEvent,
  InvokeEvent,
  Promised,
  RefuseEvent,
  WriteEvent,
} from "./history.ts";

/** What a kind of lock without leases promises. */
export const plainKind: Promised = {
  kind: "PlainLock",
  lease: false,
  fenced: false,
  fifo: true,
  mostOvertaking: 0,
  newcomerMs: 0,
  mostMisordered: 0,
  orderSlackMs: 10,
  toldWithinMs: 1_000,
  longestWaitMs: 5_000,
  longestIdleMs: 500,
};

/** What a kind of lock with leases promises. */
export const leaseKind: Promised = {
  ...plainKind,
  kind: "LeaseLock",
  lease: true,
  fenced: true,
};

/** When an attempt did what. */
export interface Attempted {
  readonly worker: string;
  /** @default {"x"} */
  readonly name?: string;
  /** @default {true} */
  readonly waits?: boolean;
  readonly asks: number;
  readonly gets?: number;
  readonly token?: number;
  readonly refused?: number;
  /** @default {"LOCK_TIMEOUT"} */
  readonly code?: string;
  readonly held?: number;
  readonly lost?: number;
  readonly releases?: number;
  /** A moment after `releases` by default; null if it never is. */
  readonly released?: number | null;
}

/** A fault, of kind `flush` by default. */
export interface Staged extends Partial<Omit<FaultEvent, "type" | "at">> {
  readonly from: number;
  /** Null if it never ends. */
  readonly until: number | null;
}

/** An attempt's events, as far as it came. */
export interface Told {
  readonly id: number;
  readonly worker: string;
  readonly name: string;
  readonly token: string | null;
  readonly invoke: InvokeEvent;
  readonly grant: GrantEvent;
  readonly refuse: RefuseEvent;
  readonly held: HistoryEvent;
  readonly lost: HistoryEvent;
  readonly release: HistoryEvent;
  readonly released: HistoryEvent;
}

/** A history in the making; its workers start at 0 and end well at the end. */
export class History {
  readonly #events: HistoryEvent[] = [];
  readonly #starts = new Map<string, HistoryEvent>();
  readonly #ended = new Set<string>();
  #ids = 0;

  /** Adds any event. */
  add<E extends HistoryEvent>(event: E): E {
    this.#events.push(event);
    if ("worker" in event && event.worker && !this.#starts.has(event.worker)) {
      this.#starts.set(event.worker, start(event.worker, this.#starts.size));
    }
    return event;
  }

  /** Adds what an attempt did. */
  attempt(what: Attempted): Told {
    const { worker, name = "x", waits = true, releases } = what;
    const token = what.token === undefined ? null : String(what.token);
    const id = ++this.#ids;
    const add = (
      at: number | null | undefined,
      rest: object,
    ): HistoryEvent | undefined => {
      if (at === undefined || at === null) return undefined;
      return this.add({ at, worker, id, ...rest } as HistoryEvent);
    };
    const { released = releases === undefined ? null : releases + 0.5 } = what;
    return {
      ...{ id, worker, name, token },
      invoke: add(what.asks, { type: "invoke", name, waits }),
      grant: add(what.gets, { type: "grant", token }),
      refuse: add(what.refused, {
        type: "refuse",
        code: what.code ?? "LOCK_TIMEOUT",
      }),
      held: add(what.held, { type: "held" }),
      lost: add(what.lost, { type: "lost" }),
      release: add(releases, { type: "release" }),
      released: add(released, { type: "released" }),
    } as Told;
  }

  /** Adds a write of a tenure. */
  write(
    { worker, id, name, token }: Told,
    how: Partial<WriteEvent> & { readonly at: number },
  ): WriteEvent {
    return this.add({
      ...{ type: "write", worker, id, name, token, store: "fenced" },
      ...{ accepted: true, base: 0, found: 0 },
      ...how,
    });
  }

  /** Adds a fault's begin and end. */
  fault({ from, until, ...rest }: Staged): FaultEvent[] {
    const common = {
      ...{ fault: ++this.#ids, kind: "flush", suspends: [], recoveryMs: 0 },
      ...rest,
      type: "fault" as const,
    };
    const begin: FaultEvent = { ...common, at: from, phase: "begin" };
    const phases = [this.add(begin)];
    if (until !== null) {
      phases.push(this.add({ ...begin, at: until, phase: "end" }));
    }
    return phases;
  }

  /** Adds a pause of a worker. */
  pause(worker: string, from: number, at: number): HistoryEvent {
    return this.add({ type: "pause", worker, from, at });
  }

  /** Adds the end of a worker; without `killedAt` it ended by itself. */
  exit(worker: string, at: number, killedAt?: number): HistoryEvent {
    this.#ended.add(worker);
    if (killedAt === undefined) {
      return this.add({ type: "exit", worker, at, code: 0, signal: null });
    }
    const signal = "SIGKILL";
    return this.add({ type: "exit", worker, at, code: null, signal, killedAt });
  }

  /** All events, with starts and ends of all workers. */
  events(): HistoryEvent[] {
    const end = Math.max(...this.#events.map(({ at }) => at)) + 1;
    const exits = [...this.#starts.keys()]
      .filter((worker) => !this.#ended.has(worker))
      .map((worker) => ({ worker, code: 0, signal: null }))
      .map((exit) => ({ ...exit, type: "exit", at: end }) as const);
    return [...this.#starts.values(), ...this.#events, ...exits];
  }

  /** All events but some. */
  without(...events: readonly HistoryEvent[]): HistoryEvent[] {
    return this.events().filter((event) => !events.includes(event));
  }
}

function start(worker: string, i: number): HistoryEvent {
  const runtime = i % 2 === 0 ? "deno" : "node24";
  return { type: "start", at: 0, worker, runtime, pid: 100 + i };
}
