/** That the example with PostgreSQL does what it says. */
import assert from "node:assert/strict";
import { describe } from "node:test";
import type { Child } from "./_child.ts";
import { ends, startExample, TAKEOVER_MS } from "./_examples.ts";
import { noPostgres, type PostgresProcess, withPostgres } from "./_postgres.ts";
import { withProcesses } from "./_processes.ts";
import { noRedis, redisTest, withRedis } from "./_redis.ts";
import { until } from "./_time.ts";

interface Holders {
  readonly database: PostgresProcess;
  /** Starts the example. */
  start(): Child;
}

function withHolders(run: (holders: Holders) => Promise<void>): Promise<void> {
  return withPostgres((database) =>
    withRedis(1, ([server]) =>
      withProcesses((processes) => {
        const env = {
          REDIS_URL: `redis://${server!.host}`,
          DATABASE_URL: database.url,
        };
        const start = (): Child =>
          startExample(processes, ["fenced_postgres.ts"], { env });
        return run({ database, start });
      }))
  );
}

/** Waits until it holds the lock, and gives its token. */
async function holds(child: Child, ms = 10_000): Promise<string> {
  const find = (): RegExpExecArray | null | undefined =>
    child.lines.map((line) => /^holds .* (\d+)$/.exec(line)).find(Boolean);
  await until(`the lock for ${child.describe()}`, () => Boolean(find()), ms);
  return find()![1]!;
}

async function writes(child: Child, line: string): Promise<void> {
  child.write(line);
  await child.line(`written: ${line}`);
}

async function row({ database }: Holders): Promise<unknown> {
  const [first, ...others] = await database.query("SELECT * FROM notices");
  assert.equal(others.length, 0);
  return first;
}

const skip = noRedis() || noPostgres();

describe("the example of a fenced write", () => {
  redisTest(
    "accepts all writes of one holder, and of the next",
    () =>
      withHolders(async (holders) => {
        const first = holders.start();
        const id = "front door";
        const fence = await holds(first);
        await writes(first, "closed");
        await writes(first, "open");
        assert.deepEqual(await row(holders), { id, body: "open", fence });
        first.endInput();
        await ends(first);
        const second = holders.start();
        const next = await holds(second);
        await writes(second, "painted");
        const expected = { id, body: "painted", fence: next };
        assert.deepEqual(await row(holders), expected);
        second.endInput();
        await ends(second);
      }),
    skip,
  );

  redisTest(
    "refuses that of a holder who was stopped until another had written",
    () =>
      withHolders(async (holders) => {
        const first = holders.start();
        const stale = await holds(first);
        await writes(first, "closed");
        first.signal("SIGSTOP");
        const second = holders.start();
        const fence = await holds(second, TAKEOVER_MS);
        assert.ok(BigInt(fence) > BigInt(stale));
        await writes(second, "open");
        // It lies ready, so that it is written as soon as it goes on.
        first.write("locked");
        first.signal("SIGCONT");
        await ends(first, { expected: 1 });
        const last = "refused, a later holder has written: locked";
        assert.equal(first.lines.at(-1), last, first.describe());
        const expected = { id: "front door", body: "open", fence };
        assert.deepEqual(await row(holders), expected);
        await writes(second, "painted");
        second.endInput();
        await ends(second);
      }),
    skip,
  );
});
