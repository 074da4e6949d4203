import type { Grant } from "./backend.ts";
import { farewell } from "./farewells.ts";

/**
 * Gives a grant back that nobody will use.
 *
 * @param grant The grant.
 * @returns A promise that settles when it is done, and never rejects.
 */
export function giveBack(grant: Grant): Promise<void> {
  const done = release(grant);
  farewell(done);
  return done;
}

async function release(grant: Grant): Promise<void> {
  try {
    await grant.release();
  } catch {
    // It frees itself; there is nobody to tell.
  }
}
