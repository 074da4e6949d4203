// Nobody is starved: waiters against processes that take and free the lock
// without a pause, or try it again and again.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Child } from "./_child.ts";
import { hostKinds, type Kind, redisKind } from "./_kinds.ts";
import { type Processes, withProcesses } from "./_processes.ts";
import { longRun, nthRuntime, testRuntimes } from "./_runtimes.ts";
import { sleep, within } from "./_time.ts";
import type { LockSpec } from "./fixtures/protocol.ts";

/** What a contender found. */
interface Found {
  grants: number;
  longestMs: number;
}

/** The bound of a wait that is not starved, on a machine that others use too. */
const NOT_STARVED_MS = 1_000;

for (const kind of [...hostKinds(), redisKind()]) {
  describe(`fairness of ${kind.kind}`, () => {
    const runtimes = kind.fifo && !kind.lease
      ? testRuntimes()
      : [nthRuntime(0)];
    for (const runtime of runtimes) testLoop(kind, runtime.id);
    testTrying(kind);
    testShares(kind);
  });
}

function testLoop(kind: Kind, id: string): void {
  it(
    `a waiter is served although a process of ${id} takes the lock again and again`,
    { skip: kind.missing },
    async () => {
      await withProcesses(async (processes) => {
        const spec = kind.fresh();
        const runtime = testRuntimes().find((r) => r.id === id)!;
        const child = processes.script(
          runtime,
          "contend.ts",
          ...["acquire", "1000", JSON.stringify(spec)],
        );
        await child.line("ready");
        child.write("go");
        const longest = await waitAgainAndAgain(kind, spec, child);
        assert.ok(longest < NOT_STARVED_MS, `waited ${longest} ms`);
      });
    },
  );
}

function testTrying(kind: Kind): void {
  it(
    "a waiter is served although two processes try the lock again and again",
    { skip: kind.missing },
    async () => {
      await withProcesses(async (processes) => {
        const spec = kind.fresh();
        const children = [0, 1].map((n) =>
          processes.script(
            nthRuntime(n),
            "contend.ts",
            ...["try", "1000", JSON.stringify(spec)],
          )
        );
        for (const child of children) await child.line("ready");
        for (const child of children) child.write("go");
        const longest = await waitAgainAndAgain(kind, spec, children[0]!);
        assert.ok(longest < NOT_STARVED_MS, `waited ${longest} ms`);
      });
    },
  );
}

/** Waits for a lock as long as a child contends; returns the longest wait. */
async function waitAgainAndAgain(
  kind: Kind,
  spec: LockSpec,
  child: Child,
): Promise<number> {
  let longest = 0;
  let rounds = 0;
  while (!child.over) {
    const from = performance.now();
    const lease = await kind.create(spec).acquire({ timeoutMs: 10_000 });
    longest = Math.max(longest, performance.now() - from);
    await lease.release();
    rounds++;
    // A newcomer each time, as after some work, and not one of the loop.
    await sleep(20);
  }
  assert.ok(rounds > 3, `only ${rounds} rounds`);
  return longest;
}

function testShares(kind: Kind): void {
  it(
    "eight processes without a pause share the lock, and none waits long",
    { skip: kind.missing },
    async (t) => {
      await withProcesses(async (processes) => {
        const found = await contend(processes, kind.fresh());
        const total = found.reduce((sum, { grants }) => sum + grants, 0);
        const shares = found.map(({ grants }) => 100 * grants / total);
        const longest = Math.max(...found.map(({ longestMs }) => longestMs));
        const text = `${shares.map((s) => s.toFixed(1)).join(" ")} % of ` +
          `${total} grants, longest wait ${longest.toFixed(1)} ms`;
        t.diagnostic?.(text);
        if (longRun()) console.log(`${kind.kind}: ${text}`);
        const exact = longRun() && kind.fifo;
        // Even shares are 12.5 %; a starved process has next to none.
        const [least, most, bound] = exact
          ? [9.5, 15.5, 50]
          : [1, 60, NOT_STARVED_MS];
        assert.ok(shares.every((s) => s >= least && s <= most), text);
        assert.ok(longest <= bound, text);
      });
    },
  );
}

async function contend(
  { script }: Processes,
  spec: LockSpec,
): Promise<Found[]> {
  const args = ["acquire", longRun() ? "5000" : "2000", JSON.stringify(spec)];
  const children = Array.from(
    { length: 8 },
    (_, n) => script(nthRuntime(n), "contend.ts", ...args),
  );
  for (const child of children) await child.line("ready", 30_000);
  for (const child of children) child.write("go");
  const ends = children.map((child) => child.exited);
  await within(30_000, "the end of the contenders", Promise.all(ends));
  return children.map(({ lines }) => JSON.parse(lines.at(-1)!) as Found);
}
