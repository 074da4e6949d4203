import { runtime } from "../../runtime/mod.ts";
import type { MaybePromise } from "../../runtime/types.ts";
import type { Grant } from "../core/backend.ts";
import { toReleaseError } from "../core/backend_errors.ts";
import { type CallOptions, releaseOptions } from "../core/call_options.ts";
import { driftMs, LeaseClock, type Moment } from "../core/lease_clock.ts";
import { pause } from "../core/pause.ts";
import { STOCKED, TokenStock } from "../core/token_stock.ts";
import { type RenewEvent, traceRenewal } from "../core/tracing.ts";
import { callOptions } from "./call_options.ts";
import {
  isOf,
  type Item,
  readExpiry,
  readFence,
  readLease,
  toExpiry,
} from "./item.ts";
import type { LockItem } from "./lock_item.ts";
import { release, renew } from "./requests.ts";
import type { DynamoTable, Renewable, Reply } from "./table.ts";
import type { Tenure } from "./tenure.ts";

// For how long a lock is passed on within this process, in milliseconds, before
// it is freed for others: nobody sees them wait, and they look at the table no
// less often than that.
const PASSING_MS = 1000;

/** What a {@linkcode DynamoGrant} is made of. */
export interface DynamoGrantOptions {
  /** The lock. */
  readonly lock: LockItem;
  /** The table that keeps it. */
  readonly table: DynamoTable;
  /** What was written of it. */
  readonly tenure: Tenure;
  /** The fencing token. */
  readonly fencingToken: bigint;
  /** When the request was sent that took the lock. */
  readonly sentAt: Moment;
}

/** A lock that a table keeps for this process. */
export class DynamoGrant implements Grant, Renewable {
  readonly clock: LeaseClock;
  yields = false;
  readonly #lock: LockItem;
  readonly #table: DynamoTable;
  readonly #tenure: Tenure;
  readonly #tokens: TokenStock;
  readonly #passedUntil = runtime.clock.monotonic() + PASSING_MS;
  #lost: ((reason: string) => void) | null = null;
  #goneFor: string | null = null;
  #renewing = false;
  #over = false;

  /** @param options What it is made of. */
  constructor(options: DynamoGrantOptions) {
    this.#tokens = new TokenStock(options.fencingToken);
    this.#lock = options.lock;
    this.#table = options.table;
    this.#tenure = options.tenure;
    const { ttlMs } = options.lock.terms;
    const trustedMs = ttlMs - driftMs(ttlMs);
    this.clock = new LeaseClock(runtime.clock, trustedMs, options.sentAt);
  }

  /** Of the task that has the lock now. */
  get fencingToken(): bigint {
    return this.#tokens.last;
  }

  watch(lost: (reason: string) => void): void {
    this.#lost = lost;
    // Between two tasks, nobody was there to be told.
    if (this.#goneFor !== null) return lost(this.#goneFor);
    const { ttlMs, heartbeatIntervalMs } = this.#lock.terms;
    this.#table.heartbeats.add(this, heartbeatIntervalMs);
    // The answer took long: the first heartbeat might come too late.
    if (this.clock.remainingMs() < ttlMs / 2) void this.renew();
  }

  // What its holder was told is lost is not renewed: as nobody renews a lease
  // whose time is over, none comes back to life.
  async renew(): Promise<void> {
    if (this.#renewing || this.#over) return;
    this.#renewing = true;
    const { paceMs } = callOptions(this.#lock.terms.ttlMs);
    while (!this.#over && this.clock.remainingMs() > 0) {
      try {
        await traceRenewal(() => this.#beat(), () => this.#describeBeat());
        break;
      } catch {
        // What the service refuses now it may grant in time: until its holder
        // is told by the clocks, the lease is worth another try.
        await pause(paceMs, { keepAlive: false });
      }
    }
    this.#renewing = false;
    if (this.clock.remainingMs() <= 0) this.#stop();
  }

  async #beat(): Promise<number> {
    await this.#renewOnce({
      ...callOptions(this.#lock.terms.ttlMs),
      limitMs: this.clock.remainingMs(),
      persistent: true,
      keepAlive: false,
    });
    return this.#over ? 0 : 1;
  }

  #describeBeat(): RenewEvent {
    const lockNames = [this.#lock.name];
    return { lockKind: "dynamo", lockNames, place: this.#table.label };
  }

  pass(): MaybePromise<DynamoGrant | null> {
    if (this.#over || this.clock.remainingMs() <= 0) return null;
    if (runtime.clock.monotonic() >= this.#passedUntil) {
      this.yields = true;
      return null;
    }
    return this.#tokens.next() === null ? this.#passAnew() : this;
  }

  async #passAnew(): Promise<DynamoGrant | null> {
    try {
      await this.#renewOnce(callOptions(this.#lock.terms.ttlMs), STOCKED);
    } catch {
      // It is given back instead, and that tells what is wrong.
      return null;
    }
    if (this.#over || this.clock.remainingMs() <= 0) return null;
    return this.#tokens.next() === null ? null : this;
  }

  async #renewOnce(options: CallOptions, tokens = 0): Promise<void> {
    const { terms: { ttlMs } } = this.#lock;
    const { owner } = this.#tenure;
    const reply = await this.#table.write((sentAt) => {
      const atMs = this.#table.link.clock.now() + ttlMs;
      const expiry = toExpiry(this.#tenure.next(atMs, sentAt));
      return renew(this.#lock, { owner, expiry, tokens });
    }, options);
    if (!reply.refused) return this.#onRenewed(reply.item);
    const item = reply.item ??
      await this.#table.read(this.#lock, true, options);
    this.#onRefusal(item);
  }

  // Refused although it is still ours: one of our requests has been applied
  // whose answer was lost, or which the driver had sent twice.
  #onRefusal(item: Item | undefined): void {
    if (this.#over) return;
    if (!isOf(item, this.#tenure.owner)) {
      this.#stop();
      this.#goneFor = reasonOf(this.#table, item);
      return this.#lost?.(this.#goneFor);
    }
    this.#onRenewed(item);
  }

  // Of several tries, any may have been answered first: what stands in the table
  // tells from which it counts. As long as it is ours, only we take its tokens.
  #onRenewed(item: Item | undefined): void {
    const sentAt = this.#tenure.settle(readExpiry(item));
    if (sentAt) this.clock.renew(sentAt);
    const fence = item && readFence(item);
    if (fence) this.#tokens.fill(fence);
  }

  async release(): Promise<void> {
    this.#stop();
    if (this.#goneFor !== null) return;
    try {
      const reply = await this.#leave();
      if (reply.refused && !reply.repeated) {
        this.#lost?.("it was gone when it was released");
      }
    } catch (error) {
      throw toReleaseError(this.#lock, error);
    }
  }

  #leave(): Promise<Reply> {
    const options = callOptions(this.#lock.terms.ttlMs);
    return this.#table.write(
      () => release(this.#lock, this.#tenure.owner),
      releaseOptions(options, this.clock.remainingMs()),
    );
  }

  #stop(): void {
    this.#over = true;
    const { heartbeatIntervalMs } = this.#lock.terms;
    this.#table.heartbeats.delete(this, heartbeatIntervalMs);
  }
}

function reasonOf({ label }: DynamoTable, item: Item | undefined): string {
  return readLease(item) === null
    ? `${label} has it no more`
    : `${label} has it for another`;
}
