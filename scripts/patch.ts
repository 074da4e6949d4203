/**
 * Reads and applies unified diffs, where there may be no git.
 *
 * @module
 */

/** What a patch changes in one place. */
export interface Hunk {
  /** The number of its first line in the file as it was, from 0. */
  readonly line: number;
  /** The lines as they were. */
  readonly before: readonly string[];
  /** The lines as they shall be. */
  readonly after: readonly string[];
}

/** What a patch changes in one file. */
export interface FilePatch {
  /** The file's path from the project's root. */
  readonly path: string;
  /** The changes, from top to bottom. */
  readonly hunks: readonly Hunk[];
}

const FILE = /^--- a\/(.+)$/;
const HUNK = /^@@ -(\d+)/;

/**
 * Reads a unified diff, as `git diff` writes it. What stands before the first
 * file is no part of it.
 *
 * @param text The diff.
 * @returns What it changes.
 */
export function parsePatch(text: string): FilePatch[] {
  const files: { path: string; hunks: Hunk[] }[] = [];
  let hunk: { line: number; before: string[]; after: string[] } | null = null;
  for (const line of text.split("\n")) {
    const path = FILE.exec(line)?.[1];
    const start = HUNK.exec(line)?.[1];
    if (path !== undefined) {
      files.push({ path, hunks: [] });
      hunk = null;
    } else if (start !== undefined) {
      hunk = { line: Number(start) - 1, before: [], after: [] };
      files.at(-1)?.hunks.push(hunk);
    } else if (hunk !== null && /^[-+ ]/.test(line)) {
      if (line[0] !== "+") hunk.before.push(line.slice(1));
      if (line[0] !== "-") hunk.after.push(line.slice(1));
    } else hunk = null;
  }
  return files;
}

/**
 * Applies a patch to one file. As in `git apply`, its places may have moved, but
 * must be as they were.
 *
 * @param text The file's text.
 * @param patch The patch.
 * @returns The new text; null where the patch does not fit.
 */
export function applyPatch(text: string, patch: FilePatch): string | null {
  const lines = text.split("\n");
  let shift = 0;
  for (const { line, before, after } of patch.hunks) {
    const at = findLines(lines, before, line + shift);
    if (at === -1) return null;
    lines.splice(at, before.length, ...after);
    shift = at - line + after.length - before.length;
  }
  return patch.hunks.length > 0 ? lines.join("\n") : null;
}

/** Where some lines stand, as near as can be to where they are expected. */
function findLines(
  lines: readonly string[],
  wanted: readonly string[],
  expected: number,
): number {
  const places = lines.keys().filter((at) =>
    wanted.every((line, i) => lines[at + i] === line)
  );
  const distance = (at: number): number => Math.abs(at - expected);
  return [...places].sort((a, b) => distance(a) - distance(b))[0] ?? -1;
}
