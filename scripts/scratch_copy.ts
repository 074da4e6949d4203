/**
 * Copies of the project outside of its folder, in which the sources may be
 * changed.
 *
 * @module
 */
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { applyPatch, type FilePatch } from "./patch.ts";

const root = fileURLToPath(new URL("../", import.meta.url));

/** What the tests need of the project. */
const COPIED = [
  ...["backends", "cli", "otel", "runtime", "scripts", "tests", "examples"],
  ...["mod.ts", "cli.ts", "otel.ts", "deno.json"],
];

/** What is too large to copy, and is not changed. */
const LINKED = ["node_modules", ".runtimes"];

/** A copy of the project. */
export class ScratchCopy {
  /** Where it is. */
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /**
   * Makes a copy.
   *
   * @returns The copy, which is the caller's to remove.
   */
  static async make(): Promise<ScratchCopy> {
    const folder = await Deno.makeTempDir({ prefix: "locking-mutants-" });
    for (const name of COPIED) await copy(root + name, `${folder}/${name}`);
    for (const name of LINKED) {
      await Deno.symlink(root + name, `${folder}/${name}`);
    }
    return new ScratchCopy(folder);
  }

  /**
   * Changes its sources.
   *
   * @param patches What to change.
   * @returns Whether they fit; where not, nothing is changed.
   */
  async apply(patches: readonly FilePatch[]): Promise<boolean> {
    const changed = new Map<string, string>();
    for (const patch of patches) {
      const text = await readText(root + patch.path);
      const after = text === null ? null : applyPatch(text, patch);
      if (after === null) return false;
      changed.set(patch.path, after);
    }
    for (const [path, text] of changed) {
      await Deno.writeTextFile(`${this.folder}/${path}`, text);
    }
    return true;
  }

  /**
   * Takes changes back.
   *
   * @param patches What was changed.
   */
  async revert(patches: readonly FilePatch[]): Promise<void> {
    for (const { path } of patches) {
      await copy(root + path, `${this.folder}/${path}`);
    }
  }

  /** Removes the copy. */
  async remove(): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

async function readText(path: string): Promise<string | null> {
  return await Deno.readTextFile(path).catch(() => null);
}

async function copy(from: string, to: string): Promise<void> {
  const { isDirectory } = await Deno.stat(from);
  if (!isDirectory) {
    await Deno.mkdir(dirname(to), { recursive: true });
    return await Deno.copyFile(from, to);
  }
  await Deno.mkdir(to, { recursive: true });
  for await (const { name } of Deno.readDir(from)) {
    await copy(`${from}/${name}`, `${to}/${name}`);
  }
}
