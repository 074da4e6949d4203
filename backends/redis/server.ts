import { runtime } from "../../runtime/mod.ts";
import { type CallOptions, callOptionsFor } from "../core/call_options.ts";
import { Heartbeats } from "../core/heartbeats.ts";
import type { Moment } from "../core/lease_clock.ts";
import { traceRenewal } from "../core/tracing.ts";
import { BroughtConnector, type Connector, OwnConnector } from "./connector.ts";
import type { Answer } from "./exchange.ts";
import { Link } from "./link.ts";
import { RENEW } from "./scripts.ts";
import type { ServerRef } from "./server_ref.ts";
import type { SharedLock } from "./shared_lock.ts";
import { WakeUps } from "./wake_ups.ts";

/** A lease that one server renews. */
export interface Renewable {
  /** The lock. */
  readonly lock: SharedLock;
  /** Who holds it. */
  readonly owner: string;
  /** How long it may still be trusted, in milliseconds. */
  remainingMs(): number;
  /**
   * The server renewed the lease.
   *
   * @param server Which server.
   * @param sentAt When the heartbeat was sent.
   */
  onRenewed(server: RedisServer, sentAt: Moment): void;
  /**
   * The server has the lease no more.
   *
   * @param server Which server.
   * @param reason Why, in words.
   */
  onGone(server: RedisServer, reason: string): void;
}

/**
 * One server, as all locks of this process share it: one connection, one
 * subscriber, and the heartbeats of everything held there.
 */
export class RedisServer {
  /** The connection for calls. */
  readonly link: Link;
  /** The subscriber. */
  readonly wakeUps: WakeUps;
  readonly #heartbeats = new Heartbeats<Renewable>((due) => this.#beat(due));
  readonly #renewing = new Set<Renewable>();

  /** @param connector How the server is reached. */
  constructor(connector: Connector) {
    this.link = new Link(connector);
    this.wakeUps = new WakeUps(connector);
  }

  /** The server, for messages. */
  get label(): string {
    return this.link.connector.label;
  }

  /**
   * Renews a lease from now on.
   *
   * @param lease The lease.
   */
  keep(lease: Renewable): void {
    this.#heartbeats.add(lease, lease.lock.terms.heartbeatIntervalMs);
  }

  /**
   * Renews a lease at once.
   *
   * @param lease The lease.
   */
  renewNow(lease: Renewable): void {
    this.#beat([lease]);
  }

  /**
   * Renews it no more.
   *
   * @param lease The lease.
   */
  forget(lease: Renewable): void {
    this.#heartbeats.delete(lease, lease.lock.terms.heartbeatIntervalMs);
  }

  // A heartbeat that is still under way is repeated by the link itself.
  #beat(due: readonly Renewable[]): void {
    const live = due.filter((lease) => {
      if (this.#renewing.has(lease)) return false;
      if (lease.remainingMs() > 0) return true;
      // What its holder was told is lost must not live on by heartbeats.
      this.forget(lease);
      return false;
    });
    const { batch } = this.link.connector;
    for (let i = 0; i < live.length; i += batch) {
      void this.#renew(live.slice(i, i + batch));
    }
  }

  async #renew(leases: readonly Renewable[]): Promise<void> {
    leases.forEach((lease) => this.#renewing.add(lease));
    try {
      await this.#tellAndRenew(leases);
    } catch {
      // What the server refuses now it may grant in time: until its holder is
      // told by the clocks that it is lost, the lease is worth another try.
      const { paceMs } = callOptions(leases[0]!.lock.terms.ttlMs);
      runtime.timers.after(paceMs, () => this.#beat(leases));
    } finally {
      leases.forEach((lease) => this.#renewing.delete(lease));
    }
  }

  #tellAndRenew(leases: readonly Renewable[]): Promise<number> {
    return traceRenewal(
      async () => this.#onRenewal(leases, await this.#callRenew(leases)),
      () => ({
        lockKind: "redis",
        lockNames: leases.map(({ lock }) => lock.name),
        place: this.label,
      }),
    );
  }

  #callRenew(leases: readonly Renewable[]): Promise<Answer> {
    const keys = leases.map(({ lock }) => lock.key);
    const args = leases.flatMap(({ owner, lock }) => [
      owner,
      String(lock.terms.ttlMs),
    ]);
    // Until the last of them is over.
    const ttls = leases.map(({ lock }) => lock.terms.ttlMs);
    return this.link.call({ script: RENEW, keys, args }, {
      ...callOptions(Math.min(...ttls)),
      limitMs: Math.max(...ttls),
      persistent: true,
      keepAlive: false,
    });
  }

  #onRenewal(
    leases: readonly Renewable[],
    { sentAt, values }: Answer,
  ): number {
    let renewed = 0;
    leases.forEach((lease, i) => {
      const result = Number(values[i]);
      if (result === 1) {
        renewed++;
        return lease.onRenewed(this, sentAt);
      }
      const reason = result === 0
        ? `${this.label} has it no more`
        : `${this.label} has given it to another`;
      lease.onGone(this, reason);
    });
    return renewed;
  }
}

// The longest that one attempt to take a lock may take.
const LONGEST_ATTEMPT_MS = 2000;

/**
 * How to make a call that somebody waits for, and that fails at once where the
 * server cannot be reached.
 *
 * @param ttlMs The time to live of the lock in question, in milliseconds.
 * @returns The options.
 */
export function callOptions(ttlMs: number): CallOptions {
  return callOptionsFor(ttlMs, LONGEST_ATTEMPT_MS);
}

const servers = new WeakMap<ServerRef, RedisServer>();

/**
 * The one server of this process behind a reference.
 *
 * @param ref The reference.
 * @returns The server; nothing is connected yet.
 */
export function serverFor(ref: ServerRef): RedisServer {
  let server = servers.get(ref);
  if (server === undefined) {
    servers.set(ref, server = new RedisServer(connectorTo(ref)));
  }
  return server;
}

function connectorTo({ to }: ServerRef): Connector {
  if ("client" in to) return new BroughtConnector(to.client);
  return new OwnConnector(to.host, to.create);
}
