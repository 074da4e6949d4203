/** What receives telemetry by OTLP, as JSON over HTTP. */
import { createServer, type IncomingMessage, type Server } from "node:http";

/** A value, as OTLP writes it: by its type. */
type Value = Record<string, string | number | boolean>;

interface KeyValue {
  key: string;
  value: Value;
}

/** A span, as OTLP writes it. */
export interface OtlpSpan {
  spanId: string;
  /** Empty where it has none. */
  parentSpanId: string;
  name: string;
  attributes: KeyValue[];
  events: { name: string }[];
  links: { spanId: string }[];
  status: { code: number };
}

/** What a metric has of one set of attributes, as OTLP writes it. */
export interface OtlpPoint {
  attributes: KeyValue[];
  /** A counter's value. */
  asDouble?: number;
  /** How many measurements a histogram has. */
  count?: string;
}

interface OtlpMetric {
  name: string;
  unit: string;
  histogram?: { dataPoints: OtlpPoint[] };
  sum?: { dataPoints: OtlpPoint[] };
}

interface Scope {
  scope: { name: string };
  spans?: OtlpSpan[];
  metrics?: OtlpMetric[];
}

/** A server that keeps what it is told. */
export class OtlpReceiver {
  /** Its address. */
  endpoint = "";
  readonly #scopes: Scope[] = [];
  readonly #server: Server = createServer(async (request, response) => {
    this.#keep(await readText(request));
    response.writeHead(200, { "content-type": "application/json" });
    response.end("{}");
  });

  /** Starts one on a free port. */
  static async start(): Promise<OtlpReceiver> {
    const receiver = new OtlpReceiver();
    const server = receiver.#server;
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    const { port } = server.address() as { port: number };
    receiver.endpoint = `http://127.0.0.1:${port}`;
    return receiver;
  }

  /** The spans that came, of one scope. */
  spans(scope: string): OtlpSpan[] {
    return this.#of(scope).flatMap(({ spans = [] }) => spans);
  }

  /** What came of a metric, each time anew. */
  points(scope: string, name: string): OtlpPoint[] {
    return this.#of(scope).flatMap(({ metrics = [] }) => metrics)
      .filter((metric) => metric.name === name)
      .flatMap(({ histogram, sum }) => (histogram ?? sum)?.dataPoints ?? []);
  }

  /** Ends it. */
  async end(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  #of(name: string): Scope[] {
    return this.#scopes.filter(({ scope }) => scope.name === name);
  }

  #keep(text: string): void {
    const { resourceSpans = [], resourceMetrics = [] } = JSON.parse(text);
    for (const { scopeSpans } of resourceSpans) {
      this.#scopes.push(...scopeSpans);
    }
    for (const { scopeMetrics } of resourceMetrics) {
      this.#scopes.push(...scopeMetrics);
    }
  }
}

/** Attributes as they were before OTLP. */
export function attributesOf(
  { attributes }: { attributes: KeyValue[] },
): Record<string, unknown> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [key, Object.values(value)[0]]),
  );
}

async function readText(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) text += chunk;
  return text;
}
