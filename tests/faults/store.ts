/**
 * What workers work on under their locks: numbers, in a store that checks
 * fencing tokens and in one that does not. It listens on a socket of the file
 * system, which no cut between hosts reaches: who has lost its lock can still
 * write.
 */
import { connect, createServer, type Server, type Socket } from "node:net";
import type { WriteEvent } from "./history.ts";
import { eachLine } from "./lines.ts";
import type { Recorder } from "./recorder.ts";

/** What a worker reads. */
export interface Values {
  readonly fenced: number;
  readonly plain: number;
}

/** Who asks, for which lock. */
export interface Writer {
  readonly worker: string;
  readonly id: number;
  readonly name: string;
  /** The fencing token in decimal; null where the lock has none. */
  readonly token: string | null;
}

/** What a worker writes: one more than it has read. */
export interface Write extends Writer {
  readonly store: WriteEvent["store"];
  readonly base: number;
}

type Request = ({ do: "read" } & Writer) | ({ do: "write" } & Write);

interface Register {
  fenced: number;
  plain: number;
  /** The greatest token that the fenced store has seen. */
  greatest: bigint;
}

/** The stores, and the record of what they decide. */
export class Store {
  readonly #recorder: Recorder;
  readonly #registers = new Map<string, Register>();
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;

  private constructor(recorder: Recorder) {
    this.#recorder = recorder;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  /** Starts the stores at a path. */
  static async start(path: string, recorder: Recorder): Promise<Store> {
    const store = new Store(recorder);
    await new Promise<void>((resolve) => store.#server.listen(path, resolve));
    return store;
  }

  /** Ends them. */
  async end(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    // Workers are killed in the middle of everything.
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#sockets.delete(socket));
    eachLine(socket, (line) => {
      const answer = this.#answer(JSON.parse(line) as Request);
      socket.write(JSON.stringify(answer) + "\n");
    });
  }

  #answer(request: Request): Values | boolean {
    const register = this.#register(request.name);
    const token = BigInt(request.token ?? 0);
    const stale = token < register.greatest;
    if (request.do === "read") {
      // What has read with a token is not to be overwritten by a lesser one.
      if (!stale) register.greatest = token;
      return { fenced: register.fenced, plain: register.plain };
    }
    const { worker, id, name, store, base } = request;
    const accepted = store === "plain" || !stale;
    const found = register[store];
    if (accepted) register[store] = base + 1;
    if (store === "fenced" && accepted) register.greatest = token;
    const event = { worker, id, name, store, base, accepted, found } as const;
    this.#recorder.record({ type: "write", token: request.token, ...event });
    return accepted;
  }

  #register(name: string): Register {
    const known = this.#registers.get(name);
    if (known) return known;
    const register = { fenced: 0, plain: 0, greatest: 0n };
    this.#registers.set(name, register);
    return register;
  }
}

/** A worker's connection to the stores. */
export class StoreClient {
  readonly #socket: Socket;
  readonly #waiting: ((answer: unknown) => void)[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    eachLine(socket, (line) => this.#waiting.shift()?.(JSON.parse(line)));
  }

  /** Connects. */
  static async connect(path: string): Promise<StoreClient> {
    const socket = connect(path);
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    return new StoreClient(socket);
  }

  /** Reads the values of a lock's name. */
  async read(writer: Writer): Promise<Values> {
    return await this.#ask({ do: "read", ...writer }) as Values;
  }

  /** Writes one more than was read; resolves to whether it was accepted. */
  async write(write: Write): Promise<boolean> {
    return await this.#ask({ do: "write", ...write }) as boolean;
  }

  /** Closes the connection. */
  close(): void {
    this.#socket.destroy();
  }

  #ask(request: Request): Promise<unknown> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#socket.write(JSON.stringify(request) + "\n");
    });
  }
}
