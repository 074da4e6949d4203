/**
 * Sees to the server that the test of the example with PostgreSQL starts.
 *
 * @module
 */
import { noPostgres } from "../tests/_postgres.ts";
import { ensurePackage } from "./debian_package.ts";

/**
 * Installs Debian's `postgresql` if there is none and this process may;
 * otherwise says how. Without it, the test is skipped. The package may start a
 * server of its own, which the test leaves alone.
 */
export function ensurePostgres(): Promise<void> {
  return ensurePackage({
    name: "postgresql",
    tests: "the example with PostgreSQL",
    isHere: () => Promise.resolve(!noPostgres()),
  });
}
