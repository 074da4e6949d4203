/** That docs/reliability.md and the mutants are still those of the sources. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { type Mutant, parseMutant } from "../scripts/mutant.ts";
import { applyPatch } from "../scripts/patch.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const read = (path: string): string => readFileSync(root + path, "utf8");

const mutants: Mutant[] = readdirSync(`${root}tests/mutants`).map((file) =>
  parseMutant(file.replace(/\.patch$/, ""), read(`tests/mutants/${file}`))
);

/** The rows of the table under a heading, without its head. */
function table(heading: string): string[][] {
  const [, section = ""] = read("docs/reliability.md").split(`## ${heading}\n`);
  const rows = section.split(/^## /m)[0]!.split("\n")
    .filter((line) => line.startsWith("| "))
    .map((line) => line.slice(2, -2).split(" | ").map((cell) => cell.trim()));
  return rows.slice(2);
}

const PROMISES = table("What is promised, and which test holds it");
const FAULTS = table("Faults put back");

const plain = (cell: string): string => cell.replaceAll("`", "");

/** What may be names of tests in a file; where they vary, anything fits. */
function namesIn(file: string): RegExp[] {
  const literal = /`[^`]*`|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g;
  const lines = read(`tests/${file}`).split("\n")
    .filter((line) => !/^\s*(?:\/\/|\*|\/\*)/.test(line));
  const texts = lines.flatMap((line) => line.match(literal) ?? []);
  return [...new Set(texts)].flatMap((text) => {
    const name = text.slice(1, -1).replace(/\\(.)/g, "$1");
    const parts = name.split(/\$\{[^}]*\}/);
    // What varies as a whole would be any test's name.
    if (parts.join("").length < 10) return [];
    const pattern = parts.map((part) =>
      part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")
    ).join(".*");
    // Before a name may stand a state, and after it what it is tested on.
    return [new RegExp(`^(?:"[^"]*": )?${pattern}(?: \\(\\w+\\))?$`)];
  });
}

function hasTest(names: readonly RegExp[], test: string): boolean {
  const shown = test.replaceAll("…", "x");
  return names.some((name) => name.test(shown));
}

const files = readdirSync(`${root}tests`).filter((file) => /\.ts$/.test(file));
const names = new Map(files.map((file) => [file, namesIn(file)]));

describe("docs/reliability.md", () => {
  it("names for each promise a test that there is", () => {
    assert.ok(PROMISES.length > 30);
    for (const [promise, test = "", file = ""] of PROMISES) {
      const found = hasTest(names.get(plain(file)) ?? [], test);
      assert.ok(found, `${promise}: no test "${test}" in ${file}`);
    }
  });

  it("names for each promise a mutant that proves its test", () => {
    const known = new Set(mutants.map(({ name }) => name));
    for (const [promise, , , cell = ""] of PROMISES) {
      const unknown = plain(cell).split(", ").filter((name) =>
        !known.has(name)
      );
      assert.deepEqual(unknown, [], promise);
    }
  });

  it("lists each mutant, its fault, and a test that there is", () => {
    const listed = FAULTS.map(([fault, origin, mutant = ""]) =>
      [plain(mutant), fault, origin].join(" | ")
    );
    const expected = mutants.map(({ name, fault, origin }) =>
      [name, fault, origin].join(" | ")
    );
    assert.deepEqual(listed.sort(), expected.sort());
    const all = [...names.values()].flat();
    for (const [fault, , , test = ""] of FAULTS) {
      assert.ok(hasTest(all, test), `${fault}: no test "${test}"`);
    }
  });
});

describe("the mutants", () => {
  it("still fit the sources", () => {
    for (const { name, files } of mutants) {
      for (const patch of files) {
        const text = applyPatch(read(patch.path), patch);
        assert.notEqual(text, null, `${name}: ${patch.path} has moved on`);
        assert.notEqual(text, read(patch.path), name);
      }
    }
  });

  it("name files of the suite", () => {
    for (const { name, tests } of mutants) {
      for (const { file } of tests) {
        const known = files.includes(file.slice("tests/".length));
        assert.ok(known, `${name}: ${file}`);
      }
    }
  });

  it("do not fit sources that have moved on", () => {
    const [patch] = mutants[0]!.files;
    const { hunks, path } = patch!;
    const moved = read(path).replaceAll(hunks[0]!.before.join("\n"), "");
    assert.equal(applyPatch(moved, patch!), null);
  });
});
