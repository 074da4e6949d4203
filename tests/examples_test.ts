/** That the examples do what they say. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { SocketLock } from "../mod.ts";
import type { Child } from "./_child.ts";
import { commandLine } from "./_cli.ts";
import { ends, startExample, TAKEOVER_MS } from "./_examples.ts";
import { programFile } from "./_fixture.ts";
import { makeDirectory, removeDirectory, uniqueName } from "./_names.ts";
import { noSockets } from "./_platform.ts";
import { type Processes, withProcesses } from "./_processes.ts";
import { type RedisProcess, redisTest, withRedis } from "./_redis.ts";
import { testRuntimes } from "./_runtimes.ts";
import { until, within } from "./_time.ts";

function has(child: Child, pattern: RegExp, ms = 10_000): Promise<void> {
  const seen = (): boolean => child.lines.some((line) => pattern.test(line));
  return until(`${pattern} from ${child.describe()}`, seen, ms);
}

/** Starts the guard of the deployment of the shop. */
function startGuard(
  { program }: Processes,
  server: RedisProcess,
  command: readonly string[],
): Child {
  return program(
    "env",
    `LOCKING=${commandLine().join(" ")}`,
    `REDIS_URL=redis://${server.host}`,
    "DEPLOY_TTL=1s",
    programFile("examples/deploy_guard.sh"),
    "shop",
    ...command,
  );
}

interface Workers {
  /** Starts a worker for one job, which is known as "a". */
  start(): Promise<Child>;
}

function withWorkers(run: (workers: Workers) => Promise<void>): Promise<void> {
  return withRedis(1, ([server]) =>
    withProcesses((processes) =>
      run({
        async start(): Promise<Child> {
          const env = { REDIS_URL: `redis://${server!.host}`, STEP_MS: "200" };
          const command = ["spot_worker.ts", "a"];
          const child = startExample(processes, command, { env });
          await child.line("ready");
          return child;
        },
      })
    ));
}

describe("the example of spot workers", () => {
  redisTest(
    "goes on with the job of a worker that was killed",
    () =>
      withWorkers(async ({ start }) => {
        const first = await start();
        await first.line("a: step 2");
        const second = await start();
        first.signal("SIGKILL");
        await second.line("all is done", TAKEOVER_MS + 2000);
        const [begins = "", next] = second.lines.slice(1);
        // What was saved is not done again.
        assert.match(begins, /^a: begins after step [2-4]$/);
        const [, step] = /step (\d)$/.exec(begins)!;
        assert.equal(next, `a: step ${Number(step) + 1}`);
        assert.ok(second.lines.includes("a: step 5"));
        await ends(second);
      }),
  );

  redisTest(
    "goes on at once with that of a worker told to end",
    () =>
      withWorkers(async ({ start }) => {
        const first = await start();
        await first.line("a: step 1");
        const second = await start();
        first.signal("SIGTERM");
        await ends(first);
        assert.equal(first.lines.at(-1), "ends, as told");
        // Sooner than a lease of five seconds is over.
        await has(second, /begins after step [1-4]/, 4000);
        await second.line("all is done");
      }),
  );

  redisTest(
    "saves nothing of a worker that was paused for too long",
    () =>
      withWorkers(async ({ start }) => {
        const first = await start();
        await first.line("a: step 1");
        first.signal("SIGSTOP");
        const saved = first.lines.length;
        const second = await start();
        await second.line("all is done", TAKEOVER_MS + 2000);
        first.signal("SIGCONT");
        await ends(first);
        const late = first.lines.slice(saved);
        assert.ok(!late.some((line) => /a: step/.test(line)), late.join());
        assert.equal(late.at(-1), "all is done");
      }),
  );
});

describe("the example of a cron", () => {
  redisTest(
    "is done by one host of five at each tick, and by the late not",
    () =>
      withRedis(1, ([server]) =>
        withProcesses(async (processes) => {
          const env = { REDIS_URL: `redis://${server!.host}` };
          const run = async (tick: string): Promise<string> => {
            const command = ["cron_once.ts", tick];
            const child = startExample(processes, command, { env });
            await ends(child, { ms: 20_000 });
            return child.lines.at(-1)!;
          };
          for (const tick of ["2026-01-01T00:01", "2026-01-01T00:02"]) {
            const all = await Promise.all([1, 2, 3, 4, 5].map(() => run(tick)));
            const ours = all.filter((line) => line === `${tick}: did it`);
            assert.equal(ours.length, 1, all.join());
          }
          const late = await run("2026-01-01T00:01");
          assert.match(late, /another host did it$/);
        })),
  );
});

describe("the example of a leader", () => {
  redisTest(
    "has one leader, who stops when it has lost the lead",
    () =>
      withRedis(1, ([server]) =>
        withProcesses(async (processes) => {
          const env = { REDIS_URL: `redis://${server!.host}` };
          const start = async (): Promise<Child> => {
            const child = startExample(processes, ["leader_election.ts"], {
              env,
            });
            await child.line("waits");
            return child;
          };
          const first = await start();
          await has(first, /^leads/);
          const second = await start();
          first.signal("SIGSTOP");
          await has(second, /^leads/, TAKEOVER_MS);
          first.signal("SIGCONT");
          await first.line("LOCK_LOST");
          assert.equal(
            first.lines.filter((line) => /^leads/.test(line)).length,
            1,
          );
          second.signal("SIGTERM");
          await ends(second);
          await until(
            "the first leads again",
            () =>
              first.lines.filter((line) => /^leads/.test(line)).length === 2,
          );
          const [one, two] = [first.lines[1]!, first.lines.at(-1)!]
            .map((line) => BigInt(/\d+$/.exec(line)![0]));
          assert.ok(two! > one!);
          first.signal("SIGTERM");
          await ends(first);
        })),
  );
});

describe("the example of a deployment guard", () => {
  redisTest(
    "lets one deployment through, and says who is at it",
    () =>
      withRedis(1, ([server]) =>
        withProcesses(async (processes) => {
          const start = (...command: string[]): Child =>
            startGuard(processes, server!, command);
          const first = start(
            "sh",
            "-c",
            "echo $LOCKING_FENCING_TOKEN; read x",
          );
          await has(first, /^\d+$/);
          const second = start("echo", "deployed");
          const { code } = await within(20_000, "its end", second.exited);
          assert.equal(code, 75, second.describe());
          assert.match(second.errors, /another deployment is under way:/);
          assert.match(second.errors, /deploy\/shop/);
          assert.deepEqual(second.lines, []);
          first.write("go on");
          await ends(first);
          const third = start("sh", "-c", "exit 3");
          const end = await within(20_000, "its end", third.exited);
          assert.equal(end.code, 3, third.describe());
        })),
  );

  redisTest(
    "says so when the lock was lost",
    () =>
      withRedis(1, ([server]) =>
        withProcesses(async (processes) => {
          const command = ["sh", "-c", "echo begun; exec sleep 60"];
          const guard = startGuard(processes, server!, command);
          await guard.line("begun");
          await server!.command("FLUSHALL");
          const { code } = await within(10_000, "its end", guard.exited);
          assert.equal(code, 76, guard.describe());
          assert.match(guard.errors, /the lock was lost: look how far/);
        })),
  );
});

describe("the example of an HTTP handler", () => {
  const directory = makeDirectory();
  after(() => removeDirectory(directory));
  const skip = noSockets();

  it(
    "loses no change, with a server on each runtime",
    { skip },
    () =>
      withProcesses(async (processes) => {
        const account = uniqueName().replaceAll("-", "_");
        const path = join(directory, `${account}.balance`);
        writeFileSync(path, "100");
        const servers = testRuntimes().map((runtime) =>
          startExample(processes, ["http_server.ts"], {
            env: { ACCOUNTS: directory },
            runtime,
          })
        );
        await Promise.all(servers.map((server) => has(server, /^http:/)));
        const urls = servers.map(({ lines }) => `${lines[0]}/${account}`);
        const answers = await Promise.all(
          Array.from({ length: 40 }, async (_, i) => {
            const url = urls[i % urls.length]!;
            const response = await fetch(url, { method: "POST" });
            assert.equal(response.status, 200);
            return (await response.json() as { balance: number }).balance;
          }),
        );
        assert.equal(new Set(answers).size, 40, answers.join());
        assert.equal(readFileSync(path, "utf8"), "60");
      }),
  );

  it(
    "tells who would wait for too long to come back",
    { skip },
    () =>
      withProcesses(async (processes) => {
        const account = uniqueName().replaceAll("-", "_");
        const server = startExample(processes, ["http_server.ts"], {
          env: { ACCOUNTS: directory },
        });
        await has(server, /^http:/);
        const url = `${server.lines[0]}/${account}`;
        const lease = await new SocketLock(`account/${account}`).acquire();
        const response = await fetch(url, { method: "POST" });
        assert.equal(response.status, 503);
        assert.equal(response.headers.get("retry-after"), "1");
        await response.text();
        await lease.release();
        const other = await fetch(`${server.lines[0]}/`);
        assert.equal(other.status, 404);
        await other.text();
      }),
  );
});
