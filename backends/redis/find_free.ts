import type { LookOptions } from "../core/backend.ts";
import { inBatches } from "../core/in_batches.ts";
import { firstMajority } from "./first_majority.ts";
import { majorityOf } from "./quorum_grant.ts";
import { HELD } from "./scripts.ts";
import { callOptions, type RedisServer, serverFor } from "./server.ts";
import type { ServerRef } from "./server_ref.ts";
import type { SharedLock } from "./shared_lock.ts";

/**
 * Finds the locks among many that nobody holds: one round trip for some
 * thousands of them. With several servers, those that may be free on a
 * majority, as far as a majority tells: what a silent one has is not waited for.
 *
 * @param refs The servers.
 * @param locks The locks.
 * @param options How they are looked at; each server gets so many requests.
 * @returns For each lock, whether it may be free.
 * @throws {AggregateError} If no majority of the servers answers.
 */
export async function findFree(
  refs: readonly ServerRef[],
  locks: readonly SharedLock[],
  options: LookOptions,
): Promise<boolean[]> {
  const answers = await firstMajority(
    refs.map((ref) => lookAt(serverFor(ref), locks, options)),
  );
  const unheard = refs.length - answers.length;
  return locks.map((_, i) => {
    const free = answers.filter((isHeld) => !isHeld[i]).length;
    return free + unheard >= majorityOf(refs.length);
  });
}

function lookAt(
  server: RedisServer,
  locks: readonly SharedLock[],
  options: LookOptions,
): Promise<boolean[]> {
  return inBatches(locks, {
    ...options,
    size: server.link.connector.batch,
    run: async (some) => {
      const keys = some.map(({ key }) => key);
      const { ttlMs } = some[0]!.terms;
      const call = { script: HELD, keys, args: [] };
      const { values } = await server.link.call(call, callOptions(ttlMs));
      return values.map((held) => Number(held) === 1);
    },
  });
}
