/** What a lease promises to a holder that the system stops, and to its store. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { createLock } from "./fixtures/create.ts";
import type { LockSpec } from "./fixtures/protocol.ts";
import { uniqueName } from "./_names.ts";
import { withProcesses } from "./_processes.ts";
import { currentRuntime, longRun } from "./_runtimes.ts";
import { sleep, until } from "./_time.ts";

/**
 * Declares the test of a process that holds many leases, is stopped until
 * others have taken them over, and goes on.
 *
 * @param specOf A lock of a name, with a short time to live.
 * @param skip Why it cannot run here, or false.
 */
export function testStoppedHolder(
  specOf: (name: string) => LockSpec,
  skip: string | false,
): void {
  const count = longRun() ? 200 : 40;
  it(
    `it knows at once, and a fenced store accepts nothing stale, ${count} times`,
    { skip },
    () =>
      withProcesses(async ({ script }) => {
        const names = Array.from({ length: count }, () => uniqueName());
        const writer = script(
          currentRuntime(),
          "stale_writer.ts",
          ...names.map((name) => JSON.stringify(specOf(name))),
        );
        await writer.line("ready", 20_000);
        await until("writes", () => writer.lines.length > 2 * count);
        writer.signal("SIGSTOP");
        const locks = names.map((name) => createLock(specOf(name)));
        const leases = await Promise.all(
          locks.map(async (lock) => {
            const lease = await lock.acquire({ timeoutMs: 10_000 });
            // Later a slow machine may have lost it, which is no fault.
            lease.assertHeld();
            return lease;
          }),
        );
        const tokens = new Map(
          leases.map((lease) => [lease.lockName, lease.fencingToken!]),
        );
        const seen = writer.lines.length;
        writer.signal("SIGCONT");
        await until("a report", () => {
          return writer.lines.some((line) => line.startsWith("believed"));
        });
        // Time for it to write what it should not.
        await sleep(50);
        assert.ok(writer.lines.includes("believed 0 0 0"), "believed too long");
        const accepted = writer.lines.slice(seen).filter((line) => {
          const [what, name = "", token = 0] = line.split(" ");
          return what === "write" && BigInt(token) >= tokens.get(name)!;
        });
        assert.deepEqual(accepted, []);
        await Promise.all(leases.map((lease) => lease.release()));
      }),
  );
}
