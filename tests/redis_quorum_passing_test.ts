/** RedisLock on a quorum that is passed on from task to task of one process. */
import assert from "node:assert/strict";
import { describe } from "node:test";
import { RAISE } from "../backends/redis/scripts.ts";
import { RedisLock } from "../mod.ts";
import { uniqueName } from "./_names.ts";
import {
  assertGrantedAnew,
  assertGrowing,
  assertTurns,
  runTasks,
} from "./_passing.ts";
import { Proxy } from "./_proxy.ts";
import { type RedisProcess, redisTest, withRedis } from "./_redis.ts";
import { sleep, within } from "./_time.ts";

/** A lock as this process has it, and as another one would. */
interface Pair {
  readonly servers: readonly RedisProcess[];
  readonly key: string;
  readonly ours: () => RedisLock;
  readonly theirs: () => RedisLock;
}

/** Runs with three servers, which another process knows by other addresses. */
function withPair(run: (pair: Pair) => Promise<void>): Promise<void> {
  return withRedis(3, async (servers) => {
    const name = uniqueName();
    const proxies = await Promise.all(
      servers.map(({ port }) => Proxy.start(port)),
    );
    const at = (hosts: readonly { host: string }[]) => () =>
      new RedisLock(name, { hosts: hosts.map(({ host }) => host) });
    const pair = { servers, ours: at(servers), theirs: at(proxies) };
    try {
      // Who is slow to connect is left out of a vote.
      await Promise.all([pair.ours().holder(), pair.theirs().holder()]);
      await run({ ...pair, key: `locking:{${name}}` });
    } finally {
      await Promise.all(proxies.map((proxy) => proxy.end()));
    }
  });
}

async function calls(servers: readonly RedisProcess[]): Promise<number> {
  const counts = servers.map((server) => server.calls("eval", "evalsha"));
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}

describe("RedisLock on a quorum of which many tasks of one process want one", () => {
  redisTest(
    "gives each a greater fencing token, and the servers hardly anything to do",
    () =>
      withPair(async ({ servers, key, ours, theirs }) => {
        // Ahead of the servers' clocks, which would make up for what is not told.
        for (const server of servers) {
          await server.command("SET", `${key}:fence`, String(2n ** 52n));
        }
        await ours().withLock(() => {}); // The scripts are loaded.
        const before = await calls(servers);
        // More than are set aside at once.
        const tokens = await runTasks(ours(), 2500);
        const made = await calls(servers) - before;
        assertGrowing(tokens);
        // Three servers asked each 5 ms at the most, and each 1000 tokens; more
        // than 15,000 without that.
        assert.ok(made < 1500, `${made} calls`);
        // Whichever majority comes next, one of it knows of them.
        for (const server of servers) {
          await server.kill();
          const next = await theirs().acquire();
          assert.ok(next.fencingToken! > tokens.at(-1)!, server.host);
          await next.release();
          await server.start();
        }
      }),
  );

  redisTest(
    "leaves it to a process that comes while it is passed on for ever",
    () => withPair(({ ours, theirs }) => assertTurns(ours(), theirs, 5)),
  );

  redisTest(
    "tells whoever releases that a majority lost it, and goes on with a new grant",
    () =>
      withPair(({ servers, key, ours }) =>
        assertGrantedAnew(
          ours(),
          () =>
            Promise.all(servers.map((server) => server.command("DEL", key))),
        )
      ),
  );

  redisTest(
    "passes nothing on that only a minority has",
    () =>
      withPair(async ({ servers, key, ours, theirs }) => {
        const lock = ours();
        const first = await lock.acquire();
        const tasks = [lock.acquire(), lock.acquire()];
        await first.release();
        const second = await within(5000, "the next grant", tasks[0]!);
        await servers[0]!.command("DEL", key);
        await servers[1]!.command("DEL", key);
        // The servers are asked anew after 5 ms.
        await sleep(10);
        // The one that has not answered yet may have it, for all it knows.
        await lock.release().catch(({ code }) =>
          assert.equal(code, "LOCK_LOST")
        );
        const third = await within(5000, "the next grant", tasks[1]!);
        third.assertHeld();
        assert.equal(await theirs().tryAcquire(), null);
        assertGrowing([first, second, third].map((one) => one.fencingToken!));
        await third.release();
      }),
  );
});

describe("A step that sets tokens aside on a server of a quorum", () => {
  redisTest(
    "is done once, for the owner alone, and not if others wait",
    () =>
      withRedis(1, async ([server]) => {
        const key = `locking:{${uniqueName()}}`;
        const keys = [
          key,
          ...["fence", "queue", "waiters"].map((part) => `${key}:${part}`),
        ];
        const raise = async (...args: string[]): Promise<unknown> => {
          const call = ["EVAL", RAISE.text, "4", ...keys, "stamp", ...args];
          return (await server!.command(...call) as unknown[])[1];
        };
        const noted = async (): Promise<string> => {
          const held = JSON.parse(String(await server!.command("GET", key)));
          return `${held.fence} of ${await server!.command("GET", keys[1]!)}`;
        };
        const held = JSON.stringify({ token: "a", fence: 5 });
        await server!.command("SET", key, held, "PX", "60000");
        assert.equal(await raise("a", "7"), 1);
        assert.equal(await noted(), "7 of 7");
        assert.equal(await raise("a", "8", "1007"), 1);
        assert.equal(await noted(), "8 of 1007");
        // Late copies of both.
        assert.equal(await raise("a", "7"), 1);
        assert.equal(await raise("a", "8", "1007"), 1);
        assert.equal(await noted(), "8 of 1007");
        assert.equal(await raise("b", "1008", "2007"), 0);
        await server!.command("ZADD", keys[2]!, "1", "b");
        assert.equal(await raise("a", "1008", "2007"), 0);
        assert.equal(await noted(), "8 of 1007");
      }),
  );
});
