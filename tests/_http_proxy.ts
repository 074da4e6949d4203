/** An HTTP proxy before a DynamoDB that a test makes worse on purpose. */
import { Buffer } from "node:buffer";
import {
  type ClientRequest,
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from "node:http";

/** What becomes of a request instead of passing it on and answering it. */
export type Fault =
  /** It is not passed on; the answer is this error. */
  | { kind: "error"; status: number; type: string; message: string }
  /** It is not passed on; this is the answer. */
  | { kind: "answer"; body: object }
  /** It is applied, and then the connection breaks instead of an answer. */
  | { kind: "lost" }
  /** It is applied, and never answered. */
  | { kind: "silent" }
  /** It is neither passed on nor answered. */
  | { kind: "cut" }
  /** It is passed on so much later, even if its sender has left by then. */
  | { kind: "delay"; ms: number }
  /** It is applied at once, and answered so much later. */
  | { kind: "late"; ms: number }
  /** It is applied twice; the answer is the second one. */
  | { kind: "twice" };

/** A request that came. */
export interface Call {
  /** Such as `UpdateItem`. */
  readonly operation: string;
  /** What it asks for. */
  readonly body: Record<string, unknown>;
}

/** A request that came, and its place since the last reset, from 0. */
export type IndexedCall = Call & { readonly index: number };

/** Decides what becomes of a request; nothing, if it is to be passed on. */
export type OnRequest = (request: IndexedCall) => Fault | null | undefined;

interface Message {
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Uint8Array;
}

interface Answer extends Message {
  readonly status: number;
}

/** A proxy before an engine. */
export class HttpProxy {
  /** Its own address, as `endpoint` takes it. */
  endpoint = "";
  /** What becomes of the requests to come; replace it at will. */
  onRequest: OnRequest = () => null;
  /**
   * Whether clients may use a connection again. Off, since Deno by itself sends
   * a request twice whose connection breaks, unless it is a new one: a fault
   * meant for one request would be cured unseen.
   */
  keepAlive = false;
  /** The requests that came, in their order. */
  readonly calls: Call[] = [];
  readonly #target: URL;
  readonly #server: Server;
  readonly #asked = new Set<ClientRequest>();
  readonly #hanging = new Set<ServerResponse>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();

  private constructor(target: URL) {
    this.#target = target;
    this.#server = createServer((incoming, response) => {
      this.#take(incoming, response);
    });
  }

  /** Starts a proxy before a port of this host, or before an endpoint. */
  static async start(target: number | string): Promise<HttpProxy> {
    const url = typeof target === "number"
      ? `http://127.0.0.1:${target}`
      : target;
    const proxy = new HttpProxy(new URL(url));
    await new Promise<void>((resolve) => {
      proxy.#server.listen(0, "127.0.0.1", resolve);
    });
    const { port } = proxy.#server.address() as { port: number };
    proxy.endpoint = `http://127.0.0.1:${port}`;
    return proxy;
  }

  /** How many requests came, of one operation or in all. */
  count(operation?: string): number {
    return this.calls.filter((call) =>
      operation === undefined || call.operation === operation
    ).length;
  }

  /** Forgets the requests that came; counting starts anew. */
  reset(): void {
    this.calls.length = 0;
  }

  /** Passes on all that is to come, and breaks the connections that hang. */
  heal(): void {
    this.onRequest = () => null;
    for (const response of this.#hanging) breakOff(response);
  }

  /** Ends it, and whatever it was to do later. */
  async end(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    this.heal();
    for (const asked of this.#asked) asked.destroy();
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  async #take(
    incoming: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { headers } = incoming;
    const bytes = await read(incoming).catch(() => null);
    // Its sender has left in the middle of it.
    if (bytes === null) return;
    const call = parse({ headers, bytes });
    const index = this.calls.push(call) - 1;
    // What this throws is nobody's to catch, and fails the test.
    const fault = this.onRequest({ ...call, index });
    response.shouldKeepAlive = this.keepAlive;
    await this.#serve({ headers, bytes }, response, fault)
      // One side has left, so the other is left, too.
      .catch(() => breakOff(response));
  }

  async #serve(
    message: Message,
    response: ServerResponse,
    fault: Fault | null | undefined,
  ): Promise<void> {
    if (fault?.kind === "error") return write(response, errorOf(fault));
    if (fault?.kind === "answer") {
      return write(response, answerOf(200, fault.body));
    }
    if (fault?.kind === "cut") return this.#hang(response);
    if (fault?.kind === "delay") await this.#pause(fault.ms);
    let answer = await this.#ask(message);
    if (fault?.kind === "lost") return breakOff(response);
    if (fault?.kind === "silent") return this.#hang(response);
    if (fault?.kind === "late") await this.#pause(fault.ms);
    if (fault?.kind === "twice") answer = await this.#ask(message);
    write(response, answer);
  }

  /** By a connection of its own: one kept open may end with the engine. */
  #ask({ headers, bytes }: Message): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const asked = request(this.#target, {
        method: "POST",
        headers: { ...headers, connection: "close" },
        agent: false,
      }, (answer) => {
        const status = answer.statusCode ?? 500;
        read(answer).then(
          (bytes) => resolve({ status, headers: answer.headers, bytes }),
          reject,
        );
      });
      this.#asked.add(asked);
      asked.on("close", () => this.#asked.delete(asked));
      asked.on("error", reject);
      asked.end(bytes);
    });
  }

  #hang(response: ServerResponse): void {
    this.#hanging.add(response);
    response.on("close", () => this.#hanging.delete(response));
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        resolve();
      }, ms);
      this.#timers.add(timer);
    });
  }
}

async function read(message: IncomingMessage): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of message) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}

function parse({ headers, bytes }: Message): Call {
  const target = String(headers["x-amz-target"] ?? "");
  return {
    operation: target.slice(target.indexOf(".") + 1),
    body: JSON.parse(new TextDecoder().decode(bytes)),
  };
}

function write(response: ServerResponse, answer: Answer): void {
  const { status, bytes } = answer;
  const {
    "transfer-encoding": _,
    "keep-alive": __,
    connection: ___,
    ...headers
  } = answer.headers;
  // The engine's own date, or none.
  response.sendDate = false;
  response.writeHead(status, { ...headers, "content-length": bytes.length });
  response.end(bytes);
}

function breakOff(response: ServerResponse): void {
  response.socket?.destroy();
}

function errorOf(fault: Fault & { kind: "error" }): Answer {
  const { status, type, message } = fault;
  const __type = `com.amazonaws.dynamodb.v20120810#${type}`;
  return answerOf(status, { __type, message });
}

function answerOf(status: number, body: object): Answer {
  return {
    status,
    headers: {
      "content-type": "application/x-amz-json-1.0",
      date: new Date().toUTCString(),
      "x-amzn-requestid": "PROXY",
    },
    bytes: new TextEncoder().encode(JSON.stringify(body)),
  };
}
