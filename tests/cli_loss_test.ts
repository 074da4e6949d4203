// `locking run` whose lock is lost, or about to be.
import assert from "node:assert/strict";
import { readFileSync, rmSync } from "node:fs";
import { after, describe, it } from "node:test";
import type { HeldLease } from "../backends/core/held_lease.ts";
import { LossWatch } from "../cli/loss.ts";
import { RedisLock } from "../mod.ts";
import type { Child } from "./_child.ts";
import { commandLine, outcome, runLocking, startLocking } from "./_cli.ts";
import { makeDirectory, removeDirectory, uniqueName } from "./_names.ts";
import { noFiles } from "./_platform.ts";
import { withProcesses } from "./_processes.ts";
import { Proxy } from "./_proxy.ts";
import { fileServer, freePort, redisTest, withRedis } from "./_redis.ts";
import { until, within } from "./_time.ts";

const server = fileServer();
const TTL_MS = 3000;

/** A shell that does not end when it is told, unless the trap ends it. */
function stubborn(trap: string): string[] {
  const wait = "while :; do sleep 0.02; done";
  return ["sh", "-c", `trap '${trap}' TERM; echo "up $$"; ${wait}`];
}

/** Waits for the command to run, and gives its process id. */
async function started(child: Child): Promise<number> {
  const first = (): string | undefined =>
    child.lines.find((line) => line.startsWith("up "));
  await until("the command", () => first() !== undefined, 10_000);
  return Number(first()!.slice(3));
}

function isOver(pid: number): boolean {
  try {
    return / [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return true;
  }
}

describe("locking run on a server that falls silent", () => {
  redisTest(
    "tells the command, and kills it, within the lease",
    () =>
      withRedis(1, ([server]) =>
        withProcesses(async (processes) => {
          const command = stubborn("echo told");
          const options = [`--redis=${server!.host}`, `--ttl=${TTL_MS}ms`];
          const args = ["run", ...options, uniqueName(), "--", ...command];
          const child = startLocking(processes, ...args);
          const pid = await started(child);
          // No renewal counts that was answered later.
          const leaseEndsAt = performance.now() + TTL_MS;
          server!.signal("SIGSTOP");
          await child.line("told");
          const leftMs = leaseEndsAt - performance.now();
          assert.ok(leftMs > 0, `told ${-leftMs} ms after the lease`);
          await until("the command's end", () => isOver(pid));
          const restMs = leaseEndsAt - performance.now();
          assert.ok(restMs > 0, `killed ${-restMs} ms after the lease`);
          assert.deepEqual(child.lines.slice(1), ["told"]);
          server!.signal("SIGCONT");
          const { code, errors } = await outcome(child);
          assert.equal(code, 76);
          assert.match(
            errors,
            /locking: Losing ".*": not renewed, over in \d+ ms/,
          );
        })),
  );

  // A pager, a terminal that is stopped, a log collector that hangs.
  redisTest(
    "does so although nobody reads its standard error",
    () =>
      withRedis(1, ([server]) =>
        withProcesses(async ({ program }) => {
          const directory = makeDirectory();
          after(() => removeDirectory(directory));
          const options = [`--redis=${server!.host}`, `--ttl=${TTL_MS}ms`];
          const args = ["run", ...options, uniqueName(), "--"];
          const script = `mkfifo "$0/full"; exec 3<> "$0/full"
            head -c 65536 /dev/zero >&3; exec "$@" 2>&3`;
          const child = program(
            ...["sh", "-c", script, directory] as const,
            ...commandLine(...args, ...stubborn("echo told")),
          );
          const pid = await started(child);
          const leaseEndsAt = performance.now() + TTL_MS;
          server!.signal("SIGSTOP");
          await until("the command's end", () => isOver(pid));
          const restMs = leaseEndsAt - performance.now();
          assert.ok(restMs > 0, `killed ${-restMs} ms after the lease`);
          server!.signal("SIGCONT");
          assert.equal((await outcome(child)).code, 76);
        })),
  );

  redisTest(
    "--on-lost=kill tells nothing, and kills within the lease",
    () =>
      withRedis(1, ([server]) =>
        withProcesses(async (processes) => {
          const command = stubborn("echo told");
          const options = [
            ...[`--redis=${server!.host}`, `--ttl=${TTL_MS}ms`],
            "--on-lost=kill",
          ];
          const args = ["run", ...options, uniqueName(), "--", ...command];
          const child = startLocking(processes, ...args);
          const pid = await started(child);
          const leaseEndsAt = performance.now() + TTL_MS;
          server!.signal("SIGSTOP");
          await until("the command's end", () => isOver(pid));
          assert.ok(performance.now() < leaseEndsAt);
          server!.signal("SIGCONT");
          const { code, output } = await outcome(child);
          assert.deepEqual([code, output], [76, `up ${pid}`]);
        })),
  );

  redisTest(
    "a command that ends when it is told does so by itself",
    () =>
      withRedis(1, ([server]) =>
        withProcesses(async (processes) => {
          const command = stubborn("echo told; exit 0");
          const options = [`--redis=${server!.host}`, "--ttl=1s"];
          const args = ["run", ...options, uniqueName(), "--", ...command];
          const child = startLocking(processes, ...args);
          await started(child);
          server!.signal("SIGSTOP");
          await child.line("told");
          server!.signal("SIGCONT");
          assert.equal((await outcome(child)).code, 76);
        })),
  );
});

describe("locking run on a server that forgets the lock", () => {
  async function forget(
    options: string[],
    command: string[],
  ): ReturnType<typeof runLocking> {
    return await withProcesses(async (processes) => {
      const name = uniqueName();
      const redis = `--redis=${server.own.host}`;
      const args = ["run", redis, ...options, name, "--", ...command];
      const child = startLocking(processes, ...args);
      await started(child);
      await server.own.command("DEL", `locking:{${name}}`);
      await until("word of it", () => child.errors !== "");
      child.write("");
      return await outcome(child);
    });
  }

  redisTest("tells the command", async () => {
    const run = await forget(["--ttl=1s"], stubborn("echo told; exit 0"));
    assert.equal(run.code, 76);
    assert.match(run.output, /told/);
    assert.match(run.errors, /^locking: Lost ".*": .* has it no more/);
  });

  redisTest("ends all that the command has left behind", async () => {
    // The end of the output is that of the last of them.
    const family = '(sleep 600 &); echo "up $$"; exec sleep 600';
    const run = await forget(["--ttl=1s"], ["sh", "-c", family]);
    assert.equal(run.code, 76);
  });

  redisTest("--on-lost=ignore lets the command go on", async () => {
    const script = 'echo "up $$"; read -r _; echo on; exit 3';
    const options = ["--ttl=1s", "--on-lost=ignore"];
    const run = await forget(options, ["sh", "-c", script]);
    assert.equal(run.code, 3);
    assert.match(run.output, /on$/);
  });
});

describe("locking run on a server", () => {
  redisTest(
    "renews the lease while the command runs",
    () =>
      withProcesses(async (processes) => {
        const name = uniqueName();
        const options = [`--redis=${server.own.host}`, "--ttl=600ms"];
        const command = ["sh", "-c", 'trap "echo told" TERM; sleep 2; exit 4'];
        const args = ["run", ...options, name, "--", ...command];
        const { code, output } = await outcome(
          startLocking(processes, ...args),
        );
        assert.deepEqual([code, output], [4, ""]);
        const holder = await new RedisLock(name, { hosts: server.own.host })
          .holder();
        assert.equal(holder, null);
      }),
  );

  redisTest(
    "hands the fencing token on",
    () =>
      withProcesses(async (processes) => {
        const name = uniqueName();
        const script = 'echo "token $LOCKING_FENCING_TOKEN"; read -r _';
        const command = ["sh", "-c", script];
        const redis = `--redis=${server.own.host}`;
        const args = ["run", redis, name, "--", ...command];
        const child = startLocking(processes, ...args);
        await until("the command", () => child.lines.length > 0, 10_000);
        const holder = await new RedisLock(name, { hosts: server.own.host })
          .holder();
        assert.deepEqual(child.lines, [`token ${holder?.fencingToken}`]);
        child.write("");
        assert.equal((await outcome(child)).code, 0);
      }),
  );

  redisTest(
    "a signal ends the wait for one that is away",
    () =>
      withRedis(1, ([server]) =>
        withProcesses(async (processes) => {
          const options = [`--redis=${server!.host}`, "--ttl=1h", "-v"];
          const command = ["sh", "-c", 'echo "up $$"; read -r _; exit 6'];
          const args = ["run", ...options, uniqueName(), "--", ...command];
          const child = startLocking(processes, ...args);
          await started(child);
          server!.signal("SIGSTOP");
          child.write("");
          const isEnded = () => child.errors.includes("the command ended");
          await until("the command's end", isEnded);
          child.signal("SIGTERM");
          const { code, errors } = await outcome(child);
          assert.equal(code, 6);
          assert.match(errors, /Cannot release ".*": interrupted/);
        })),
  );

  it("ends with 69 when there is none", async () => {
    const redis = `--redis=127.0.0.1:${await freePort()}`;
    for (
      const args of [
        ["run", redis, "x", "--", "echo", "ran"],
        [
          "status",
          redis,
          "x",
        ],
        ["list", redis],
        ["wait", redis, "x"],
      ]
    ) {
      const run = await runLocking(...args);
      assert.deepEqual([run.code, run.output], [69, ""], args[0]);
      assert.match(run.errors, /^locking: Cannot .*127\.0\.0\.1/);
    }
  });
});

describe("locking run on a file that is removed", () => {
  const directory = makeDirectory();
  after(() => removeDirectory(directory));

  it(
    "tells the command",
    { skip: noFiles() },
    () =>
      withProcesses(async (processes) => {
        const name = uniqueName();
        const command = stubborn("echo told; exit 0");
        const file = `--file=${directory}`;
        const child = startLocking(
          processes,
          "run",
          file,
          name,
          "--",
          ...command,
        );
        await started(child);
        rmSync(`${directory}/${name}`);
        await child.line("told");
        assert.equal((await outcome(child)).code, 76);
      }),
  );

  it(
    "kills it after the grace",
    { skip: noFiles() },
    () =>
      withProcesses(async (processes) => {
        const name = uniqueName();
        const options = [`--file=${directory}`, "--grace=200ms"];
        const args = ["run", ...options, name, "--", ...stubborn("echo told")];
        const child = startLocking(processes, ...args);
        await started(child);
        rmSync(`${directory}/${name}`);
        await within(5000, "the end", child.exited);
        assert.equal((await child.exited).code, 76);
        assert.match(child.lines.join(), /told/);
      }),
  );
});

describe("locking run that has given up", () => {
  redisTest(
    "gives back what it is granted then",
    () =>
      withRedis(1, ([server]) =>
        withProcesses(async (processes) => {
          const name = uniqueName();
          // The server knows the scripts.
          const known = new RedisLock(name, { hosts: server!.host });
          await known.withLock(() => {});
          const proxy = await Proxy.start(server!.port);
          // It grants the lock, and the answer comes later.
          proxy.mode = "hold";
          const options = [`--redis=${proxy.host}`, "--ttl=1m", "-w", "200ms"];
          const args = ["run", ...options, name, "--", "true"];
          const child = startLocking(processes, ...args);
          const isHeld = async (): Promise<boolean> =>
            await server!.command("EXISTS", `locking:{${name}}`) === 1;
          await until("its word", () => /timed out/.test(child.errors), 10_000);
          await until("a grant", isHeld);
          proxy.mode = "pass";
          assert.equal((await outcome(child)).code, 75);
          assert.equal(await isHeld(), false);
          await proxy.end();
        })),
  );
});

describe("LossWatch", () => {
  it("acts ahead of a lease whose end has come nearer", async () => {
    let remainingMs = 60_000;
    const lease = {
      lockName: "nearer",
      signal: new AbortController().signal,
      get remainingMs(): number {
        return remainingMs;
      },
    };
    const told = new Promise<string>((resolve) => {
      new LossWatch(lease as unknown as HeldLease, 500, resolve);
    });
    remainingMs = 400;
    assert.match(await within(3000, "the word", told), /over in 400 ms/);
  });
});
