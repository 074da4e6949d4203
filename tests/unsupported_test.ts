// Where SocketLock cannot work it says so and names what can, instead of
// failing to exclude.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { runScript } from "./_processes.ts";
import { currentRuntime } from "./_runtimes.ts";

const { id } = currentRuntime();
const skipOnDeno = id === "deno" && "Deno's platform cannot be changed";
const skipOffNode = !id.startsWith("node") && "only Node's libuv matters";

describe("SocketLock where it cannot work", () => {
  for (const platform of ["darwin", "win32"]) {
    it(`refuses ${platform} with LOCK_UNSUPPORTED, and names FileLock`, {
      skip: skipOnDeno,
    }, () => assertRefused(platform, "1.51.0"));
  }

  it("refuses a Node whose libuv pads the address, as Node 20's does", {
    skip: skipOffNode,
  }, () => assertRefused("linux", "1.46.0"));

  it("works on Linux with a newer libuv", { skip: skipOnDeno }, async () => {
    const { output } = await run("linux", "1.51.0");
    assert.equal(output, "acquire ok\ntryAcquire ok\nholder ok");
  });
});

async function assertRefused(platform: string, uv: string): Promise<void> {
  const { output } = await run(platform, uv);
  const lines = output.split("\n");
  assert.equal(lines.length, 3, output);
  for (const line of lines) assert.match(line, /LOCK_UNSUPPORTED .*FileLock/);
}

function run(platform: string, uv: string): Promise<{ output: string }> {
  return runScript(currentRuntime(), "elsewhere.ts", platform, uv);
}
