import { inBatches } from "../core/in_batches.ts";
import { majorityOf } from "./quorum_grant.ts";
import { HELD } from "./scripts.ts";
import { callOptions, type RedisServer, serverFor } from "./server.ts";
import type { ServerRef } from "./server_ref.ts";
import type { SharedLock } from "./shared_lock.ts";

/**
 * Finds the locks among many that nobody holds: one round trip for some
 * thousands of them. With several servers, those that are free on a majority.
 *
 * @param refs The servers.
 * @param locks The locks.
 * @param concurrency How many requests each server gets at once.
 * @returns For each lock, whether it is free.
 * @throws {Error} If no majority of the servers answers.
 */
export async function findFree(
  refs: readonly ServerRef[],
  locks: readonly SharedLock[],
  concurrency: number,
): Promise<boolean[]> {
  const majority = majorityOf(refs.length);
  const looks = await Promise.allSettled(
    refs.map((ref) => lookAt(serverFor(ref), locks, concurrency)),
  );
  const answers = looks.flatMap((look) =>
    look.status === "fulfilled" ? [look.value] : []
  );
  if (answers.length < majority) {
    throw (looks.find(isRejected) as PromiseRejectedResult).reason;
  }
  return locks.map((_, i) =>
    answers.filter((isHeld) => !isHeld[i]).length >= majority
  );
}

function lookAt(
  server: RedisServer,
  locks: readonly SharedLock[],
  concurrency: number,
): Promise<boolean[]> {
  return inBatches(locks, {
    size: server.link.connector.batch,
    concurrency,
    run: async (some) => {
      const keys = some.map(({ key }) => key);
      const { ttlMs } = some[0]!.terms;
      const call = { script: HELD, keys, args: [] };
      const { values } = await server.link.call(call, callOptions(ttlMs));
      return values.map((held) => Number(held) === 1);
    },
  });
}

function isRejected(look: PromiseSettledResult<unknown>): boolean {
  return look.status === "rejected";
}
