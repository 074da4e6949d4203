import type { Holder } from "../core/holder.ts";
import { SHORTEST_TTL_MS } from "../core/lease_terms.ts";
import { isDuration, isPid } from "../core/untrusted.ts";

/** A value in an item, as the service sends it. */
export interface Attribute {
  /** A string. */
  readonly S?: string;
  /** A number, in decimal digits. */
  readonly N?: string;
}

/** An item, as the service sends it. */
export type Item = Readonly<Record<string, Attribute | undefined>>;

/** A lease of somebody else's, as it stands in the table. */
export interface Sighting {
  /** Whose it is. */
  readonly lockid: Attribute | undefined;
  /** Until when, as they reckon; it changes with each of their heartbeats. */
  readonly expiry: Attribute;
  /** Its time to live, in milliseconds; null where they did not say. */
  readonly ttlMs: number | null;
}

/** The expiry of an item whose lock is free. */
export const FREE: Attribute = { N: "0" };

/**
 * Reads whose lock an item is.
 *
 * @param item The item; undefined where there is none.
 * @returns The lease that stands there; null when the lock is free.
 */
export function readLease(item: Item | undefined): Sighting | null {
  const expiry = item?.expiry;
  // The original, too, takes a lock without an expiry for free.
  if (expiry === undefined || Number(expiry.N) === 0) return null;
  return { lockid: item?.lockid, expiry, ttlMs: readTtl(item?.ttl) };
}

// What is less than any lock of ours may have was not written by one.
function readTtl(ttl: Attribute | undefined): number | null {
  const ttlMs = Number(ttl?.N);
  return isDuration(ttlMs) && ttlMs >= SHORTEST_TTL_MS ? ttlMs : null;
}

/**
 * Whether an item is held by an owner.
 *
 * @param item The item.
 * @param owner The owner.
 * @returns Whether it is.
 */
export function isOf(item: Item | undefined, owner: string): boolean {
  return readLease(item) !== null && item?.lockid?.N === owner;
}

/**
 * Reads who holds a lock, by an item of ours or the original's.
 *
 * @param item The item.
 * @returns The holder.
 */
export function readHolder(item: Item): Holder {
  const pid = Number(item.pid?.N);
  const holder: Holder = {
    host: item.host?.S ?? "",
    pid: isPid(pid) ? pid : 0,
  };
  const expiresAt = readExpiry(item);
  if (isDuration(expiresAt)) holder.expiresAt = new Date(expiresAt);
  const fence = readFence(item);
  if (fence !== null) holder.fencingToken = fence;
  return holder;
}

/**
 * Reads an item's fencing token.
 *
 * @param item The item.
 * @returns The token, without a fraction that somebody else may have written;
 * null where there is none.
 */
export function readFence(item: Item): bigint | null {
  const digits = /^(\d+)(?:\.\d+)?$/.exec(item.fence?.N ?? "")?.[1];
  return digits === undefined ? null : BigInt(digits);
}

/**
 * Reads an item's expiry.
 *
 * @param item The item.
 * @returns Milliseconds since the epoch; not a number where there is none.
 */
export function readExpiry(item: Item | undefined): number {
  return Math.round(Number(item?.expiry?.N) * 1000);
}

/**
 * Writes an expiry.
 *
 * @param ms Whole milliseconds since the epoch.
 * @returns The attribute, in seconds.
 */
export function toExpiry(ms: number): Attribute {
  const part = String(ms % 1000).padStart(3, "0");
  return { N: `${Math.floor(ms / 1000)}.${part}` };
}
