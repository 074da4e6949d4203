/**
 * Sees to the server that the tests of RedisLock start.
 *
 * @module
 */
import { ensurePackage, runs } from "./debian_package.ts";

/**
 * Installs Debian's `redis-server` if there is none and this process may;
 * otherwise says how. Without it, the tests of RedisLock are skipped.
 */
export function ensureRedis(): Promise<void> {
  return ensurePackage({
    name: "redis-server",
    tests: "RedisLock",
    isHere: () => runs("redis-server", "--version"),
  });
}
