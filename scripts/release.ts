/**
 * Publishes a release to JSR and npm: `deno task release TAG`, in the workflow
 * `release.yml`, which has the right to. What has been published already is
 * left alone, so that a release that failed halfway can be run again.
 *
 * @module
 */
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { manifest } from "./npm_package.ts";
import { packPackage } from "./npm_project.ts";

const root = fileURLToPath(new URL("../", import.meta.url));

/** A place to publish to. */
export interface Registry {
  readonly title: string;
  /** A command that succeeds once the version is there. */
  readonly check: readonly string[];
  /** The command that publishes. */
  readonly publish: readonly string[];
}

/** Options of {@linkcode publishTo}. */
export interface PublishOptions {
  /**
   * How often to try.
   *
   * @default {3}
   */
  readonly tries?: number;
  /**
   * How long a command may take, in milliseconds: registries hang.
   *
   * @default {300000}
   */
  readonly limitMs?: number;
  /**
   * How long to wait between two tries, in milliseconds.
   *
   * @default {30000}
   */
  readonly pauseMs?: number;
}

/**
 * Checks that a tag names this version.
 *
 * @param tag The tag, such as `v1.2.3`.
 * @param version The version in `deno.json`.
 * @throws {Error} If it names another.
 */
export function checkTag(tag: string, version: string): void {
  if (tag === `v${version}`) return;
  throw new Error(
    `Cannot release: the tag is "${tag}", but deno.json has ${version}`,
  );
}

/**
 * Publishes a version, unless it is there.
 *
 * @param registry Where to.
 * @param options How often and how long to try.
 * @throws {Error} If it is not there after the last try.
 */
export async function publishTo(
  { title, check, publish }: Registry,
  options: PublishOptions = {},
): Promise<void> {
  const { tries = 3, limitMs = 300_000, pauseMs = 30_000 } = options;
  for (let i = 1; i <= tries; i++) {
    // A registry may have taken what it never acknowledged.
    if (await succeeds(check, limitMs)) return console.log(`${title}: there`);
    console.log(`${title}: try ${i} of ${tries}`);
    if (await succeeds(publish, limitMs)) return;
    if (i < tries) await new Promise((done) => setTimeout(done, pauseMs));
  }
  if (await succeeds(check, limitMs)) return;
  throw new Error(`Cannot publish to ${title}: failed ${tries} times`);
}

async function succeeds(
  [command = "", ...args]: readonly string[],
  limitMs: number,
): Promise<boolean> {
  const { success } = await new Deno.Command(command, {
    args,
    cwd: root,
    stdin: "null",
    signal: AbortSignal.timeout(limitMs),
  }).spawn().status;
  return success;
}

async function main([tag = ""]: readonly string[]): Promise<void> {
  const { name, version } = manifest();
  checkTag(tag, version);
  // Only dnt builds what is released.
  Deno.env.set("LOCKING_NO_STAND_INS", "1");
  const tarball = await packPackage();
  const deno = Deno.execPath();
  const npm = ["npm", "publish", tarball, "--provenance", "--access=public"];
  try {
    await publishTo({
      title: "JSR",
      check: [deno, "info", "--reload", `jsr:${name}@${version}`],
      publish: [deno, "publish"],
    });
    await publishTo({
      title: "npm",
      check: ["npm", "view", `${name}@${version}`, "version"],
      publish: npm,
    });
  } finally {
    await Deno.remove(dirname(tarball), { recursive: true });
  }
}

if (import.meta.main) await main(Deno.args);
