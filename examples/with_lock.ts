/**
 * One critical section, with a time limit and errors told apart.
 *
 *     deno run --allow-net examples/with_lock.ts
 *     bun examples/with_lock.ts
 *     node examples/with_lock.ts
 */
import { type LockError, SocketLock } from "../mod.ts";

const lock = new SocketLock("with-lock-example");

try {
  const sum = await lock.withLock((lease) => {
    console.log(`holds ${lease.lockName}`);
    return 1 + 2;
  }, { timeoutMs: 1_000 });
  console.log(`the callback's result: ${sum}`);
} catch (error) {
  // By code, not by instanceof: that breaks across two copies of a package.
  if ((error as LockError).code !== "LOCK_TIMEOUT") throw error;
  console.error((error as LockError).message);
}

console.log(`held now by ${(await lock.holder())?.pid ?? "nobody"}`);
