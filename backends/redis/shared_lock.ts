import { runtime } from "../../runtime/mod.ts";
import type { Holder } from "../core/holder.ts";
import type { LeaseTerms } from "../core/lease_terms.ts";
import { keptName } from "../core/names.ts";
import { isDuration, isPid, parseObject } from "../core/untrusted.ts";
import { ServerFault } from "./faults.ts";

/** One lock, as its servers know it. */
export interface SharedLock {
  /** The lock's name. */
  readonly name: string;
  /** On what terms it is taken. */
  readonly terms: LeaseTerms;
  /** The lock's own key. */
  readonly key: string;
  /** What the names of its companions begin with. */
  readonly base: string;
}

/**
 * Describes a lock.
 *
 * @param name The lock's name.
 * @param keyPrefix What its keys begin with; without one, the lock's own key is
 * the bare name, as in Python's `locking`.
 * @param terms On what terms it is taken.
 * @returns The lock.
 */
export function sharedLock(
  name: string,
  keyPrefix: string,
  terms: LeaseTerms,
): SharedLock {
  const text = keptName(name);
  // The hash tag keeps all keys of a lock on one node of a cluster.
  const base = `${keyPrefix}{${text}}`;
  return { name, terms, key: keyPrefix === "" ? text : base, base };
}

/**
 * A lock's keys in the order of the scripts. Not kept: a process may hold ten
 * thousand locks.
 *
 * @param lock The lock.
 * @returns The lock's own key, and those of its companions.
 */
export function keysOf({ key, base }: SharedLock): string[] {
  return [key, `${base}:fence`, `${base}:queue`, `${base}:waiters`];
}

let process: string | null = null;
let owners = 0;

/** A new owner: unique to one attempt to take a lock. */
export function newOwner(): string {
  process ??= runtime.identity.randomId();
  return `${process}-${++owners}`;
}

let who: string | null = null;

/** Who this process is, as part of a JSON object. */
export function whoWeAre(): string {
  const { identity } = runtime;
  return who ??= `"host":${JSON.stringify(identity.host())},` +
    `"pid":${identity.pid}`;
}

/**
 * Reads what a lock's key holds, ours or another program's.
 *
 * @param text The key's value.
 * @param leftMs How long the key still lives; negative where it has no end.
 * @returns The holder.
 */
export function readHolder(text: string, leftMs: number): Holder {
  const { host, pid, acquired } = parseObject(text);
  const holder: Holder = {
    host: typeof host === "string" ? host : "",
    pid: isPid(pid) ? pid : 0,
  };
  // A number it must be: of some objects none can be made without an error.
  const acquiredAt = typeof acquired === "number" ? acquired * 1000 : NaN;
  if (isDuration(acquiredAt)) holder.acquiredAt = new Date(acquiredAt);
  const expiresAt = runtime.clock.wall() + leftMs;
  if (leftMs >= 0 && isDuration(expiresAt)) {
    holder.expiresAt = new Date(expiresAt);
  }
  const fence = readFence(/"fence":(\d+)/.exec(text)?.[1]);
  if (fence !== null) holder.fencingToken = fence;
  return holder;
}

/**
 * Reads a fencing token.
 *
 * @param value What should be its digits.
 * @returns The token; null where it is no number of the server's, which has 64
 * bits.
 */
export function readFence(value: unknown): bigint | null {
  if (typeof value !== "string" || !/^\d{1,19}$/.test(value)) return null;
  return BigInt(value);
}

/**
 * Reads the fencing token of a grant.
 *
 * @param value What the server sent.
 * @returns The token.
 * @throws {ServerFault} If it is none.
 */
export function grantedFence(value: unknown): bigint {
  const fence = readFence(value);
  if (fence !== null) return fence;
  throw new ServerFault("refused", "the server gave no fencing token");
}

/**
 * Whose lock it is, by what the lock's key holds.
 *
 * @param text The key's value.
 * @returns The owner; of another program's, all that stands there.
 */
export function ownerOf(text: string): string {
  return /"token":"([^"]*)"/.exec(text)?.[1] ?? text;
}
