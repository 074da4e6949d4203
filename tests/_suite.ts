/** What the parts of the contract suite share. */
import { it } from "node:test";
import type { Lock } from "../mod.ts";
import { uniqueName } from "./_names.ts";

/** A kind of lock, as the contract suite sees it. */
export interface Contract {
  /** The title of its tests. */
  title: string;
  /** Makes a lock; the options are the lock's own, given by a test. */
  create(name: string, options?: object): Lock;
  /** What this kind can do. */
  capabilities: Capabilities;
}

/** What a kind of lock can do. */
export interface Capabilities {
  /** Why it cannot run here, for the skip message; false where it can. */
  missing: string | false;
  /** Whether its leases carry fencing tokens. */
  fencing: boolean;
  /**
   * Whether it is kept by servers: then a grant opens nothing of its own, and
   * all grants share a timer each for losses, heartbeats, lost answers and the
   * sleep of the machine.
   */
  remote: boolean;
  /**
   * Whether each step out of the process takes milliseconds: then what others
   * do a thousand times is done less often.
   *
   * @default {false}
   */
  slow?: boolean;
}

/** The means that each part of the suite gets. */
export interface Suite extends Contract {
  /** A lock of a name that nobody else uses. */
  fresh(): Lock;
  /** Another object of the same lock. */
  twin(lock: Lock): Lock;
  /** Declares a test, skipped where the lock cannot run. */
  test(
    name: string,
    run: () => void | Promise<void>,
    skip?: string | false,
  ): void;
}

/** Makes the means from a kind of lock. */
export function makeSuite(contract: Contract): Suite {
  const { create, capabilities } = contract;
  return {
    ...contract,
    fresh: () => create(uniqueName()),
    twin: (lock) => create(lock.name),
    test(name, run, skip = false): void {
      it(name, { skip: capabilities.missing || skip }, run);
    },
  };
}
