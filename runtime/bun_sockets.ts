import { isUnanswered, RuntimeFault, systemCode, toFault } from "./fault.ts";
import { processLike } from "./process.ts";
import type {
  Connection,
  ConnectionHandlers,
  Listener,
  Sockets,
} from "./types.ts";

const encoder = new TextEncoder();

/** The parts of Bun's sockets that are used here. */
interface BunSocket {
  data: BunConnection;
  write(bytes: Uint8Array): number;
  end(): void;
  terminate(): void;
  unref(): void;
}

interface BunHandlers {
  open?(socket: BunSocket): void;
  data(socket: BunSocket, bytes: Uint8Array): void;
  end(socket: BunSocket): void;
  close(socket: BunSocket): void;
  error(socket: BunSocket, error: unknown): void;
  connectError?(socket: unknown, error: unknown): void;
}

interface BunGlobal {
  listen(options: { unix: string; socket: BunHandlers }): {
    stop(closeConnections: boolean): void;
    unref(): void;
  };
  connect(options: {
    unix: string;
    data: BunConnection;
    socket: BunHandlers;
  }): Promise<BunSocket>;
}

/** Abstract sockets through `Bun.listen` and `Bun.connect`. */
export class BunSockets implements Sockets {
  readonly overlooks = false;

  available(): boolean {
    return processLike()?.platform === "linux";
  }

  listen(
    address: string,
    onConnection: (connection: Connection) => ConnectionHandlers,
  ): Listener | null {
    const open = (socket: BunSocket): void => {
      const connection = new BunConnection();
      socket.data = connection;
      connection.attach(socket, onConnection(connection));
    };
    try {
      const server = loadBun().listen({
        unix: address,
        socket: { ...handlers, open },
      });
      server.unref();
      return { open: () => {}, close: () => server.stop(false) };
    } catch (error) {
      if (systemCode(error) === "EADDRINUSE") return null;
      throw toFault("bind an abstract unix socket", error);
    }
  }

  async connect(
    address: string,
    events: ConnectionHandlers,
  ): Promise<Connection | null> {
    const connection = new BunConnection();
    const open = (socket: BunSocket): void => connection.attach(socket, events);
    try {
      await loadBun().connect({
        unix: address,
        data: connection,
        socket: { ...handlers, open, connectError: () => {} },
      });
      return connection;
    } catch (error) {
      if (isUnanswered(error)) return null;
      throw toFault("connect to an abstract unix socket", error);
    }
  }
}

function loadBun(): BunGlobal {
  if (processLike()?.platform !== "linux") {
    throw new RuntimeFault(
      "unsupported",
      `${processLike()?.platform} has no abstract unix sockets`,
    );
  }
  return (globalThis as unknown as { Bun: BunGlobal }).Bun;
}

const handlers: BunHandlers = {
  data: (socket, bytes) => socket.data.events!.onData(bytes),
  end: (socket) => socket.terminate(),
  close: (socket) => socket.data.ended(),
  error: (socket) => socket.terminate(),
};

class BunConnection implements Connection {
  events: ConnectionHandlers | null = null;
  #socket: BunSocket | null = null;

  attach(socket: BunSocket, events: ConnectionHandlers): void {
    socket.unref();
    this.#socket = socket;
    this.events = events;
  }

  // What the kernel has no room for is not kept by Bun: some kilobytes wait
  // there already, and the peer would never hear the rest.
  send(text: string): void {
    const bytes = encoder.encode(text);
    const socket = this.#socket;
    if (socket === null || socket.write(bytes) === bytes.length) return;
    // Not while the caller goes through its connections.
    queueMicrotask(() => socket.terminate());
  }

  close(): void {
    this.#socket?.terminate();
  }

  ended(): void {
    this.#socket = null;
    this.events!.onClose();
  }
}
