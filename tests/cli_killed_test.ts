// What becomes of the command when `locking` itself is killed, and what of that
// which the command leaves behind when nobody is.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, symlinkSync } from "node:fs";
import process from "node:process";
import { after, describe, it } from "node:test";
import { SocketLock } from "../mod.ts";
import type { Child } from "./_child.ts";
import { commandLine, outcome, startLocking } from "./_cli.ts";
import { makeDirectory, removeDirectory, uniqueName } from "./_names.ts";
import { noProgram, noSockets } from "./_platform.ts";
import { type Processes, withProcesses } from "./_processes.ts";
import { until, within } from "./_time.ts";

const skip = noSockets();
const noSetpriv = noProgram("setpriv", "--version");

// Its children write nothing, but keep its output open: that ends when the last
// of them has ended. One of them has no parent any more.
const FAMILY = "sleep 600 & (sleep 600 &) ; echo up; sleep 600; echo survived";

async function startFamily(processes: Processes): Promise<Child> {
  const args = ["run", uniqueName(), "--", "sh", "-c", FAMILY];
  const child = startLocking(processes, ...args);
  await child.line("up");
  return child;
}

async function assertAllEnd(child: Child): Promise<void> {
  child.signal("SIGKILL");
  await within(5000, "the end of all", child.exited);
  assert.deepEqual(child.lines, ["up"]);
}

describe("locking run that is killed", () => {
  it(
    "takes the command and all that it has started along",
    { skip },
    () =>
      withProcesses(async (processes) => {
        await assertAllEnd(await startFamily(processes));
      }),
  );

  it(
    "does so where there is no setpriv, too",
    { skip },
    () =>
      withProcesses(async ({ program }) => {
        const directory = makeDirectory();
        after(() => removeDirectory(directory));
        for (const name of ["sh", "sleep", "grep"]) {
          const path = execFileSync("sh", ["-c", `command -v ${name}`]);
          symlinkSync(String(path).trim(), `${directory}/${name}`);
        }
        const args = ["run", uniqueName(), "--", "sh", "-c", FAMILY];
        const command = [`PATH=${directory}`, ...commandLine(...args)];
        // env(1) becomes the program that it runs.
        const child = program("/usr/bin/env", ...command);
        await child.line("up");
        await assertAllEnd(child);
      }),
  );

  it("takes the command along although its guard has been killed", {
    skip: skip || noSetpriv,
  }, () =>
    withProcesses(async (processes) => {
      const command = ["sh", "-c", "echo up; exec sleep 600"];
      const args = ["run", uniqueName(), "--", ...command];
      const child = startLocking(processes, ...args);
      await child.line("up");
      const guard = findGuard(child.pid);
      process.kill(guard, "SIGKILL");
      await until("the guard's end", () => stateOf(guard) === "dead");
      await assertAllEnd(child);
    }));

  it("frees the lock", { skip }, () =>
    withProcesses(async (processes) => {
      const name = uniqueName();
      const args = ["run", name, "--", "sh", "-c", "echo up; exec sleep 600"];
      const child = startLocking(processes, ...args);
      await child.line("up");
      const waiting = new SocketLock(name).acquire({ timeoutMs: 5000 });
      child.signal("SIGKILL");
      await (await waiting).release();
      await within(5000, "the end of all", child.exited);
    }));
});

describe("locking run that is killed with its whole group", () => {
  it("takes along what the command has started in groups of its own", {
    skip,
  }, () =>
    withProcesses(async ({ program }) => {
      // It says so itself, when it has left the group.
      const work = "setsid sh -c 'echo up; exec sleep 600' & wait";
      const command = ["sh", "-c", work];
      const child = program(
        "setsid",
        ...commandLine("run", uniqueName(), "--", ...command),
      );
      await child.line("up");
      process.kill(-child.pid, "SIGKILL");
      // The last of them that ends closes the output.
      await within(5000, "the end of all", child.exited);
    }));
});

describe("locking run whose command is ended by a signal", () => {
  it(
    "ends what it was waiting for before the lock is free",
    { skip },
    () =>
      withProcesses(async (processes) => {
        const name = uniqueName();
        // The work is done by a child, as in most scripts.
        const work = "trap '' HUP INT; echo $$; while :; do sleep 0.02; done";
        const script = `sh -c "${work.replace("$$", "\\$\\$")}"; true`;
        const args = ["run", name, "--", "sh", "-c", script];
        const child = startLocking(processes, ...args);
        await until("the work", () => child.lines.length > 0, 10_000);
        const pid = Number(child.lines[0]);
        const waiting = new SocketLock(name).acquire({ timeoutMs: 10_000 });
        child.signal("SIGTERM");
        const lease = await waiting;
        assert.equal(stateOf(pid), "dead");
        await lease.release();
        assert.equal((await outcome(child)).code, 143);
      }),
  );
});

describe("locking run whose command ends by itself", () => {
  it("leaves alone what the command has left behind, and no guard", {
    skip,
  }, () =>
    withProcesses(async (processes) => {
      const script = "sleep 600 <&- >&- 2>&- & echo $!; read -r _";
      const args = ["run", uniqueName(), "--", "sh", "-c", script];
      const child = startLocking(processes, ...args);
      await until("the command", () => child.lines.length > 0, 10_000);
      const guard = findGuard(child.pid);
      child.write("");
      const { code, output } = await outcome(child);
      const pid = Number(output);
      try {
        assert.equal(code, 0);
        await until("the guard's end", () => stateOf(guard) === "dead");
        assert.equal(stateOf(pid), "alive");
      } finally {
        process.kill(pid, "SIGKILL");
      }
    }));
});

function findGuard(parent: number): number {
  return childrenOf(parent, "-f", "locking-guard")[0]!;
}

function childrenOf(parent: number, ...pattern: string[]): number[] {
  const found = execFileSync("pgrep", ["-P", String(parent), ...pattern]);
  return String(found).trim().split("\n").map(Number);
}

function stateOf(pid: number): "alive" | "dead" {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return / [ZX] /.test(stat.slice(stat.lastIndexOf(")"))) ? "dead" : "alive";
  } catch {
    return "dead";
  }
}
