/**
 * Sees to the server that the tests of RedisLock start.
 *
 * @module
 */

const PACKAGE = "redis-server";

/**
 * Installs Debian's `redis-server` if there is none and this process may;
 * otherwise says how. Without it, the tests of RedisLock are skipped.
 */
export async function ensureRedis(): Promise<void> {
  if (await runs(PACKAGE, "--version")) return;
  if (Deno.uid() === 0 && await runs("apt-get", "--version")) {
    console.log(`installing ${PACKAGE} by apt-get, for the tests of RedisLock`);
    const update = await runs("apt-get", "update", "-qq");
    if (update && await runs("apt-get", "install", ...INSTALL)) return;
  }
  console.log(
    `The tests of RedisLock are skipped: run \`apt-get install ${PACKAGE}\``,
  );
}

const INSTALL = ["-qq", "-y", "--no-install-recommends", PACKAGE];

async function runs(command: string, ...args: string[]): Promise<boolean> {
  try {
    const { success } = await new Deno.Command(command, {
      args,
      env: { DEBIAN_FRONTEND: "noninteractive" },
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).output();
    return success;
  } catch {
    return false;
  }
}
