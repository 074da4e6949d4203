import type * as Net from "node:net";
import { isUnanswered, RuntimeFault, systemCode, toFault } from "./fault.ts";
import { builtin, processLike } from "./process.ts";
import {
  type Connection,
  type ConnectionHandlers,
  type Listener,
  type MaybePromise,
  MOST_UNTAKEN,
  type Sockets,
} from "./types.ts";

/** Abstract sockets through `node:net`. */
export class NodeSockets implements Sockets {
  readonly overlooks = false;

  available(): boolean {
    return unsupported() === null;
  }

  listen(
    address: string,
    onConnection: (connection: Connection) => ConnectionHandlers,
  ): MaybePromise<Listener | null> {
    const net = loadNet();
    const server = net.createServer((socket) => {
      const connection = new NodeConnection(socket);
      connection.attach(onConnection(connection));
    });
    const failed = new Promise<null>((resolve, reject) => {
      server.on("error", (error) => {
        if (systemCode(error) === "EADDRINUSE") resolve(null);
        else reject(toFault("bind an abstract unix socket", error));
      });
    });
    // Exclusive: without it the workers of a cluster share one listening
    // socket, and all of them would hold the lock.
    server.listen({ path: address, exclusive: true });
    if (!server.listening) return failed;
    failed.catch(() => {}); // An accept that failed later is not our caller's.
    server.unref();
    return new NodeListener(server);
  }

  connect(
    address: string,
    handlers: ConnectionHandlers,
  ): Promise<Connection | null> {
    const socket = loadNet().connect({ path: address });
    return new Promise((resolve, reject) => {
      socket.once("error", (error) => {
        if (isUnanswered(error)) resolve(null);
        else reject(toFault("connect to an abstract unix socket", error));
      });
      socket.once("connect", () => {
        const connection = new NodeConnection(socket);
        connection.attach(handlers);
        resolve(connection);
      });
    });
  }
}

let net: typeof Net | null = null;

function loadNet(): typeof Net {
  if (net) return net;
  const reason = unsupported();
  if (reason) throw new RuntimeFault("unsupported", reason);
  return net = builtin<typeof Net>("node:net");
}

function unsupported(): string | null {
  const { platform, versions } = processLike()!;
  if (platform !== "linux") return `${platform} has no abstract unix sockets`;
  // Older libuv pads the address with NULs to its full length: it would bind
  // another address than every other runtime, and exclude nobody.
  const [major = 0, minor = 0] = (versions.uv ?? "").split(".").map(Number);
  if (major > 1 || minor >= 48) return null;
  return `Node ${versions.node} pads the addresses of abstract unix sockets`;
}

class NodeListener implements Listener {
  readonly #server: Net.Server;

  constructor(server: Net.Server) {
    this.#server = server;
  }

  open(): void {
    // Node takes connections from the start, in its own turns.
  }

  close(): void {
    this.#server.close();
  }
}

class NodeConnection implements Connection {
  readonly #socket: Net.Socket;

  constructor(socket: Net.Socket) {
    this.#socket = socket;
    socket.unref();
  }

  attach(handlers: ConnectionHandlers): void {
    const socket = this.#socket;
    socket.on("data", (bytes) => handlers.onData(bytes as Uint8Array));
    // The end comes a turn before the close; either tells that it is over.
    socket.on("end", () => socket.destroy());
    socket.on("error", () => socket.destroy());
    socket.on("close", () => handlers.onClose());
  }

  send(text: string): void {
    if (this.#socket.writable) this.#socket.write(text);
    if (this.#socket.writableLength > MOST_UNTAKEN) this.close();
  }

  close(): void {
    this.#socket.destroy();
  }
}
