/** What the tests of claim() share. */
import assert from "node:assert/strict";
import {
  type Claim,
  claim,
  type ClaimOptions,
  type Lease,
  type Lock,
} from "../mod.ts";
import { uniqueName } from "./_names.ts";

/** Names that nobody else uses. */
export function namesOf(count: number): string[] {
  const base = uniqueName();
  return Array.from({ length: count }, (_, i) => `${base}/${i}`);
}

/** Claims one, which there must be. */
export async function claimOne(
  names: readonly string[],
  create: (name: string) => Lock,
  options?: ClaimOptions,
): Promise<Claim> {
  const job = await claim(names, create, options);
  assert.ok(job, "none was free");
  return job;
}

/** Takes the locks of all names. */
export async function takeAll(
  names: readonly string[],
  create: (name: string) => Lock,
): Promise<Lease[]> {
  return await Promise.all(names.map((name) => create(name).acquire()));
}

/** Releases them all. */
export async function freeAll(leases: readonly Lease[]): Promise<void> {
  await Promise.all(leases.map((lease) => lease.release()));
}
