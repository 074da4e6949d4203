/** OpenTelemetry's own SDK, whose spans and metrics stay in memory. */
import type { Attributes } from "@opentelemetry/api";
import {
  type Histogram,
  MeterProvider,
  type MetricData,
  MetricReader,
} from "@opentelemetry/sdk-metrics";
import {
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { FileLock, type Lease, SocketLock } from "../mod.ts";
import { instrumentLocks, type InstrumentOptions } from "../otel.ts";
import { uniqueName } from "./_names.ts";

/** The histogram of how long acquires took. */
export const WAIT = "locking.wait.duration";

/** The histogram of how long leases were held. */
export const HOLD = "locking.hold.duration";

/** A lock that is taken at once. */
export function newLock(): SocketLock {
  return new SocketLock(uniqueName());
}

/** Takes a FileLock, and loses it. */
export async function lose(
  directory: string,
  name: string = uniqueName(),
): Promise<Lease> {
  const lease = await new FileLock(name, { directory }).acquire();
  rmSync(join(directory, encodeURIComponent(name)));
  assert.throws(() => lease.assertHeld());
  return lease;
}

class Reader extends MetricReader {
  protected override onShutdown(): Promise<void> {
    return Promise.resolve();
  }

  protected override onForceFlush(): Promise<void> {
    return Promise.resolve();
  }
}

/** What an instrument has of one set of attributes. */
export interface Point<T> {
  /** The attributes. */
  attributes: Attributes;
  /** The count, or the histogram. */
  value: T;
}

/** Providers, and what they were told. */
export class Telemetry {
  readonly #exporter = new InMemorySpanExporter();
  readonly #reader = new Reader();
  /** Makes spans. */
  readonly tracerProvider: TracerProvider = new TracerProvider({
    spanProcessors: [new SimpleSpanProcessor({ exporter: this.#exporter })],
  });
  /** Makes metrics. */
  readonly meterProvider: MeterProvider = new MeterProvider({
    readers: [this.#reader],
  });

  /** The spans that have ended, in the order of that. */
  spans(name?: string): ReadableSpan[] {
    const spans = this.#exporter.getFinishedSpans();
    return spans.filter((span) => name === undefined || span.name === name);
  }

  /** The only span of a name. */
  span(name: string): ReadableSpan {
    const [span, ...others] = this.spans(name);
    if (!span || others.length > 0) {
      throw new Error(`${others.length + (span ? 1 : 0)} spans "${name}"`);
    }
    return span;
  }

  /** What an instrument is. */
  async metric(name: string): Promise<MetricData | undefined> {
    const { resourceMetrics } = await this.#reader.collect();
    return resourceMetrics.scopeMetrics
      .flatMap(({ metrics }) => metrics)
      .find(({ descriptor }) => descriptor.name === name);
  }

  /** What a counter has counted. */
  async counts(name: string): Promise<Point<number>[]> {
    return await this.#points(name) as Point<number>[];
  }

  /** What a histogram has recorded. */
  async histograms(name: string): Promise<Point<Histogram>[]> {
    return await this.#points(name) as Point<Histogram>[];
  }

  /** What a counter has counted in all. */
  async total(name: string): Promise<number> {
    const points = await this.counts(name);
    return points.reduce((sum, { value }) => sum + value, 0);
  }

  /** How many measurements a histogram has, by `lock.outcome`. */
  async outcomes(name: string): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const { attributes, value } of await this.histograms(name)) {
      const outcome = String(attributes["lock.outcome"]);
      counts[outcome] = (counts[outcome] ?? 0) + value.count;
    }
    return counts;
  }

  async #points(name: string): Promise<unknown[]> {
    const { dataPoints = [] } = await this.metric(name) ?? {};
    return dataPoints.map(({ attributes, value }) => ({ attributes, value }));
  }
}

/** Runs a test while its locks are recorded. */
export async function recorded(
  run: (telemetry: Telemetry) => Promise<void>,
  options: InstrumentOptions = {},
): Promise<void> {
  const telemetry = new Telemetry();
  const { tracerProvider, meterProvider } = telemetry;
  using _ = instrumentLocks({ tracerProvider, meterProvider, ...options });
  await run(telemetry);
}
