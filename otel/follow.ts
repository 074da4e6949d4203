import { diag } from "@opentelemetry/api";
import type {
  AcquireEvent,
  LossEvent,
  ReleaseEvent,
  RenewEvent,
} from "../mod.ts";
import { openChannel } from "../runtime/channels.ts";
import type { Subscribers } from "../runtime/types.ts";

/** Who records what the library's channels tell. */
export interface Recorder {
  /** Of taking locks. */
  readonly acquire: Subscribers<AcquireEvent>;
  /** Of giving them back. */
  readonly release: Subscribers<ReleaseEvent>;
  /** Of the heartbeats by which leases are renewed. */
  readonly renew: Subscribers<RenewEvent>;
  /** Of leases that are lost. */
  readonly lost: Subscribers<LossEvent>;
}

/**
 * Has a recorder follow the channels, by their names: this module shares no
 * state with the locks, and can be packed apart from them.
 *
 * @param recorder Who records.
 * @returns Ends that.
 */
export function follow(recorder: Recorder): () => void {
  const ends = [
    subscribe("locking:acquire", recorder.acquire),
    subscribe("locking:release", recorder.release),
    subscribe("locking:renew", recorder.renew),
    subscribe("locking:lost", recorder.lost),
  ];
  return () => ends.forEach((end) => end());
}

function subscribe<E extends object>(
  name: string,
  subscribers: Subscribers<E>,
): () => void {
  return openChannel<E>(name).subscribe({
    start: (event) => attempt(() => subscribers.start?.(event)),
    asyncEnd: (event) => attempt(() => subscribers.asyncEnd?.(event)),
  });
}

/**
 * Records something, or tells that it cannot be. What a subscriber throws is
 * nobody's to catch and ends the process on Node and Bun, and no program is to
 * end because it is observed: it goes where OpenTelemetry's own errors go.
 *
 * @param record Records it.
 */
export function attempt(record: () => void): void {
  try {
    record();
  } catch (error) {
    diag.error("@x/locking/otel: Cannot record what became of a lock", error);
  }
}
