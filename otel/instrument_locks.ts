import { type Meter, metrics, trace, type Tracer } from "@opentelemetry/api";
import { checkOptions, show } from "../backends/core/options.ts";
import { attempt, follow } from "./follow.ts";
import { LockMetrics } from "./lock_metrics.ts";
import { LockSpans } from "./lock_spans.ts";

/** What is used of OpenTelemetry's `TracerProvider`, of whichever version. */
export interface TracerProviderLike {
  /**
   * Gives what makes spans.
   *
   * @param name What it makes them for.
   * @returns A `Tracer`.
   */
  getTracer(name: string): object;
}

/** What is used of OpenTelemetry's `MeterProvider`, of whichever version. */
export interface MeterProviderLike {
  /**
   * Gives what makes metrics.
   *
   * @param name What it makes them for.
   * @returns A `Meter`.
   */
  getMeter(name: string): object;
}

/** Options of {@linkcode instrumentLocks}. */
export interface InstrumentOptions {
  /**
   * Where the spans go.
   *
   * @default {trace.getTracerProvider()}
   */
  tracerProvider?: TracerProviderLike;
  /**
   * Where the metrics go. A global one that is registered after the call gets
   * none: start the SDK first.
   *
   * @default {metrics.getMeterProvider()}
   */
  meterProvider?: MeterProviderLike;
  /**
   * Gives the attribute `lock.name` of a lock's name. Each value has metrics of
   * its own: of names such as `job/123` make one, such as `job/*`.
   *
   * @default {(name) => name}
   */
  lockName?: (name: string) => string;
}

/** What {@linkcode instrumentLocks} started; disposing of it ends it. */
export interface Instrumentation extends Disposable {
  /**
   * Ends the recording; may be called twice. Of an acquire that is under way
   * nothing is recorded, and the leases that are held are taken off
   * `locking.held`.
   */
  disable(): void;
}

/** The scope of the spans and metrics. */
const SCOPE = "@x/locking";

/**
 * Records what becomes of the locks of this process from now on, as spans and
 * metrics of OpenTelemetry. Whatever a provider throws meanwhile goes to the
 * logger of OpenTelemetry's `diag`, and never to who uses a lock.
 *
 * @param options Where to record, and under which names.
 * @returns What ends it.
 * @throws {TypeError} If an option makes no sense.
 *
 * @example Follow the locks of a part of a program
 * ```ts
 * import { FileLock } from "@x/locking";
 * import { instrumentLocks } from "@x/locking/otel";
 *
 * const instrumentation = instrumentLocks();
 * await new FileLock("instrument-example").withLock(() => {});
 * instrumentation.disable();
 * ```
 */
export function instrumentLocks(
  options: InstrumentOptions = {},
): Instrumentation {
  checkInstrumentOptions(options);
  const { lockName = (name) => name } = options;
  const { tracerProvider = trace, meterProvider = metrics } = options;
  const tracer = tracerProvider.getTracer(SCOPE) as Tracer;
  const meter = meterProvider.getMeter(SCOPE) as Meter;
  const spans = new LockSpans(tracer, lockName);
  const counts = new LockMetrics(meter, lockName);
  // Each follows on its own: where one fails, the other does not.
  const ends = [follow(spans), follow(counts)];
  const disable = (): void => {
    ends.splice(0).forEach((end) => end());
    attempt(() => counts.letGo());
  };
  return { disable, [Symbol.dispose]: disable };
}

function checkInstrumentOptions(options: InstrumentOptions): void {
  const known = ["tracerProvider", "meterProvider", "lockName"];
  checkOptions("instrumentLocks", options, known);
  const { tracerProvider, meterProvider, lockName } = options;
  const has = (value: unknown, method: string): boolean =>
    typeof (value as Record<string, unknown> | null)?.[method] === "function";
  if (tracerProvider !== undefined && !has(tracerProvider, "getTracer")) {
    refuse("tracerProvider must be a TracerProvider", tracerProvider);
  }
  if (meterProvider !== undefined && !has(meterProvider, "getMeter")) {
    refuse("meterProvider must be a MeterProvider", meterProvider);
  }
  if (lockName !== undefined && typeof lockName !== "function") {
    refuse("lockName must be a function", lockName);
  }
}

function refuse(problem: string, value: unknown): never {
  throw new TypeError(
    `Cannot instrument locks: ${problem}, got ${show(value)}`,
  );
}
