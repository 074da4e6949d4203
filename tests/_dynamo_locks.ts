/** What tests of DynamoLock assert of one, and put before its engine. */
import assert from "node:assert/strict";
import type { DynamoLock } from "../backends/dynamo.ts";
import type { DynamoServer } from "./_dynamo.ts";
import { type Call, HttpProxy } from "./_http_proxy.ts";
import { timed, within } from "./_time.ts";

/** A way to use a lock. */
export type Way = "acquire" | "patient" | "single" | "try" | "holder";

const uses: Record<Way, (lock: DynamoLock) => Promise<unknown>> = {
  acquire: (lock: DynamoLock) => lock.acquire(),
  patient: (lock: DynamoLock) => lock.acquire({ timeoutMs: 5000 }),
  single: (lock: DynamoLock) => lock.acquire({ timeoutMs: 0 }),
  try: (lock: DynamoLock) => lock.tryAcquire(),
  holder: (lock: DynamoLock) => lock.holder(),
};

/** The ways that take the lock. */
export const TAKING: readonly Way[] = ["acquire", "patient", "single", "try"];

// What needs no wait takes some round trips.
const AT_ONCE_MS = 1000;

/** An error of ours, as a test looks at it. */
export interface LockFailure extends Error {
  /** Its code. */
  code: string;
}

/** Each use fails at once with LOCK_BACKEND and a message of this form. */
export async function assertFails(
  lock: DynamoLock,
  message: RegExp,
  ways: readonly Way[] = [...TAKING, "holder"],
): Promise<void> {
  for (const way of ways) {
    const use = (): Promise<unknown> => within(5000, way, uses[way](lock));
    const { ms, error } = await timed(use);
    const failure = error as LockFailure | undefined;
    assert.equal(failure?.code, "LOCK_BACKEND", `${way}: ${error}`);
    assert.match(failure.message, message, way);
    assert.ok(ms < AT_ONCE_MS, `${way}: ${ms} ms`);
  }
}

/** Whether a request takes a lock. */
export function isAcquire(call: Call): boolean {
  return /:base/.test(expression(call));
}

/** Whether a request renews a lease. */
export function isRenewal(call: Call): boolean {
  return expression(call) === "SET #expiry = :expiry";
}

/** Whether a request sets fencing tokens aside, and renews a lease. */
export function isStocking(call: Call): boolean {
  return /:tokens/.test(expression(call));
}

/** Whether a request frees a lock. */
export function isRelease(call: Call): boolean {
  return /:free/.test(expression(call));
}

function expression({ body }: Call): string {
  return String(body.UpdateExpression ?? "");
}

/** Whether nobody holds a lock, by what stands in the table. */
export async function isFree(
  server: DynamoServer,
  name: string,
): Promise<boolean> {
  return Number((await server.get(name))?.expiry?.N ?? 0) === 0;
}

/** Runs something with a proxy before an engine. */
export async function withProxy<T>(
  { endpoint }: DynamoServer,
  run: (proxy: HttpProxy) => Promise<T>,
): Promise<T> {
  const proxy = await HttpProxy.start(endpoint);
  try {
    return await run(proxy);
  } finally {
    await proxy.end();
  }
}
