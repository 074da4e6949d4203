/** The test's side of `fixtures/worker.ts`: locks in other processes. */
import type { Holder } from "../mod.ts";
import { Child } from "./_child.ts";
import { fixture } from "./_fixture.ts";
import type { TestRuntime } from "./_runtimes.ts";
import { within } from "./_time.ts";
import type {
  Answer,
  Command,
  LockSpec,
  RemoteFailure,
} from "./fixtures/protocol.ts";

// No answer that a test awaits takes longer, however loaded the machine is.
const PATIENCE_MS = 30_000;

/** An error that a worker reported. */
export class RemoteError extends Error {
  /** The code of the error in the worker. */
  readonly code: string | undefined;

  /** Wraps what the worker said. */
  constructor({ name, message, code }: RemoteFailure) {
    super(message);
    this.name = name;
    this.code = code;
  }
}

/** An acquire under way in a worker. */
export interface RemoteWait {
  /** Settles when the acquire has been waiting for some time. */
  waiting: Promise<void>;
  /** Settles when granted, with the moment on this process's clock. */
  granted: Promise<number>;
  /** Aborts it. */
  abort(): Promise<unknown>;
}

interface Pending {
  resolve(value: unknown): void;
  reject(error: unknown): void;
  waiting?: () => void;
}

/** A process that takes and gives back locks. */
export class Worker {
  /** The process. */
  readonly child: Child;
  readonly #pending = new Map<number, Pending>();
  #last = 0;
  #ready: () => void = () => {};

  /** Starts the process; wait for {@linkcode Worker.start}. */
  constructor({ command }: TestRuntime) {
    this.child = new Child([...command, fixture("worker.ts")]);
    this.child.onLine((line) => this.#hear(JSON.parse(line)));
    this.child.exited.then(() => this.#fail(), (error) => this.#fail(error));
  }

  /** Settles when the worker obeys. */
  async start(): Promise<void> {
    const ready = new Promise<void>((resolve, reject) => {
      this.#ready = resolve;
      this.child.exited.then(() => reject(new Error(this.child.describe())));
    });
    await within(PATIENCE_MS, `the start of ${this.child.describe()}`, ready);
  }

  /** Makes a lock in the worker. */
  async create(spec: LockSpec): Promise<RemoteLock> {
    const lock = await this.ask({ do: "create", spec });
    return new RemoteLock(this, lock as number);
  }

  /** Sends a command and waits for its answer. */
  async ask(command: Command): Promise<unknown> {
    const answer = this.send(command).answer;
    return await within(PATIENCE_MS, JSON.stringify(command), answer);
  }

  /** Sends a command. */
  send(
    command: Command,
    waiting?: () => void,
  ): { id: number; answer: Promise<unknown> } {
    const id = ++this.#last;
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#pending.set(id, { resolve, reject, ...(waiting && { waiting }) });
    });
    // A test that kills a worker does not wait for its answers.
    answer.catch(() => {});
    this.child.write(JSON.stringify({ id, command }));
    return { id, answer };
  }

  #hear(answer: Answer): void {
    if ("ready" in answer) {
      this.child.pid = answer.ready;
      return this.#ready();
    }
    const pending = this.#pending.get(answer.id);
    if ("waiting" in answer) return pending?.waiting?.();
    this.#pending.delete(answer.id);
    if ("error" in answer) pending?.reject(new RemoteError(answer.error));
    else pending?.resolve(answer.value);
  }

  #fail(error?: unknown): void {
    const reason = error ?? new Error(`Ended: ${this.child.describe()}`);
    for (const pending of this.#pending.values()) pending.reject(reason);
    this.#pending.clear();
  }
}

/** A lock in a worker. */
export class RemoteLock {
  readonly #worker: Worker;
  readonly #lock: number;

  /** Refers to a lock that the worker has made. */
  constructor(worker: Worker, lock: number) {
    this.#worker = worker;
    this.#lock = lock;
  }

  /** Starts to acquire. */
  acquire(timeoutMs?: number): RemoteWait {
    let waiting: () => void = () => {};
    const seen = new Promise<void>((resolve) => waiting = resolve);
    const options = timeoutMs === undefined ? {} : { timeoutMs };
    const command = { do: "acquire", lock: this.#lock, ...options } as const;
    const { id, answer } = this.#worker.send(command, waiting);
    const granted = answer.then(() => performance.now());
    granted.catch(() => {});
    return {
      waiting: seen,
      granted,
      abort: () => this.#worker.ask({ do: "abort", wait: id }),
    };
  }

  /** Starts to acquire and settles when the worker waits. */
  async queue(timeoutMs?: number): Promise<RemoteWait> {
    const wait = this.acquire(timeoutMs);
    const early = wait.granted.then(() => {
      throw new Error("Granted without a wait");
    });
    const waiting = Promise.race([wait.waiting, early]);
    await within(PATIENCE_MS, "the wait", waiting);
    return wait;
  }

  /** Acquires; rejects when it takes too long. */
  async take(): Promise<void> {
    await within(PATIENCE_MS, "the grant", this.acquire().granted);
  }

  /** Tries once. */
  async tryAcquire(): Promise<boolean> {
    return await this.#ask("tryAcquire") as boolean;
  }

  /** Releases what this object holds. */
  async release(): Promise<void> {
    await this.#ask("release");
  }

  /** Releases and then blocks the worker's event loop. */
  releaseAndBlock(ms: number): Promise<unknown> {
    const lock = this.#lock;
    return this.#worker.ask({ do: "releaseAndBlock", lock, ms });
  }

  /** Asserts that the last lease is held. */
  async assertHeld(): Promise<void> {
    await this.#ask("assertHeld");
  }

  /** Asks who holds the lock; dates come as text. */
  async holder(): Promise<Pick<Holder, "host" | "pid"> | null> {
    return await this.#ask("holder") as Pick<Holder, "host" | "pid"> | null;
  }

  /** Adds to the number in a file, under the lock; resolves to the overlaps. */
  async count(file: string, rounds: number): Promise<number> {
    const command = { do: "count", lock: this.#lock, file, rounds } as const;
    return await this.#worker.send(command).answer as number;
  }

  #ask(
    what: "tryAcquire" | "release" | "assertHeld" | "holder",
  ): Promise<unknown> {
    return this.#worker.ask({ do: what, lock: this.#lock });
  }
}
