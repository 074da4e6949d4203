/** A TCP proxy that a test makes worse on purpose. */
import { createServer, type Server, Socket } from "node:net";

/** What the proxy does to what the server sends. */
export type ProxyMode =
  /** Passes everything on. */
  | "pass"
  /** Keeps the server's answers, and passes them on later. */
  | "hold"
  /** Loses the server's answers for good. */
  | "drop"
  /** Loses what clients send, too. */
  | "cut"
  /** Loses what clients send, and passes on what the server does. */
  | "deaf"
  /** Breaks every new connection; `reset` breaks the old ones. */
  | "refuse";

/** How long something takes on its way, in milliseconds. */
export type Delay = () => number;

/** A proxy in front of a server on this host. */
export class Proxy {
  /** Its own address, as `hosts` takes it. */
  host = "";
  /** The server's port; connections to come use it. */
  port: number;
  /** How long each piece takes on its way, either way, in its order. */
  delay: Delay = () => 0;
  #mode: ProxyMode = "pass";
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();

  private constructor(port: number) {
    this.port = port;
    this.#server = createServer((client) => this.#join(client));
  }

  /** Starts a proxy in front of a port, at an address of this host. */
  static async start(port: number, address = "127.0.0.1"): Promise<Proxy> {
    const proxy = new Proxy(port);
    await new Promise<void>((resolve) => {
      proxy.#server.listen(0, address, resolve);
    });
    const { port: own } = proxy.#server.address() as { port: number };
    proxy.host = `${address}:${own}`;
    return proxy;
  }

  /** How many connections there are. */
  get connections(): number {
    return this.#pairs.size;
  }

  /** Changes what it does; what was held is passed on unless it stays held. */
  set mode(mode: ProxyMode) {
    this.#mode = mode;
    if (mode === "pass") { for (const pair of this.#pairs) pair.flush(); }
  }

  /** Breaks all connections; new ones are taken. */
  reset(): void {
    for (const pair of this.#pairs) pair.destroy();
  }

  /** Ends it. */
  async end(): Promise<void> {
    this.reset();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(client: Socket): void {
    if (this.#mode === "refuse") return void client.destroy();
    const server = new Socket();
    const pair = new Pair(client, server);
    this.#pairs.add(pair);
    const end = (): void => {
      this.#pairs.delete(pair);
      pair.destroy();
    };
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      socket.on("error", end);
      socket.on("close", end);
    }
    const delay: Delay = () => this.delay();
    const toServer = new Way(server, delay);
    const toClient = new Way(client, delay);
    client.on("data", (data) => {
      if (!["cut", "deaf"].includes(this.#mode)) toServer.send(data);
    });
    server.on("data", (data) => {
      if (["pass", "deaf"].includes(this.#mode)) toClient.send(data);
      if (this.#mode === "hold") pair.held.push(data);
    });
    server.connect(this.port, "127.0.0.1");
  }
}

/** One direction of a connection: what is sent arrives in its order. */
class Way {
  readonly #to: Socket;
  readonly #delay: Delay;
  readonly #under: Uint8Array[] = [];
  #last = 0;

  constructor(to: Socket, delay: Delay) {
    this.#to = to;
    this.#delay = delay;
  }

  send(data: Uint8Array): void {
    const now = performance.now();
    const at = Math.max(this.#last, now + this.#delay());
    if (this.#under.length === 0 && at <= now) return this.#write(data);
    this.#last = at;
    this.#under.push(data);
    // Timers may swap places by a millisecond; the pieces may not.
    setTimeout(() => this.#write(this.#under.shift()!), at - now);
  }

  #write(data: Uint8Array): void {
    if (!this.#to.destroyed) this.#to.write(data);
  }
}

class Pair {
  readonly held: Uint8Array[] = [];
  readonly #client: Socket;
  readonly #server: Socket;

  constructor(client: Socket, server: Socket) {
    this.#client = client;
    this.#server = server;
  }

  flush(): void {
    for (const data of this.held.splice(0)) this.#client.write(data);
  }

  destroy(): void {
    this.#client.destroy();
    this.#server.destroy();
  }
}
