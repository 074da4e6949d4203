import { printable } from "./untrusted.ts";

/** Who holds a lock, as far as it can be told. */
export interface Holder {
  /** The name of the holder's host; empty where it cannot be told. */
  host: string;
  /** The holder's process id on its host; 0 where it cannot be told. */
  pid: number;
  /** When the holder took the lock, by its own clock. */
  acquiredAt?: Date;
  /** When the lease ends if it is not renewed; only for leases. */
  expiresAt?: Date;
  /** The holder's fencing token; only for locks that have them. */
  fencingToken?: bigint;
}

// No host's name is longer (`HOST_NAME_MAX` is 64), but others may say so.
const LONGEST_HOST = 255;

/**
 * Describes a holder for a message.
 *
 * @param holder The holder.
 * @returns Such as `web-3 (pid 812)`.
 */
export function describeHolder(holder: Holder): string {
  const host = printable(holder.host.slice(0, LONGEST_HOST));
  return `${host || "an unknown host"} (pid ${holder.pid || "unknown"})`;
}
