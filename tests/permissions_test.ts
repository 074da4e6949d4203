// The least permissions that each lock needs on Deno, as the README states
// them, and what is said where one is missing. Nothing may prompt or crash.
import assert from "node:assert/strict";
import process from "node:process";
import { after, describe, it } from "node:test";
import { makeDirectory, removeDirectory, uniqueName } from "./_names.ts";
import { dynamoKind, redisKind } from "./_kinds.ts";
import { fixture } from "./_fixture.ts";
import { withProcesses } from "./_processes.ts";
import { currentRuntime } from "./_runtimes.ts";
import { within } from "./_time.ts";
import type { LockSpec } from "./fixtures/protocol.ts";

// Deno gives a Deno that node:child_process starts without any permission all of
// them. Beside others it would be a limit to them.
const NOTHING = "--allow-env=LOCKING_NOTHING";
const servers = [redisKind(), dynamoKind()];
const skip = currentRuntime().id !== "deno" && "permissions are Deno's";

describe("permissions on Deno", () => {
  const directory = makeDirectory();
  after(() => removeDirectory(directory));
  const files = [`--allow-read=${directory}`, `--allow-write=${directory}`];

  it("SocketLock needs --allow-net alone", { skip }, async () => {
    const output = await run(["--allow-net"], "SocketLock");
    assert.match(output, /^ok true host-[0-9a-f]{32}$/);
  });

  it("SocketLock without it says what to grant", { skip }, async () => {
    const output = await run([], "SocketLock");
    assert.match(output, /^LOCK_BACKEND .*run with --allow-net/);
  });

  it("the host has its name where --allow-sys=hostname allows it", {
    skip,
  }, async () => {
    const permissions = ["--allow-net", "--allow-sys=hostname"];
    const output = await run(permissions, "SocketLock");
    assert.match(output, /^ok true (?!host-[0-9a-f]{32}$).+/);
  });

  it("FileLock needs its directory alone", { skip }, async () => {
    assert.match(await run(files, "FileLock", { directory }), /^ok true /);
  });

  it("FileLock without it says what to grant", { skip }, async () => {
    const output = await run([], "FileLock", { directory });
    assert.match(output, /^LOCK_BACKEND .*--allow-read and --allow-write/);
  });

  for (const { kind, missing, fresh } of servers) {
    it(`${kind} needs --allow-net and --allow-env alone`, {
      skip: skip || missing,
    }, async () => {
      const { options } = fresh();
      const permissions = ["--allow-net", "--allow-env"];
      const output = await run(permissions, kind, options);
      assert.match(output, /^ok true host-[0-9a-f]{32}$/);
    });

    it(`${kind} without --allow-env says what to grant, or does without`, {
      skip: skip || missing,
    }, async () => {
      const { options } = fresh();
      const output = await run(["--allow-net"], kind, options);
      assert.match(output, /^ok true |^LOCK_BACKEND .*--allow-env/);
    });

    it(`${kind} without --allow-net says what to grant`, {
      skip: skip || missing,
    }, async () => {
      const { options } = fresh();
      const output = await run(["--allow-env"], kind, options);
      assert.match(output, /^LOCK_BACKEND .*--allow-net/);
    });
  }

  it("FileLock in /dev/shm names --allow-all, and takes no other directory", {
    skip,
  }, async () => {
    const output = await run(["--allow-read", "--allow-write"], "FileLock");
    assert.match(output, /^LOCK_BACKEND .*--allow-all for \/dev\/shm/);
  });
});

function run(
  permissions: string[],
  kind: LockSpec["kind"],
  options = {},
): Promise<string> {
  return withProcesses(async ({ program }) => {
    const spec = { kind, name: uniqueName(), options };
    const child = program(
      process.execPath,
      ...["run", "-q", "--no-check", "--no-prompt"],
      ...permissions.length > 0 ? permissions : [NOTHING],
      fixture("permitted.ts"),
      JSON.stringify(spec),
    );
    await within(20_000, "a script's end", child.exited);
    return child.lines.join("\n") + child.errors;
  });
}
