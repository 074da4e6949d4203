import type { Holder } from "./holder.ts";

/** A lock that is held, as a list shows it. */
export interface HeldLock {
  /** The lock's name; `#` and its SHA-256 where only that is kept. */
  readonly name: string;
  /** Who holds it. */
  readonly holder: Holder;
}
