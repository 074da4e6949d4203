/** What the tests of the npm package share: the tarball, and scripts to run. */
import process from "node:process";
import { before, it } from "node:test";
import { makeProject, type ProjectOptions } from "../../scripts/npm_project.ts";
import { type Output, tryRun } from "../../scripts/run.ts";
import { type TestRuntime, testRuntimes } from "../_runtimes.ts";

/** A project into which the package is installed. */
export class Project {
  /** Its folder. */
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Installs the package into an empty project. */
  static async make(name: string, options?: ProjectOptions): Promise<Project> {
    return new Project(await makeProject(name, tarball(), options));
  }

  /** Writes a file. */
  async write(path: string, text: string): Promise<void> {
    const parts = `${this.folder}/${path}`.split("/");
    await Deno.mkdir(parts.slice(0, -1).join("/"), { recursive: true });
    await Deno.writeTextFile(parts.join("/"), text);
  }

  /** Runs a script on a runtime. */
  async run(runtime: TestRuntime, ...script: string[]): Promise<Output> {
    const [command = "", ...args] = [...runtime.command, ...script];
    return await tryRun(command, { args, cwd: this.folder });
  }
}

/** Where the packed package is. */
export function tarball(): string {
  return process.env.LOCKING_TEST_TARBALL ?? "";
}

/** Why there is no package to test, or false. */
function noPackage(): string | false {
  const isThere = tarball() !== "" && "Deno" in globalThis;
  return isThere ? false : "no package is built: run `deno task test:npm`";
}

/** Declares a test of the package, skipped where there is none. */
export function packageTest(name: string, run: () => void | Promise<void>) {
  it(name, { skip: noPackage() }, run);
}

/** Does something before such tests. */
export function beforePackageTests(run: () => void | Promise<void>): void {
  if (!noPackage()) before(run);
}

/** The runtimes whose users have the npm package: not Deno. */
export function npmRuntimes(): TestRuntime[] {
  return testRuntimes().filter(({ id }) => id !== "deno");
}
