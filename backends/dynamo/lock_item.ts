import type { LeaseTerms } from "../core/lease_terms.ts";
import type { Place } from "./requests.ts";

/** What a hash key may hold, in bytes. */
export const LONGEST_KEY = 2048;

/** One lock, as its table knows it. */
export interface LockItem extends Place {
  /** The lock's name. */
  readonly name: string;
  /** On what terms it is taken. */
  readonly terms: LeaseTerms;
  /** Whether the table is created when it is missing. */
  readonly createTable: boolean;
}
