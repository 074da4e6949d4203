// What Deno Deploy gives a program: the network, the environment, and nothing
// else. Its copies share no host, so locks of one host are refused there.
import assert from "node:assert/strict";
import process from "node:process";
import { describe, it } from "node:test";
import type { Child } from "./_child.ts";
import { fixture } from "./_fixture.ts";
import { dynamoKind, hostKinds, redisKind } from "./_kinds.ts";
import { uniqueName } from "./_names.ts";
import { withProcesses } from "./_processes.ts";
import { noRedis, withRedis } from "./_redis.ts";
import { currentRuntime } from "./_runtimes.ts";
import { within } from "./_time.ts";

const PERMISSIONS = ["--no-prompt", "--allow-net", "--allow-env"];
const skip = currentRuntime().id !== "deno" && "Deno Deploy is Deno's";

describe("on Deno Deploy", () => {
  for (const { kind, missing, fresh } of [redisKind(), dynamoKind()]) {
    it(`${kind} keeps all that it promises`, {
      skip: skip || missing,
    }, async () => {
      const { options } = fresh();
      const spec = JSON.stringify({ kind, options });
      const child = await runOnDeploy(
        ["test", "--no-check", ...PERMISSIONS, fixture("deploy_suite.ts")],
        { LOCKING_KIND: spec },
      );
      const all = child.lines.join("\n");
      const failures = /ERRORS.*/s.exec(all)?.[0] ?? child.describe();
      const [, passed = 0] = /(\d+) passed/.exec(all) ?? [];
      assert.match(all, /^ok \|/m, failures);
      assert.ok(Number(passed) > 0, failures);
    });
  }

  it("the example's job is done by one of three instances", {
    skip: skip || noRedis(),
  }, () =>
    withRedis(1, async ([server]) => {
      const args = [
        ...["run", "--quiet", "--no-check", ...PERMISSIONS],
        ...[fixture("clean_up.ts"), "this minute"],
      ];
      const children = await Promise.all([1, 2, 3].map(() =>
        runOnDeploy(args, { REDIS_URL: `redis://${server!.host}` })
      ));
      const ends = children.map(({ lines }) =>
        lines.at(-1)
      ).sort();
      assert.deepEqual(ends, ["false", "false", "true"], ends.join());
    }));

  for (const { kind } of hostKinds()) {
    it(`${kind} says what to use instead`, { skip }, async () => {
      const spec = JSON.stringify({ kind, name: uniqueName() });
      const child = await runOnDeploy([
        ...["run", "--quiet", "--no-check", ...PERMISSIONS],
        ...[fixture("attempts.ts"), spec],
      ]);
      assert.equal(child.lines.length, 3, child.describe());
      for (const line of child.lines) {
        assert.match(line, /LOCK_UNSUPPORTED .*use RedisLock or DynamoLock/);
      }
    });
  }
});

function runOnDeploy(args: string[], environment = {}): Promise<Child> {
  return withProcesses(async ({ program }) => {
    const variables = { DENO_DEPLOY: "1", NO_COLOR: "1", ...environment };
    const settings = Object.entries(variables).map(([k, v]) => `${k}=${v}`);
    const child = program("env", ...settings, process.execPath, ...args);
    await within(60_000, "the end of a program", child.exited);
    return child;
  });
}
