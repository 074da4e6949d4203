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
  | "cut";

/** A proxy in front of a server on this host. */
export class Proxy {
  /** Its own address, as `hosts` takes it. */
  host = "";
  #mode: ProxyMode = "pass";
  readonly #port: number;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();

  private constructor(port: number) {
    this.#port = port;
    this.#server = createServer((client) => this.#join(client));
  }

  /** Starts a proxy in front of a port. */
  static async start(port: number): Promise<Proxy> {
    const proxy = new Proxy(port);
    await new Promise<void>((resolve) => {
      proxy.#server.listen(0, "127.0.0.1", resolve);
    });
    const { port: own } = proxy.#server.address() as { port: number };
    proxy.host = `127.0.0.1:${own}`;
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
    client.on("data", (data) => {
      if (this.#mode !== "cut") server.write(data);
    });
    server.on("data", (data) => {
      if (this.#mode === "pass") client.write(data);
      if (this.#mode === "hold") pair.held.push(data);
    });
    server.connect(this.#port, "127.0.0.1");
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
