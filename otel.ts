/**
 * Spans and metrics of OpenTelemetry for locks: who waited for which, how long
 * it was held, and what was lost. It follows the channels `locking:acquire`,
 * `locking:release`, `locking:renew` and `locking:lost`, and needs
 * `@opentelemetry/api`, which nothing else of this package loads.
 *
 * @example Record what becomes of a program's locks
 * ```ts
 * import { SocketLock } from "@x/locking";
 * import { instrumentLocks } from "@x/locking/otel";
 *
 * // The providers that the program's OpenTelemetry SDK has registered.
 * using _ = instrumentLocks({
 *   lockName: (name) => name.replace(/\d+/g, "*"),
 * });
 * await new SocketLock("otel-example/17").withLock(() => {});
 * ```
 *
 * @module
 */
export {
  type Instrumentation,
  instrumentLocks,
  type InstrumentOptions,
  type MeterProviderLike,
  type TracerProviderLike,
} from "./otel/instrument_locks.ts";
