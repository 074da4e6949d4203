/**
 * Sees to the servers that tests start, where Debian has them.
 *
 * @module
 */

/** A package of Debian, and what needs it. */
export interface DebianPackage {
  /** Its name. */
  readonly name: string;
  /** What the tests are of that are skipped without it. */
  readonly tests: string;
  /** Whether it is here, or something as good. */
  readonly isHere: () => Promise<boolean>;
}

/**
 * Installs a package if it is missing and this process may; otherwise says how.
 *
 * @param wanted The package.
 */
export async function ensurePackage(wanted: DebianPackage): Promise<void> {
  const { name, tests, isHere } = wanted;
  if (await isHere()) return;
  if (Deno.uid() === 0 && await runs("apt-get", "--version")) {
    console.log(`installing ${name} by apt-get, for the tests of ${tests}`);
    const update = await runs("apt-get", "update", "-qq");
    if (update && await runs("apt-get", "install", ...FLAGS, name)) return;
  }
  console.log(
    `The tests of ${tests} are skipped: run \`apt-get install ${name}\``,
  );
}

const FLAGS = ["-qq", "-y", "--no-install-recommends"];

/**
 * Runs a program, and hides what it says.
 *
 * @param command The program.
 * @param args Its arguments.
 * @returns Whether it is there, and has succeeded.
 */
export async function runs(
  command: string,
  ...args: string[]
): Promise<boolean> {
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
