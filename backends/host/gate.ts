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
   * The address at which the present holder lets waiters in; null where it
   * cannot be known or used. Known from the last attempt on.
   */
  readonly bell: string | null;
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
   * @param admit Lets waiters in, once the hold is opened.
   * @returns The hold, or null when another has it.
   * @throws {RuntimeFault} On anything other than contention.
   */
  tryHold(admit: Admit): MaybePromise<Hold | null>;
}

/** Takes a connection and returns its handlers. */
export type Admit = (connection: Connection) => ConnectionHandlers;

/** A gate that this process has. */
export interface Hold {
  /** Starts to let waiters in; called in a turn of the event loop, if ever. */
  open(): void;
  /**
   * Looks whether the gate is still what was taken.
   *
   * @returns Why it is not, or null.
   */
  check?(): string | null;
  /**
   * Gives the gate back. Waiters let in before stay connected.
   *
   * @returns A promise where the gate is free only once it has settled.
   */
  release(): MaybePromise<void>;
}
