import type { HeldLease } from "../backends/core/held_lease.ts";
import { describeHolder } from "../backends/core/holder.ts";
import type { Lock } from "../backends/core/lock.ts";
import { runtime } from "../runtime/mod.ts";
import { showDuration } from "./durations.ts";
import { EXIT_CODES } from "./exit_codes.ts";
import { Failure } from "./failure.ts";
import type { TakeOptions } from "./options.ts";
import { say } from "./say.ts";

/**
 * Takes a lock as the options say.
 *
 * @param lock The lock.
 * @param options Whether and how long to wait.
 * @param signal Ends the wait: the promise then rejects with its reason.
 * @returns The lease.
 * @throws {Failure} If the lock is not had.
 */
export async function take(
  lock: Lock,
  options: TakeOptions,
  signal: AbortSignal,
): Promise<HeldLease> {
  checkTaking(options);
  const { wait, timeout: timeoutMs = Infinity, verbose } = options;
  const began = runtime.clock.monotonic();
  const lease = wait && timeoutMs > 0
    ? await acquire(lock, options, { timeoutMs, signal })
    : await lock.tryAcquire({ signal });
  if (lease === null) throw conflict(options, await describe(lock));
  if (verbose) {
    const token = lease.fencingToken === null
      ? ""
      : `, fencing token ${lease.fencingToken}`;
    const took = showDuration(runtime.clock.monotonic() - began);
    say(`took "${lock.name}" after ${took}${token}`);
  }
  // What every lock makes; the interface tells less of it.
  return lease as HeldLease;
}

/**
 * Checks that the options agree.
 *
 * @param options The options.
 * @throws {Failure} If they do not.
 */
function checkTaking({ wait, timeout }: TakeOptions): void {
  if (wait || timeout === undefined) return;
  throw new Failure(
    EXIT_CODES.usage,
    "--no-wait and --timeout: wait, or do not wait",
  );
}

async function acquire(
  lock: Lock,
  options: TakeOptions,
  limits: { timeoutMs: number; signal: AbortSignal },
): ReturnType<Lock["acquire"]> {
  if (options.verbose) {
    const first = await lock.tryAcquire({ signal: limits.signal });
    if (first !== null) return first;
    say(await describe(lock) + ": waiting");
  }
  try {
    return await lock.acquire(limits);
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    throw code === "LOCK_TIMEOUT" ? conflict(options, message) : error;
  }
}

// Who asked for another exit code takes it for no failure.
function conflict(
  { conflictExitCode, verbose }: TakeOptions,
  message: string,
): Failure {
  const isQuiet = conflictExitCode === EXIT_CODES.ok && !verbose;
  return new Failure(conflictExitCode, isQuiet ? "" : message);
}

async function describe(lock: Lock): Promise<string> {
  const holder = await lock.holder().catch(() => null);
  const by = holder === null ? "" : ` by ${describeHolder(holder)}`;
  return `"${lock.name}" is held${by}`;
}
