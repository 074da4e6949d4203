import type { Grant } from "./backend.ts";

/**
 * Gives a grant back that nobody will use.
 *
 * @param grant The grant.
 * @returns A promise that settles when it is done, and never rejects.
 */
export async function giveBack(grant: Grant): Promise<void> {
  try {
    await grant.release();
  } catch {
    // It frees itself; there is nobody to tell.
  }
}
