import type { HeldLease } from "../backends/core/held_lease.ts";
import {
  DEFAULT_TTL_MS,
  SHORTEST_TTL_MS,
} from "../backends/core/lease_terms.ts";
import { commandLine } from "../runtime/command_line/mod.ts";
import type { End } from "../runtime/command_line/types.ts";
import { EXIT_CODES } from "./exit_codes.ts";
import { Failure } from "./failure.ts";
import { GuardedCommand } from "./guarded_command.ts";
import { LossWatch, marginMs } from "./loss.ts";
import { kindOf, openLock } from "./open_lock.ts";
import type { RunOptions } from "./options.ts";
import { say } from "./say.ts";
import { Signals } from "./signals.ts";
import { take } from "./take.ts";

/**
 * Runs a command while holding a lock.
 *
 * @param name The lock's name.
 * @param command The command and its arguments.
 * @param options How the lock is taken, and what becomes of its loss.
 * @returns The exit code.
 * @throws {Failure} If the command was not run.
 */
export async function run(
  name: string,
  command: readonly string[],
  options: RunOptions,
): Promise<number> {
  const terms = checkTerms(options);
  const lock = openLock(name, options, options.ttl);
  const signals = new Signals();
  const lease = await take(lock, options, signals.aborted);
  try {
    signals.aborted.throwIfAborted();
    return await hold(lease, command, { ...options, ...terms, signals });
  } finally {
    await release(lease, signals, options);
  }
}

interface Terms {
  readonly ttlMs: number;
  readonly graceMs: number;
}

// The command is told that much before its lease is over. A grace longer than
// half of that would take renewals for late that are not.
function checkTerms(options: RunOptions): Terms {
  const kind = kindOf(options);
  if (kind === "socket" || kind === "file") return checkHostTerms(options);
  const { ttl = DEFAULT_TTL_MS, grace = ttl / 5 } = options;
  if (ttl < SHORTEST_TTL_MS) {
    throw usage(`--ttl must be at least ${SHORTEST_TTL_MS}ms`);
  }
  if (grace > ttl / 2) {
    throw usage(`--grace must be at most half of --ttl, ${ttl / 2}ms`);
  }
  return { ttlMs: ttl, graceMs: grace };
}

function checkHostTerms({ ttl, grace = 5000 }: RunOptions): Terms {
  if (ttl === undefined) return { ttlMs: Infinity, graceMs: grace };
  throw usage("--ttl belongs to --redis and --dynamo: others have no lease");
}

interface Holding extends RunOptions, Terms {
  readonly signals: Signals;
}

async function hold(
  lease: HeldLease,
  command: readonly string[],
  options: Holding,
): Promise<number> {
  const { signals, onLost } = options;
  lease.assertHeld();
  const running = new GuardedCommand(command, {
    LOCKING_NAME: lease.lockName,
    LOCKING_FENCING_TOKEN: lease.fencingToken?.toString() ?? null,
  }, options.graceMs);
  signals.forwardTo((name) => running.forward(name));
  let isLost = false;
  const watch = new LossWatch(lease, aheadMs(options), (reason) => {
    isLost = onLost !== "ignore";
    if (isLost) running.stop(graceMs(lease, options));
    say(reason);
  });
  const end = await running.end();
  watch.stop();
  signals.forwardTo(null);
  if (options.verbose) say(describe(end));
  if (isLost) return EXIT_CODES.lost;
  return codeAfter(lease, end, options);
}

// When the loss of a lease that is not renewed is acted on.
function aheadMs({ onLost, graceMs, ttlMs }: Holding): number {
  if (onLost === "ignore") return 0;
  const rest = marginMs(ttlMs);
  return onLost === "kill" ? rest : Math.max(graceMs, rest);
}

// By the end of what was granted last, even if the lock has been taken away
// before: it may be another's already.
function graceMs(
  lease: HeldLease,
  { onLost, graceMs, ttlMs }: Holding,
): number {
  if (onLost === "kill") return 0;
  return Math.min(graceMs, lease.remainingMs - marginMs(ttlMs));
}

// A loss that nobody has told of in time is found by looking.
function codeAfter(
  lease: HeldLease,
  end: End,
  { onLost }: Holding,
): number {
  const code = end.signal === null
    ? end.code ?? EXIT_CODES.internal
    : EXIT_CODES.signal + commandLine.signalNumber(end.signal);
  const { loss } = lease;
  if (loss === null || onLost === "ignore") return code;
  say(loss.message);
  return code === EXIT_CODES.ok ? EXIT_CODES.lost : code;
}

// The command has ended: whatever comes of this does not change how. A server
// that is away is waited for as long as the lease is not over, but for no longer
// than whoever sends a signal wants.
async function release(
  lease: HeldLease,
  { aborted }: Signals,
  { verbose }: RunOptions,
): Promise<void> {
  const interrupted = new Promise<never>((_, reject) => {
    aborted.addEventListener("abort", () => {
      reject(new Error(`Cannot release "${lease.lockName}": interrupted`));
    });
  });
  try {
    await Promise.race([lease.release(), interrupted]);
    if (verbose) say(`freed "${lease.lockName}"`);
  } catch (error) {
    say((error as Error).message);
  }
}

function describe({ code, signal }: End): string {
  return signal === null
    ? `the command ended with ${code}`
    : `the command was ended by ${signal}`;
}

function usage(message: string): Failure {
  return new Failure(EXIT_CODES.usage, message);
}
