import type {
  Attributes,
  Counter,
  Histogram,
  Meter,
  UpDownCounter,
} from "@opentelemetry/api";
import type {
  AcquireEvent,
  Lease,
  LossEvent,
  ReleaseEvent,
  RenewEvent,
} from "../mod.ts";
import { describeLock, errorType, type NameOf } from "./attributes.ts";
import type { Recorder } from "./follow.ts";

// A socket is taken in a tenth of a millisecond, and a job may take hours.
const SECONDS = {
  unit: "s",
  advice: {
    explicitBucketBoundaries: [
      ...[0.0001, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5],
      ...[1, 5, 10, 60, 300, 1800, 7200],
    ],
  },
};

/** A lease that is held. */
interface Hold {
  /** When it was granted, in milliseconds. */
  readonly since: number;
  /** Which lock it is of. */
  readonly lock: Attributes;
}

/** How many leases of some lock are held. */
interface Held {
  readonly lock: Attributes;
  count: number;
}

/** Makes metrics of what the channels tell. */
export class LockMetrics implements Recorder {
  readonly acquire = {
    start: (event: AcquireEvent): void => this.#startAcquire(event),
    asyncEnd: (event: AcquireEvent): void => this.#endAcquire(event),
  };
  readonly release = {
    asyncEnd: ({ lease }: ReleaseEvent): void => {
      this.#endHold(lease, "released");
    },
  };
  readonly renew = {
    asyncEnd: (event: RenewEvent): void => this.#endRenew(event),
  };
  readonly lost = {
    start: (event: LossEvent): void => this.#tellLoss(event),
  };
  readonly #nameOf: NameOf;
  readonly #waits: Histogram;
  readonly #holds: Histogram;
  readonly #contentions: Counter;
  readonly #losses: Counter;
  readonly #failures: Counter;
  readonly #held: UpDownCounter;
  /** When acquires began, in milliseconds. */
  readonly #started = new WeakMap<AcquireEvent, number>();
  /** The leases whose acquire was seen; null once they have ended. */
  readonly #leases = new WeakMap<Lease, Hold | null>();
  /** By the attributes; without the leases, which may be dropped unreleased. */
  readonly #counts = new Map<string, Held>();

  /**
   * @param meter Makes the instruments.
   * @param nameOf Gives a lock's name in them.
   */
  constructor(meter: Meter, nameOf: NameOf) {
    this.#nameOf = nameOf;
    this.#waits = meter.createHistogram("locking.wait.duration", {
      ...SECONDS,
      description: "How long it took to take a lock, or to give up",
    });
    this.#holds = meter.createHistogram("locking.hold.duration", {
      ...SECONDS,
      description: "How long a lease was held, until its release or loss",
    });
    this.#contentions = meter.createCounter("locking.contentions", {
      unit: "{acquire}",
      description: "Acquires that found the lock held, or wanted by others",
    });
    this.#losses = meter.createCounter("locking.losses", {
      unit: "{lease}",
      description: "Leases that were lost before their release",
    });
    this.#failures = meter.createCounter("locking.renewal.failures", {
      unit: "{failure}",
      description: "Renewals of leases that failed, and are tried again",
    });
    this.#held = meter.createUpDownCounter("locking.held", {
      unit: "{lease}",
      description: "Leases that this process holds",
    });
  }

  /** Takes what is held off the count, since nobody will count it down. */
  letGo(): void {
    for (const { lock, count } of this.#counts.values()) {
      this.#held.add(-count, lock);
    }
    this.#counts.clear();
  }

  #startAcquire(event: AcquireEvent): void {
    this.#started.set(event, performance.now());
  }

  #endAcquire(event: AcquireEvent): void {
    const started = this.#started.get(event);
    if (started === undefined) return;
    const now = performance.now();
    const { result: lease, contended } = event;
    const lock = describeLock(event, this.#nameOf);
    this.#waits.record((now - started) / 1000, {
      ...lock,
      "lock.contended": contended,
      "lock.outcome": outcomeOf(event),
    });
    if (contended) this.#contentions.add(1, lock);
    // It may have been lost before its caller has it.
    if (!lease || this.#leases.has(lease)) return;
    this.#leases.set(lease, { since: now, lock });
    this.#count(lock, 1);
  }

  #tellLoss(event: LossEvent): void {
    this.#losses.add(1, describeLock(event, this.#nameOf));
    this.#endHold(event.lease, "lost");
  }

  #endRenew(event: RenewEvent): void {
    if (!("error" in event)) return;
    this.#failures.add(1, {
      "lock.kind": event.lockKind,
      "lock.place": event.place,
      "error.type": errorType(event.error),
    });
  }

  #endHold(lease: Lease, outcome: "released" | "lost"): void {
    const hold = this.#leases.get(lease);
    this.#leases.set(lease, null);
    if (!hold) return;
    const { since, lock } = hold;
    const seconds = (performance.now() - since) / 1000;
    this.#holds.record(seconds, { ...lock, "lock.outcome": outcome });
    this.#count(lock, -1);
  }

  #count(lock: Attributes, by: 1 | -1): void {
    const key = JSON.stringify(lock);
    const held = this.#counts.get(key) ?? { lock, count: 0 };
    held.count += by;
    if (held.count === 0) this.#counts.delete(key);
    else this.#counts.set(key, held);
    this.#held.add(by, lock);
  }
}

function outcomeOf(event: AcquireEvent): string {
  if ("error" in event) return errorType(event.error);
  return event.result ? "acquired" : "held";
}
