import { runtime } from "../../runtime/mod.ts";
import { type Deadline, Deadlines } from "./deadlines.ts";

// Heartbeats keep no process alive: who forgets a lease may still exit.
const beats = new Deadlines(
  runtime.timers,
  runtime.clock.monotonic,
  { keepAlive: false },
);

// Beats come up to a tenth early, each time by chance, so that processes which
// started together do not go on together.
const JITTER = 0.1;

interface Group<M> {
  readonly members: Set<M>;
  beat: Deadline | null;
}

/**
 * The heartbeats of all leases that one connection renews. Leases of one
 * interval beat together, so that they can be renewed in one batch, and all of
 * the process share one timer.
 *
 * @typeParam M What stands for a lease.
 */
export class Heartbeats<M> {
  readonly #renew: (members: readonly M[]) => void;
  readonly #groups = new Map<number, Group<M>>();

  /** @param renew Renews some leases; must not throw. */
  constructor(renew: (members: readonly M[]) => void) {
    this.#renew = renew;
  }

  /**
   * Renews a lease from now on. Its first beat comes after one interval at the
   * latest.
   *
   * @param member The lease.
   * @param intervalMs How often, in milliseconds.
   */
  add(member: M, intervalMs: number): void {
    let group = this.#groups.get(intervalMs);
    if (group === undefined) {
      group = { members: new Set(), beat: null };
      this.#groups.set(intervalMs, group);
    }
    group.members.add(member);
    if (group.beat === null) this.#schedule(group, intervalMs);
  }

  /**
   * Renews a lease no more.
   *
   * @param member The lease.
   * @param intervalMs The interval that it was added with.
   */
  delete(member: M, intervalMs: number): void {
    this.#groups.get(intervalMs)?.members.delete(member);
  }

  #schedule(group: Group<M>, intervalMs: number): void {
    const afterMs = intervalMs * (1 - JITTER * Math.random());
    group.beat = {
      at: runtime.clock.monotonic() + afterMs,
      expire: () => this.#beat(group, intervalMs),
    };
    beats.add(group.beat);
  }

  // A group whose leases are gone beats once more, in vain: a process that
  // takes and frees a lock in a loop sets no timer each time.
  #beat(group: Group<M>, intervalMs: number): void {
    if (group.members.size === 0) {
      this.#groups.delete(intervalMs);
      return;
    }
    this.#schedule(group, intervalMs);
    this.#renew([...group.members]);
  }
}
