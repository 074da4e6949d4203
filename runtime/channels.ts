import {
  type TracingChannel,
  tracingChannel,
  type TracingChannelSubscribers,
} from "node:diagnostics_channel";
import type { Channel, Subscribers } from "./types.ts";

/**
 * Opens a tracing channel of `node:diagnostics_channel`, which all three
 * runtimes have.
 *
 * @typeParam C What its events tell.
 * @param name The channel's name.
 * @returns The channel.
 */
export function openChannel<C extends object>(name: string): Channel<C> {
  return new DiagnosticsChannel<C>(name);
}

class DiagnosticsChannel<C extends object> implements Channel<C> {
  readonly #channel: TracingChannel<C, C>;

  constructor(name: string) {
    this.#channel = tracingChannel<C, C>(name);
  }

  // Bun has no TracingChannel.hasSubscribers.
  get hasSubscribers(): boolean {
    const { start, end, asyncStart, asyncEnd, error } = this.#channel;
    return start.hasSubscribers || end.hasSubscribers ||
      asyncStart.hasSubscribers || asyncEnd.hasSubscribers ||
      error.hasSubscribers;
  }

  trace<T>(run: () => Promise<T>, event: C): Promise<T> {
    return this.#channel.tracePromise(run, event);
  }

  traceSync<T>(run: () => T, event: C): T {
    return this.#channel.traceSync(run, event);
  }

  subscribe(subscribers: Subscribers<C>): () => void {
    // Every runtime takes some for all, other than the types say.
    const some = subscribers as TracingChannelSubscribers<C>;
    this.#channel.subscribe(some);
    return () => this.#channel.unsubscribe(some);
  }
}
