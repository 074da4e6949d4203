import { isDenoDeploy, refuseDenoDeploy } from "./deno_environment.ts";
import { isUnanswered, RuntimeFault, systemCode, toFault } from "./fault.ts";
import {
  type Connection,
  type ConnectionHandlers,
  type Listener,
  type MaybePromise,
  MOST_UNTAKEN,
  type Sockets,
} from "./types.ts";

const encoder = new TextEncoder();

// How long to leave the kernel's queue alone after it could not give us a
// connection, for want of descriptors.
const ACCEPT_PAUSE_MS = 50;

/** Abstract sockets through `Deno.listen` and `Deno.connect`. */
export class DenoSockets implements Sockets {
  // A loop kept busy by setImmediate asks the kernel only every 61st turn.
  readonly overlooks = true;

  available(): boolean {
    return Deno.build.os === "linux" && typeof Deno.listen === "function" &&
      Deno.permissions.querySync({ name: "net" }).state === "granted" &&
      !isDenoDeploy();
  }

  listen(
    address: string,
    onConnection: (connection: Connection) => ConnectionHandlers,
  ): Listener | null {
    checkSupport();
    try {
      const listener = Deno.listen({ transport: "unix", path: address });
      listener.unref();
      return new DenoListener(listener, onConnection);
    } catch (error) {
      if (systemCode(error) === "EADDRINUSE") return null;
      throw toFault("bind an abstract unix socket", error);
    }
  }

  async connect(
    address: string,
    handlers: ConnectionHandlers,
  ): Promise<Connection | null> {
    checkSupport();
    let conn: Deno.Conn;
    try {
      conn = await Deno.connect({ transport: "unix", path: address });
    } catch (error) {
      if (isUnanswered(error)) return null;
      throw toFault("connect to an abstract unix socket", error);
    }
    const connection = new DenoConnection(conn);
    void connection.read(handlers);
    return connection;
  }
}

function checkSupport(): void {
  refuseDenoDeploy();
  if (Deno.build.os === "linux" && typeof Deno.listen === "function") return;
  throw new RuntimeFault(
    "unsupported",
    `${Deno.build.os} has no abstract unix sockets`,
  );
}

class DenoListener implements Listener {
  readonly #listener: Deno.Listener;
  readonly #onConnection: (connection: Connection) => ConnectionHandlers;
  #accepting: Promise<void> | null = null;
  #closed = false;

  constructor(
    listener: Deno.Listener,
    onConnection: (connection: Connection) => ConnectionHandlers,
  ) {
    this.#listener = listener;
    this.#onConnection = onConnection;
  }

  open(): void {
    this.#accepting ??= this.#accept();
  }

  // A pending accept keeps the address bound until it has been called off, one
  // turn of the event loop after the close.
  close(): MaybePromise<void> {
    this.#closed = true;
    // Whoever awaits the close must not find the process gone instead.
    if (this.#accepting) this.#listener.ref();
    this.#listener.close();
    return this.#accepting ?? undefined;
  }

  async #accept(): Promise<void> {
    while (!this.#closed) {
      try {
        const connection = new DenoConnection(await this.#listener.accept());
        if (this.#closed) connection.close();
        else void connection.read(this.#onConnection(connection));
      } catch {
        if (this.#closed) return;
        await pause(ACCEPT_PAUSE_MS);
      }
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

class DenoConnection implements Connection {
  readonly #conn: Deno.Conn;
  #untaken = 0;
  #closed = false;

  constructor(conn: Deno.Conn) {
    this.#conn = conn;
    (conn as Deno.UnixConn).unref();
  }

  send(text: string): void {
    if (this.#closed) return;
    const bytes = encoder.encode(text);
    this.#untaken += bytes.length;
    if (this.#untaken > MOST_UNTAKEN) return this.close();
    this.#conn.write(bytes).then(
      () => this.#untaken -= bytes.length,
      () => this.close(),
    );
  }

  // The shutdown reaches the peer at once; the descriptor itself is closed only
  // after the pending read has been called off.
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#conn.closeWrite().catch(() => {});
    this.#conn.close();
  }

  async read(handlers: ConnectionHandlers): Promise<void> {
    const buffer = new Uint8Array(1024);
    try {
      while (true) {
        const length = await this.#conn.read(buffer);
        if (length === null || this.#closed) break;
        handlers.onData(buffer.subarray(0, length));
      }
    } catch {
      // Reset by the peer, or closed by us: over either way.
    }
    this.close();
    handlers.onClose();
  }
}
