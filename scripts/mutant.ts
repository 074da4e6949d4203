/**
 * Reads the mutants of `tests/mutants/`: known faults, each as a patch to our
 * sources, and what is to catch it.
 *
 * @module
 */
import { type FilePatch, parsePatch } from "./patch.ts";

/** Some tests of one file. */
export interface NamedTests {
  /** The file's path from the project's root. */
  readonly file: string;
  /** A part of their names; empty for all of them. */
  readonly filter: string;
}

/** A known fault that can be put back. */
export interface Mutant {
  /** The patch's file name, without its end. */
  readonly name: string;
  /** The fault, as a sentence. */
  readonly fault: string;
  /** Whose fault it is, or was. */
  readonly origin: string;
  /** The runtime that shows it. */
  readonly on: string;
  /** Whether the fault is that something never ends. */
  readonly hangs: boolean;
  /** The tests that are to catch it, at least one of them. */
  readonly tests: readonly NamedTests[];
  /** What it changes. */
  readonly files: readonly FilePatch[];
}

/**
 * Reads a mutant. Its head is lines of `Name: value`, `Fault`, `Origin` and
 * `Test` (a file of `tests/` and, after a colon, a part of a test's name), which
 * may stand more than once, and, where they are needed, `On` (a runtime, Bun if
 * not given) and `Hangs: yes`. The patch follows.
 *
 * @param name The mutant's name.
 * @param text The file's text.
 * @returns The mutant.
 * @throws {SyntaxError} If something is missing.
 */
export function parseMutant(name: string, text: string): Mutant {
  const head = /^(?:.*\n)*?(?=--- a\/)/.exec(text)?.[0] ?? text;
  const values = (key: string): string[] =>
    head.split("\n").filter((line) => line.startsWith(`${key}: `))
      .map((line) => line.slice(key.length + 2).trim());
  const value = (key: string, otherwise = ""): string =>
    values(key)[0] ?? otherwise;
  const mutant = {
    name,
    fault: value("Fault"),
    origin: value("Origin"),
    on: value("On", "bun"),
    hangs: value("Hangs") === "yes",
    tests: values("Test").map(parseTests),
    files: parsePatch(text.slice(head.length)),
  };
  const { fault, origin, tests, files } = mutant;
  if (fault && origin && tests.length > 0 && files.length > 0) return mutant;
  throw new SyntaxError(`${name} lacks a fault, an origin, a test or a patch`);
}

function parseTests(value: string): NamedTests {
  const [, file = value, filter = ""] = /^(\S+): (.+)$/.exec(value) ?? [];
  return { file: `tests/${file}`, filter };
}
