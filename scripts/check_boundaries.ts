/**
 * Fails if anything outside `runtime/` names a runtime, or if an import goes
 * against the arrows cli → mod → backends → core → runtime, and otel → mod.
 *
 * It runs on every runtime itself, since the tests use it, too.
 *
 * @module
 */
import { readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { type SourceViews, viewSource } from "./source_text.ts";

/** A place that breaks a rule. */
export interface Violation {
  /** The file, from the project's root. */
  readonly path: string;
  /** The line, from 1. */
  readonly line: number;
  /** What is wrong. */
  readonly message: string;
}

/** A text that may not stand in a source. */
interface Rule {
  readonly pattern: RegExp;
  /** Whether it may not stand in strings either. */
  readonly inStrings: boolean;
}

// Messages may speak of a runtime, and of a process; a string that is nothing
// but a runtime's name looks it up.
const runtimeNames: readonly Rule[] = [
  { pattern: /(?<![\w$#])(?:Deno|Bun)(?![\w$])/g, inStrings: false },
  { pattern: /(?<=["'`])(?:Deno|Bun)(?=["'`])/g, inStrings: true },
  { pattern: /(?<=["'`])(?:node|bun|npm|jsr):[\w@/-]*/g, inStrings: true },
  {
    pattern: /(?<=["'`])(?:bun|koffi|ffi-napi|ref-napi)(?=["'`])/g,
    inStrings: true,
  },
  {
    pattern:
      /(?<![\w$#.])(?:globalThis\s*\??\.\s*)?process(?=\s*(?:\.|\?\.|\[))/g,
    inStrings: false,
  },
  { pattern: /(?<![\w$#.])require(?=\s*[.(])/g, inStrings: false },
];

const importPattern =
  /(?<![\w$.#])(?:from|import)\s*\(?\s*(["'`])([^"'`\n]+)\1/g;

/** The paths that a file of a folder may import; the first that fits holds. */
const arrows: readonly { readonly from: RegExp; readonly to: RegExp }[] = [
  { from: /^runtime\//, to: /^runtime\// },
  { from: /^backends\/core\//, to: /^(?:backends\/core|runtime)\// },
  { from: /^backends\//, to: /^(?:backends|runtime)\// },
  { from: /^mod\.ts$/, to: /^(?:backends|runtime)\// },
  {
    from: /^cli(?:\/.*)?\.ts$/,
    to: /^(?:mod\.ts$|cli\/|backends\/|runtime\/)/,
  },
  {
    from: /^otel(?:\/.*)?\.ts$/,
    to: /^(?:mod\.ts$|otel\/|backends\/core\/|runtime\/)/,
  },
];

/**
 * Checks one source.
 *
 * @param path Its path from the project's root, with slashes.
 * @param source What is in it.
 * @returns What breaks a rule, in the order of the lines.
 */
export function checkSource(path: string, source: string): Violation[] {
  const views = viewSource(source);
  const found = [...checkNames(path, views), ...checkImports(path, views)];
  return found.sort((a, b) => a.line - b.line);
}

function checkNames(path: string, views: SourceViews): Violation[] {
  if (path.startsWith("runtime/")) return [];
  return runtimeNames.flatMap(({ pattern, inStrings }) => {
    const text = inStrings ? views.withoutComments : views.codeOnly;
    return [...text.matchAll(pattern)].map((match) => ({
      path,
      line: lineAt(text, match.index),
      message: `names a runtime: "${match[0]}" belongs into runtime/`,
    }));
  });
}

function checkImports(path: string, views: SourceViews): Violation[] {
  const text = views.withoutComments;
  const arrow = arrows.find(({ from }) => from.test(path));
  return [...text.matchAll(importPattern)].flatMap((match) => {
    const target = resolve(path, match[2] ?? "");
    // A package is no matter of arrows, unless it is our own.
    if (target === null || arrow?.to.test(target)) return [];
    const message = `imports against the arrows: "${match[2]}"`;
    return [{ path, line: lineAt(text, match.index), message }];
  });
}

function resolve(path: string, specifier: string): string | null {
  if (specifier.startsWith("@x/locking")) return specifier;
  if (!specifier.startsWith(".")) return null;
  return posix.join(posix.dirname(path), specifier);
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}

/** The folders that are shipped. */
const FOLDERS = ["backends", "cli", "otel", "runtime"];

/**
 * Checks everything that is shipped.
 *
 * @param root The project's root.
 * @returns What breaks a rule.
 */
export function checkProject(root: string): Violation[] {
  // Not all of the root: installed packages may be linked in circles there.
  const paths = FOLDERS.flatMap((folder) =>
    readdirSync(`${root}/${folder}`, { recursive: true, encoding: "utf8" })
      .map((path) => `${folder}/${path.replaceAll("\\", "/")}`)
      .filter((path) => path.endsWith(".ts"))
  ).concat("mod.ts", "cli.ts", "otel.ts");
  return paths.sort().flatMap((path) =>
    checkSource(path, readFileSync(`${root}/${path}`, "utf8"))
  );
}

function main(): void {
  const violations = checkProject(
    fileURLToPath(new URL("..", import.meta.url)),
  );
  for (const { path, line, message } of violations) {
    console.error(`${path}:${line}: ${message}`);
  }
  if (violations.length > 0) process.exitCode = 1;
  else console.log("The boundaries hold");
}

if (import.meta.main) main();
