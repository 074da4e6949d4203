/** That processes of all runtimes and users agree where lock files are. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import process from "node:process";
import { describe, it } from "node:test";
import { fixture } from "./_fixture.ts";
import { noFiles } from "./_platform.ts";
import { testRuntimes } from "./_runtimes.ts";

const UNSHARE = ["unshare", "--mount", "sh", "-ec"];

/** Whether a program can have a `/dev/shm` of its own here. */
function noMounts(): string | false {
  const [command = "", ...args] = UNSHARE;
  const mount = "mount -t tmpfs tmpfs /dev/shm";
  const { status } = spawnSync(command, [...args, mount], { stdio: "ignore" });
  return status !== 0 && "a /dev/shm of one's own needs root";
}

/** The default directory of a process whose `/dev/shm` has such a mode. */
function directoryWith(mode: string, program: readonly string[]): string {
  const [command = "", ...args] = UNSHARE;
  const script = `mount -t tmpfs -o mode=${mode} tmpfs /dev/shm; exec "$@"`;
  const all = [...args, script, "sh", ...program];
  const env = { ...process.env, NO_COLOR: "1" };
  const { stdout, stderr } = spawnSync(command, all, { encoding: "utf8", env });
  assert.notEqual(stdout, "", stderr);
  return stdout.trim();
}

describe("FileLock's default directory", () => {
  const skip = noFiles() || noMounts();
  for (const { id, command } of testRuntimes()) {
    const program = [...command, fixture("default_directory.ts")];

    it(`is /dev/shm on ${id}, where everybody may write there`, {
      skip,
    }, () => {
      assert.equal(directoryWith("1777", program), "/dev/shm");
    });

    it(`is elsewhere on ${id}, where not everybody may write there`, {
      skip,
    }, () => {
      // Root may.
      assert.equal(directoryWith("0770", program), tmpdir());
    });
  }
});
