import { EXIT_CODES } from "./exit_codes.ts";
import { openLock } from "./open_lock.ts";
import type { TakeOptions } from "./options.ts";
import { Signals } from "./signals.ts";
import { take } from "./take.ts";

/**
 * Waits until a lock is free: takes it in its turn, and frees it at once.
 *
 * @param name The lock's name.
 * @param options Where the lock is kept, and how long to wait.
 * @returns The exit code.
 * @throws {Failure} If the lock did not become free in time.
 */
export async function wait(
  name: string,
  options: TakeOptions,
): Promise<number> {
  const lock = openLock(name, options);
  const lease = await take(lock, options, new Signals().aborted);
  await lease.release();
  return EXIT_CODES.ok;
}
