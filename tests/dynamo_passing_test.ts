/** DynamoLock that is passed on from task to task of one process. */
import assert from "node:assert/strict";
import { describe } from "node:test";
import { DynamoLock, type DynamoLockOptions } from "../mod.ts";
import {
  type DynamoServer,
  dynamoTest,
  type Engine,
  fileDynamo,
  noEngine,
} from "./_dynamo.ts";
import { isRelease, isStocking, withProxy } from "./_dynamo_locks.ts";
import type { HttpProxy } from "./_http_proxy.ts";
import { uniqueName } from "./_names.ts";
import { assertGrowing, runTasks } from "./_passing.ts";
import { sleep, until, within } from "./_time.ts";

const engines = {
  dynalite: fileDynamo("dynalite"),
  local: fileDynamo("local"),
};

interface Stage {
  readonly server: DynamoServer;
  readonly proxy: HttpProxy;
  readonly name: string;
  /** A lock whose requests go through the proxy. */
  ours(options?: DynamoLockOptions): DynamoLock;
  /** A lock as another process has it. */
  theirs(): DynamoLock;
}

function test(name: string, run: (stage: Stage) => Promise<void>): void {
  for (const engine of ["dynalite", "local"] as Engine[]) {
    dynamoTest(`${name} (${engine})`, () => {
      const server = engines[engine].own;
      return withProxy(server, async (proxy) => {
        const lock = uniqueName();
        const at = (endpoint: string) => (options: DynamoLockOptions = {}) =>
          new DynamoLock(lock, { endpoint, ...options });
        const [ours, theirs] = [at(proxy.endpoint), at(server.endpoint)];
        // A first answer is waited for longer than later ones.
        await Promise.all([ours().holder(), theirs().holder()]);
        proxy.reset();
        await run({ server, proxy, name: lock, ours, theirs });
      });
    }, noEngine(engine));
  }
}

describe("DynamoLock of which many tasks of one process want one", () => {
  test("gives each a greater fencing token, and the table hardly anything to do", async (stage) => {
    // More than are set aside at once.
    const tokens = await runTasks(stage.ours(), 2500);
    assertGrowing(tokens);
    // To take it, three times a thousand tokens, and to free it; on a machine
    // that takes seconds for it, more often. 5000 without that.
    const count = stage.proxy.count("UpdateItem");
    assert.ok(count < 100, `${count} writes`);
    const next = await stage.theirs().acquire();
    assert.ok(next.fencingToken! > tokens.at(-1)!);
    await next.release();
  });

  test("is freed about once a second for those whom nobody sees", async (stage) => {
    const lock = stage.ours();
    let over = false;
    let taken = 0;
    let freedAt = 0;
    let isFree = false;
    const pauses: number[] = [];
    stage.proxy.onRequest = (call) => {
      if (isFree) pauses.push(performance.now() - freedAt);
      isFree = isRelease(call);
      return null;
    };
    // Two of them always wait.
    const tasks = Array.from({ length: 3 }, async () => {
      while (!over) {
        await lock.withLock(async () => {
          taken++;
          await sleep(5);
        });
        freedAt = performance.now();
      }
    });
    const releases = (): number => stage.proxy.calls.filter(isRelease).length;
    let passed = 0;
    try {
      await until("a release", () => releases() > 0, 10_000);
      passed = taken;
      await until("another", () => releases() > 1, 10_000);
    } finally {
      over = true;
      await Promise.all(tasks);
    }
    // A second's worth of them, or less on a busy machine.
    assert.ok(passed > 20, `${passed} grants before the first release`);
    // Nor is it taken again before others can have looked: a timer may be early.
    assert.ok(pauses.length > 0 && Math.min(...pauses) >= 9, `${pauses} ms`);
  });

  test("goes on when the answer is lost that sets tokens aside", async (stage) => {
    const lock = stage.ours();
    const first = await lock.acquire();
    const waiting = lock.acquire();
    let lost = false;
    stage.proxy.onRequest = (call) => {
      if (lost || !isStocking(call)) return null;
      lost = true;
      return { kind: "lost" };
    };
    await first.release();
    const second = await within(5000, "the next task's grant", waiting);
    assert.ok(lost);
    second.assertHeld();
    await second.release();
    const tokens = await runTasks(lock, 100);
    const next = await stage.theirs().acquire();
    assertGrowing(
      [
        first.fencingToken!,
        second.fencingToken!,
        ...tokens,
        next.fencingToken!,
      ],
    );
    await next.release();
  });

  test("gives it back where no tokens can be set aside", async (stage) => {
    const lock = stage.ours();
    stage.proxy.onRequest = (call) =>
      isStocking(call)
        ? { kind: "error", status: 400, type: "AccessDenied", message: "no" }
        : null;
    const tokens = await runTasks(lock, 5);
    assertGrowing(tokens);
    assert.equal(stage.proxy.calls.filter(isRelease).length, 5);
  });

  test("tells whoever releases that it was gone, and goes on with a new grant", async (stage) => {
    const lock = stage.ours();
    await lock.acquire();
    const waiting = lock.acquire();
    await stage.server.delete(stage.name);
    await assert.rejects(lock.release(), { code: "LOCK_LOST" });
    const second = await within(5000, "the next grant", waiting);
    second.assertHeld();
    await second.release();
  });
});
