import type { FaultAdvice } from "./fault_error.ts";
import type {
  Connection,
  ConnectionHandlers,
  MaybePromise,
} from "../../runtime/types.ts";

/** What the kernel lets one process of the host have: an address, a file. */
export interface Gate {
  /** What is held, for this process's books. */
  readonly key: string;
  /**
   * The address that is bound as long as the gate is held, where there is one:
   * a connection to it ends with the hold.
   */
  readonly door: string | null;
  /**
   * The address at which a holder lets waiters in besides, and keeps them while
   * it frees the gate and takes it again; null where it cannot be known or
   * used. Known from the last attempt on.
   */
  readonly lobby: string | null;
  /**
   * How often to try although nobody rang, in milliseconds: while nobody can
   * ring, and while the holder said that it will. Infinity: never.
   */
  readonly pollMs: { readonly deaf: number; readonly answered: number };
  /** What helps when the gate cannot be used. */
  readonly advice: FaultAdvice;
  /**
   * Tries once to take the gate.
   *
   * @param admit Lets waiters in by the door, once the hold is opened.
   * @returns The hold, or null when another has it.
   * @throws {RuntimeFault} On anything other than contention.
   */
  tryHold(admit: Admit): MaybePromise<Hold | null>;
}

/** Takes a connection and returns its handlers. */
export type Admit = (connection: Connection) => ConnectionHandlers;

/** A gate that this process has. */
export interface Hold {
  /**
   * Does what only a longer hold needs, such as letting waiters in; called in
   * a turn of the event loop, if ever.
   */
  open(): void;
  /**
   * Looks whether the gate is still what was taken; it must not throw.
   *
   * @returns Why it is not, or why that cannot be told; or null.
   */
  check?(): string | null;
  /**
   * Gives the gate back. Waiters let in before stay connected.
   *
   * @returns A promise where the gate is free only once it has settled.
   */
  release(): MaybePromise<void>;
}
