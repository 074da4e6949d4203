import {
  type Attributes,
  type Span,
  type SpanContext,
  SpanStatusCode,
  type Tracer,
} from "@opentelemetry/api";
import { show } from "../backends/core/options.ts";
import type {
  AcquireEvent,
  Lease,
  LossEvent,
  ReleaseEvent,
  RenewEvent,
} from "../mod.ts";
import { describeLock, errorType, type NameOf } from "./attributes.ts";
import type { Recorder } from "./follow.ts";

/** Makes spans of what the channels tell. */
export class LockSpans implements Recorder {
  readonly acquire = {
    start: (event: AcquireEvent): void => this.#startAcquire(event),
    asyncEnd: (event: AcquireEvent): void => this.#endAcquire(event),
  };
  readonly release = {
    start: (event: ReleaseEvent): void => this.#startRelease(event),
    asyncEnd: (event: ReleaseEvent): void => this.#endRelease(event),
  };
  readonly renew = {
    start: (event: RenewEvent): void => this.#startRenew(event),
    asyncEnd: (event: RenewEvent): void => this.#endRenew(event),
  };
  readonly lost = {
    start: (event: LossEvent): void => this.#tellLoss(event),
  };
  readonly #tracer: Tracer;
  readonly #nameOf: NameOf;
  /** The spans of what is under way, by its event. */
  readonly #spans = new WeakMap<object, Span>();
  readonly #acquires = new WeakMap<Lease, SpanContext>();

  /**
   * @param tracer Makes the spans.
   * @param nameOf Gives a lock's name in them.
   */
  constructor(tracer: Tracer, nameOf: NameOf) {
    this.#tracer = tracer;
    this.#nameOf = nameOf;
  }

  // This is called within acquire(): the active span is its caller's.
  #startAcquire(event: AcquireEvent): void {
    const attributes = describeLock(event, this.#nameOf);
    const { timeoutMs } = event;
    if (Number.isFinite(timeoutMs)) attributes["lock.timeout_ms"] = timeoutMs;
    const span = this.#tracer.startSpan("lock.acquire", { attributes });
    this.#spans.set(event, span);
  }

  #endAcquire(event: AcquireEvent): void {
    const span = this.#spans.get(event);
    if (span === undefined) return;
    const { result: lease, contended } = event;
    const attributes: Attributes = {
      "lock.contended": contended,
      "lock.acquired": Boolean(lease),
    };
    const token = lease?.fencingToken;
    // It has 64 bits, and attributes have no integers of so many.
    if (typeof token === "bigint") {
      attributes["lock.fencing_token"] = String(token);
    }
    if (lease) this.#acquires.set(lease, span.spanContext());
    end(span, event, attributes);
  }

  #startRelease(event: ReleaseEvent): void {
    const attributes = describeLock(event, this.#nameOf);
    const span = this.#tracer.startSpan("lock.release", { attributes });
    this.#spans.set(event, span);
  }

  #endRelease(event: ReleaseEvent): void {
    const span = this.#spans.get(event);
    if (span) end(span, event);
  }

  // A timer renews the leases of many, and whoever happened to start it is
  // active still: it has a trace of its own.
  #startRenew(event: RenewEvent): void {
    const span = this.#tracer.startSpan("lock.renew", {
      root: true,
      attributes: {
        "lock.kind": event.lockKind,
        "lock.place": event.place,
        "lock.lease_count": event.lockNames.length,
      },
    });
    this.#spans.set(event, span);
  }

  #endRenew(event: RenewEvent): void {
    const span = this.#spans.get(event);
    if (span === undefined) return;
    const { result } = event;
    const renewed = result === undefined
      ? {}
      : { "lock.renewed_count": result };
    end(span, event, renewed);
  }

  // So has a loss, which timers find as well; its link leads to the trace in
  // which the lock was taken.
  #tellLoss(event: LossEvent): void {
    const context = this.#acquires.get(event.lease);
    const span = this.#tracer.startSpan("lock.lost", {
      root: true,
      attributes: describeLock(event, this.#nameOf),
      links: context ? [{ context }] : [],
    });
    end(span, { error: event.reason });
  }
}

function end(
  span: Span,
  event: { error?: unknown },
  attributes: Attributes = {},
): void {
  span.setAttributes(attributes);
  if ("error" in event) fail(span, event.error);
  span.end();
}

function fail(span: Span, error: unknown): void {
  const isError = error instanceof Error;
  span.setAttribute("error.type", errorType(error));
  span.recordException(isError ? error : show(error));
  span.setStatus({
    code: SpanStatusCode.ERROR,
    message: isError ? error.message : show(error),
  });
}
