import { runtime } from "../../runtime/mod.ts";
import type { LookOptions, Survey } from "./backend.ts";
import { toLockError } from "./backend_errors.ts";
import type { Lease } from "./lease.ts";
import { type Lock, surveyOf } from "./lock.ts";
import { checkAcquireOptions, checkOptions, show } from "./options.ts";

/** Options of {@linkcode claim}. */
export interface ClaimOptions {
  /** Ends the search: claim then rejects with the signal's reason. */
  signal?: AbortSignal;
  /**
   * In which order the names are tried: `"random"` keeps workers that share a
   * list out of each other's way; `"given"` takes the first free one.
   *
   * @default {"random"}
   */
  order?: "random" | "given";
  /**
   * How many requests may be under way at once to look at the names, from 1.
   *
   * @default {32}
   */
  concurrency?: number;
}

/**
 * What {@linkcode claim} took. Disposing of it releases the lease.
 *
 * @typeParam Name The names' type.
 */
export interface Claim<Name extends string = string> extends AsyncDisposable {
  /** The name that was free. */
  readonly name: Name;
  /** The lease of its lock. */
  readonly lease: Lease;
}

/**
 * Takes the lock of one of many names, such as of one job of a list: the first
 * that is free, in random or given order. It never waits for a holder, and never
 * holds more than one of the locks, not even for a moment.
 *
 * Locks on Redis and DynamoDB are looked at many at a time, and only those that
 * are free are then tried, one after the other: of ten thousand names on Redis,
 * one is claimed in two round trips.
 *
 * @typeParam Name The names' type.
 * @param names The names; each counts once.
 * @param create Makes the lock of a name.
 * @param options The order, and what ends the search.
 * @returns The name and its lease; null when each lock was held by another, or
 * wanted by others of this process, at some moment of the search.
 * @throws {TypeError} If an argument makes no sense.
 * @throws {RangeError} If `concurrency` is no whole number from 1.
 * @throws {LockBackendError} If what keeps the locks cannot be used.
 * @throws {LockUnsupportedError} If this runtime or platform cannot.
 *
 * @example Take one job of many
 * ```ts
 * import { claim, SocketLock } from "@x/locking";
 *
 * const jobs = ["amsterdam", "berlin", "copenhagen"];
 * const job = await claim(jobs, (name) => new SocketLock(`claim/${name}`));
 * if (job) {
 *   console.log(`works on ${job.name}`);
 *   await job.lease.release();
 * }
 * ```
 */
export async function claim<Name extends string>(
  names: Iterable<Name>,
  create: (name: Name) => Lock,
  options: ClaimOptions = {},
): Promise<Claim<Name> | null> {
  checkArguments(names, create, options);
  const { signal, order = "random" } = options;
  const list = toList(names);
  if (signal?.aborted) throw signal.reason;
  if (order === "random") shuffle(list);
  let tried = 0;
  for await (const [name, lock] of candidates(list, create, options)) {
    // Attempts on this host may all be over at once: others have a turn, too.
    if (++tried % TRIES_PER_TURN === 0) await turn();
    const lease = await lock.tryAcquire(signal ? { signal } : {});
    if (lease !== null) return new TakenClaim(name, lease);
  }
  return null;
}

const TRIES_PER_TURN = 100;

class TakenClaim<Name extends string> implements Claim<Name> {
  readonly name: Name;
  readonly lease: Lease;

  constructor(name: Name, lease: Lease) {
    this.name = name;
    this.lease = lease;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.lease.release();
  }
}

type Candidate<Name> = readonly [name: Name, lock: Lock];

// Those that are worth an attempt. Where one look tells of many, the held ones
// are left out; else each lock is made when its turn comes.
async function* candidates<Name extends string>(
  names: readonly Name[],
  create: (name: Name) => Lock,
  { signal, concurrency = 32 }: ClaimOptions,
): AsyncIterable<Candidate<Name>> {
  const [first, ...rest] = names;
  if (first === undefined) return;
  const one: Candidate<Name> = [first, makeLock(first, create)];
  if (rest.length === 0 || surveyOf(one[1]) === undefined) {
    yield one;
    for (const name of rest) yield [name, makeLock(name, create)];
    return;
  }
  const all = [one];
  for (const name of rest) all.push([name, makeLock(name, create)]);
  const locks = all.map(([, lock]) => lock);
  const look = { concurrency, signal };
  const held = await orAbort(findHeld(locks, look), signal);
  yield* all.filter(([, lock]) => !held.has(lock));
}

function makeLock<Name extends string>(
  name: Name,
  create: (name: Name) => Lock,
): Lock {
  const lock: unknown = create(name);
  if (typeof (lock as Lock | null)?.tryAcquire === "function") {
    return lock as Lock;
  }
  throw new TypeError(
    `claim's create must return a lock for ${show(name)}, got ${show(lock)}`,
  );
}

async function findHeld(
  locks: readonly Lock[],
  options: LookOptions,
): Promise<Set<Lock>> {
  const held = new Set<Lock>();
  const groups = [...groupBySurvey(locks).values()];
  await Promise.all(groups.map(async (members) => {
    const items = members.map(({ survey }) => survey.item);
    const [{ lock, survey }] = members as [Member];
    const free = await survey.look(items, options).catch((error) => {
      throw toLockError("Cannot look who holds", lock.name, error);
    });
    members.forEach(({ lock }, i) => free[i] || held.add(lock));
  }));
  return held;
}

interface Member {
  readonly lock: Lock;
  readonly survey: Survey;
}

function groupBySurvey(locks: readonly Lock[]): Map<string, Member[]> {
  const groups = new Map<string, Member[]>();
  for (const lock of locks) {
    const survey = surveyOf(lock);
    if (survey === undefined) continue;
    const members = groups.get(survey.group);
    if (members) members.push({ lock, survey });
    else groups.set(survey.group, [{ lock, survey }]);
  }
  return groups;
}

// What is looked up for nobody any more has nobody to be told.
function orAbort<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    // While the locks were made, it may have been.
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort);
    promise.then(resolve, reject).finally(() =>
      signal.removeEventListener("abort", onAbort)
    );
  });
}

function turn(): Promise<void> {
  return new Promise((resolve) => runtime.timers.soon(resolve));
}

// The same each way: none comes first more often than another.
function shuffle(list: unknown[]): void {
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [list[i], list[j]] = [list[j], list[i]];
  }
}

function checkArguments(
  names: unknown,
  create: unknown,
  options: ClaimOptions,
): void {
  const isIterable = typeof names === "object" && names !== null &&
    Symbol.iterator in names;
  if (!isIterable) {
    throw new TypeError(`claim's names must be a list, got ${show(names)}`);
  }
  if (typeof create !== "function") {
    throw new TypeError(
      `claim's create must be a function, got ${show(create)}`,
    );
  }
  checkOptions("claim", options, ["signal", "order", "concurrency"]);
  const { signal, order, concurrency } = options;
  checkAcquireOptions(signal === undefined ? {} : { signal });
  if (order !== undefined && order !== "random" && order !== "given") {
    throw new TypeError(
      `claim's order must be "random" or "given", got ${show(order)}`,
    );
  }
  if (concurrency === undefined) return;
  if (!Number.isInteger(concurrency) || concurrency < 1) {
    throw new RangeError(
      `claim's concurrency must be a whole number from 1, got ${
        show(concurrency)
      }`,
    );
  }
}

function toList<Name extends string>(names: Iterable<Name>): Name[] {
  const list = [...new Set(names)];
  for (const name of list as unknown[]) {
    if (typeof name === "string") continue;
    throw new TypeError(`claim's names must be strings, got ${show(name)}`);
  }
  return list;
}
