// `locking run`: the command, its streams and signals, and the exit codes.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { VERSION } from "../cli/version.ts";
import { type Lease, SocketLock } from "../mod.ts";
import type { Child } from "./_child.ts";
import {
  commandLine,
  type Outcome,
  outcome,
  runLocking,
  startLocking,
} from "./_cli.ts";
import { uniqueName } from "./_names.ts";
import { noProgram, noSockets } from "./_platform.ts";
import { type Processes, withProcesses } from "./_processes.ts";
import { sleep, until, within } from "./_time.ts";

const skip = noSockets();

/** A shell that says its parent's id and then waits for signals. */
function waiting(traps: string): string[] {
  return [
    "sh",
    "-c",
    `${traps}; echo "up $PPID"; while :; do sleep 0.02; done`,
  ];
}

function runShell(script: string): Promise<Outcome> {
  return runLocking("run", uniqueName(), "--", "sh", "-c", script);
}

/** Starts one that waits for a lock which is held here. */
async function startWaiting(
  processes: Processes,
): Promise<{ lease: Lease; child: Child }> {
  const name = uniqueName();
  const lease = await new SocketLock(name).acquire();
  const args = ["run", "-v", name, "--", "echo", "ran"];
  const child = startLocking(processes, ...args);
  await until("a wait", () => child.errors.includes("waiting"), 10_000);
  return { lease, child };
}

describe("locking run", () => {
  it("ends as the command does", { skip }, async () => {
    const cases = [["exit 0", 0], ["exit 3", 3], ["exit 255", 255]] as const;
    for (const [script, code] of cases) {
      const run = await runShell(script);
      assert.deepEqual(run, { code, output: "", errors: "" });
    }
  });

  it("ends with 128 + n when signal n ends the command", { skip }, async () => {
    for (const [signal, code] of [["TERM", 143], ["KILL", 137]] as const) {
      const run = await runShell(`kill -${signal} $$`);
      assert.deepEqual(run, { code, output: "", errors: "" });
    }
  });

  it("hands arguments on as they are, without a shell", { skip }, async () => {
    const args = ["a b", "$HOME", "--", "-n", "--help", "", "*"];
    const command = ["printf", "<%s>\\n", ...args];
    const run = await runLocking("run", uniqueName(), "--", ...command);
    assert.equal(run.output, args.map((arg) => `<${arg}>`).join("\n"));
  });

  it("names the lock to the command, and no token where there is none", {
    skip,
  }, () =>
    withProcesses(async ({ program }) => {
      const name = uniqueName("with space");
      const show = 'echo "$LOCKING_NAME ${LOCKING_FENCING_TOKEN-none} $KEPT"';
      const command = commandLine("run", name, "--", "sh", "-c", show);
      const variables = ["LOCKING_FENCING_TOKEN=5", "KEPT=yes"];
      const { output } = await outcome(
        program("env", ...variables, ...command),
      );
      assert.equal(output, `${name} none yes`);
    }));

  it(
    "gives the command its own standard streams",
    { skip },
    () =>
      withProcesses(async (processes) => {
        const script = 'read -r line; echo "out $line"; echo "err $line" >&2';
        const command = ["sh", "-c", script];
        const child = startLocking(
          processes,
          "run",
          uniqueName(),
          "--",
          ...command,
        );
        child.write("hello");
        const expected = {
          code: 0,
          output: "out hello",
          errors: "err hello\n",
        };
        assert.deepEqual(await outcome(child), expected);
      }),
  );

  it("tells a command that is not there from one that is none", {
    skip,
  }, async () => {
    const cases = [["/nowhere/nothing", 127], ["nothing-of-that-name", 127], [
      "/etc/passwd",
      126,
    ], ["/etc", 126]] as const;
    for (const [command, code] of cases) {
      const run = await runLocking("run", uniqueName(), "--", command);
      assert.equal(run.code, code, command);
      assert.match(run.errors, /^locking: Cannot run ".*": \w+/);
    }
  });

  it("says what is wrong with its arguments, and runs nothing", async () => {
    const cases = [
      [],
      ["nonsense"],
      ["run"],
      ["run", "x"],
      ["run", "x", "--"],
      ["run", "x", "echo", "--"],
      ["run", "x", "echo", "ran"],
      ["run", "", "--", "echo", "ran"],
      ["run", "-w", "30", "x", "--", "echo", "ran"],
      ["run", "-w", "-1s", "x", "--", "echo", "ran"],
      ["run", "-n", "-w", "1s", "x", "--", "echo", "ran"],
      ["run", "-E", "256", "x", "--", "echo", "ran"],
      ["run", "--ttl=5s", "x", "--", "echo", "ran"],
      ["run", "--redis=h", "--ttl=5ms", "x", "--", "echo", "ran"],
      ["run", "--redis=h", "--grace=4s", "x", "--", "echo", "ran"],
      ["run", "--redis=ftp://h", "x", "--", "echo", "ran"],
      ["run", "--on-lost=hope", "x", "--", "echo", "ran"],
      ["run", "--socket", "--file", "x", "--", "echo", "ran"],
      ["run", "--region=eu-west-1", "x", "--", "echo", "ran"],
      ["run", "--unknown", "x", "--", "echo", "ran"],
      ["status", "x", "--", "echo", "ran"],
    ];
    const runs = await Promise.all(cases.map((args) => runLocking(...args)));
    runs.forEach(({ code, output, errors }, i) => {
      assert.equal(code, 64, `${cases[i]}: ${errors}`);
      assert.equal(output, "", `${cases[i]}`);
      assert.notEqual(errors, "", `${cases[i]}`);
    });
    assert.match(runs[8]!.errors, /needs a unit.* 30s or 30ms\?/);
    assert.match(runs[6]!.errors, /the command comes after --/);
  });

  it("refuses arguments that a runtime would change", async () => {
    const script = 'exec "$@" "$(printf "caf\\351")"';
    const line = commandLine("run", "a", "--", "echo");
    const { code, errors } = await withProcesses(({ program }) =>
      outcome(program("sh", "-c", script, "sh", ...line))
    );
    assert.equal(code, 64);
    assert.match(errors, /is not UTF-8/);
  });

  it("refuses --redis= that names no server at all", async () => {
    const line = commandLine("status", "--redis=", "a");
    const { code, errors } = await withProcesses(({ program }) =>
      outcome(program("env", "-u", "REDIS_URL", "-u", "REDIS_HOST", ...line))
    );
    assert.equal(code, 64);
    assert.match(errors, /names no server/);
  });

  it("explains itself", async () => {
    const help = await runLocking("--help");
    assert.match(help.output, /locking run -w 5m/);
    const run = await runLocking("run", "--help");
    assert.match(run.output, /--file\[=DIR\]/);
    assert.match(run.output, /75 if the lock was\s+not had/);
    assert.deepEqual([help.code, run.code], [0, 0]);
    assert.equal((await runLocking("--version")).output, VERSION);
  });

  it("holds the lock until the command has ended, whatever it is told", {
    skip,
  }, () =>
    withProcesses(async (processes) => {
      const name = uniqueName();
      const command = waiting("trap 'echo TERM' TERM; trap 'exit 5' USR1");
      const child = startLocking(processes, "run", name, "--", ...command);
      await until("the command", () => child.lines.length > 0, 10_000);
      const lock = new SocketLock(name);
      assert.equal(await lock.tryAcquire(), null);
      child.signal("SIGTERM");
      await child.line("TERM");
      assert.equal(await lock.tryAcquire(), null);
      child.signal("SIGUSR1");
      assert.equal((await outcome(child)).code, 5);
      const lease = await lock.tryAcquire();
      assert.ok(lease);
      await lease.release();
    }));

  const signals = ["HUP", "INT", "QUIT", "TERM", "USR1", "USR2"] as const;
  for (const signal of signals) {
    it(
      `forwards SIG${signal}, once`,
      { skip },
      () =>
        withProcesses(async (processes) => {
          const command = waiting(
            `trap 'echo ${signal}' ${signal}; trap 'exit 7' ${
              signal === "TERM" ? "HUP" : "TERM"
            }`,
          );
          const child = startLocking(
            processes,
            ...["run", uniqueName(), "--", ...command],
          );
          await until("the command", () => child.lines.length > 0, 10_000);
          child.signal(`SIG${signal}`);
          await child.line(signal);
          child.signal(signal === "TERM" ? "SIGHUP" : "SIGTERM");
          const { code, output } = await outcome(child);
          assert.equal(code, 7);
          assert.equal(
            output.split("\n").filter((line) => line === signal).length,
            1,
          );
        }),
    );
  }

  it("leaves a Ctrl-C to the terminal, which has sent it to both", {
    skip: skip || noProgram("script", "--version"),
  }, () =>
    withProcesses(async ({ program }) => {
      const traps = "trap 'echo got it' INT; trap 'exit 7' TERM";
      const command = waiting(traps);
      const line = commandLine("run", uniqueName(), "--", ...command)
        .map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
      const child = program("script", "-qefc", `exec ${line}`, "/dev/null");
      const find = (pattern: RegExp): RegExpMatchArray[] =>
        child.lines.flatMap((line) => line.match(pattern) ?? [])
          .map((text) => text.match(pattern)!);
      await until("the command", () => find(/up \d+/).length > 0, 10_000);
      const pid = Number(find(/up \d+/)[0]![0].slice(3));
      child.write("\x03");
      await until("the signal", () => find(/got it/).length > 0);
      await sleep(100); // A second one would come in that time.
      // What comes later is forwarded later.
      child.pid = pid;
      child.signal("SIGTERM");
      await within(10_000, child.describe(), child.exited);
      assert.equal(find(/got it/).length, 1, child.lines.join("\n"));
    }));
});

describe("locking run while another holds the lock", () => {
  /** Runs `locking` while this process holds the lock. */
  async function contend(...args: string[]): ReturnType<typeof runLocking> {
    const name = uniqueName();
    const lease = await new SocketLock(name).acquire();
    try {
      return await runLocking("run", ...args, name, "--", "echo", "ran");
    } finally {
      await lease.release();
    }
  }

  it("-n gives up at once", { skip }, async () => {
    const run = await contend("-n");
    assert.deepEqual([run.code, run.output], [75, ""]);
    assert.match(run.errors, /is held by .+ \(pid \d+\)/);
  });

  it("-w gives up in time", { skip }, async () => {
    const run = await contend("-w", "150ms");
    assert.deepEqual([run.code, run.output], [75, ""]);
    assert.match(run.errors, /timed out after 150 ms, held by/);
  });

  it("-E gives the exit code", { skip }, async () => {
    const run = await contend("-n", "-E", "9");
    assert.deepEqual([run.code, run.output], [9, ""]);
  });

  it("-E 0 says nothing", { skip }, async () => {
    const run = await contend("-w", "10ms", "-E0");
    assert.deepEqual(run, { code: 0, output: "", errors: "" });
  });

  it(
    "waits, and runs the command when its turn has come",
    { skip },
    () =>
      withProcesses(async (processes) => {
        const { lease, child } = await startWaiting(processes);
        assert.deepEqual(child.lines, []);
        await lease.release();
        const { code, output } = await outcome(child);
        assert.deepEqual([code, output], [0, "ran"]);
      }),
  );

  it(
    "a signal ends the wait, and the command is not run",
    { skip },
    () =>
      withProcesses(async (processes) => {
        const { lease, child } = await startWaiting(processes);
        child.signal("SIGTERM");
        const { code, output } = await outcome(child);
        assert.deepEqual([code, output], [143, ""]);
        await lease.release();
      }),
  );
});
