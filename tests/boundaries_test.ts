import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { checkProject, checkSource } from "../scripts/check_boundaries.ts";

const clean = `
/** Deno, Bun and node:net may stand in comments; process.pid, too. */
import type { Runtime } from "../runtime/types.ts"; // not from "node:fs"
import("redis");
const url = "http://example.org"; /* Deno.cwd() */
const message = \`the process.pid of \${{ a: \`x\` }.a} // no comment\`;
const pattern = /["'/*]\\/[/"]/g, half = 4 / 2 / 1;
const advice = "run it with --allow-net (Deno), or on Bun";
holder.process.pid; this.#require(message); Denominator; myBun;
`;

/** What is found in a source of one line, put after a comment's line. */
function messages(line: string, path = "backends/a.ts"): string[] {
  const found = checkSource(path, `/* it's\n */ ${line}\n`);
  for (const { line } of found) assert.equal(line, 2);
  return found.map(({ message }) => message);
}

describe("check_boundaries", () => {
  it("holds for the library", () => {
    const root = fileURLToPath(new URL("..", import.meta.url));
    assert.deepEqual(checkProject(root), []);
  });

  it("finds nothing in a clean source, whatever its comments say", () => {
    assert.deepEqual(checkSource("backends/a.ts", clean), []);
  });

  const namings = [
    "Deno.cwd();",
    "const b = globalThis.Bun;",
    'const b = globalThis["Deno"];',
    'import net from "node:net";',
    'const net = await import("node:net");',
    'import { dlopen } from "bun:ffi";',
    'import koffi from "koffi";',
    'import koffi from "npm:koffi@^3";',
    "exit(process.pid);",
    "exit(globalThis.process?.pid);",
    'const fs = require("fs");',
    "const pid = `${process.pid}`;",
    'const s = "\\"" + /"/.source; Deno.exit();',
    "const s = 1 / 2; Deno.exit(); // 1 / 2",
  ];
  for (const line of namings) {
    it(`finds the runtime's name in ${line}`, () => {
      assert.match(messages(line).join(), /^names a runtime: /);
    });
  }

  it("lets runtime/ name a runtime", () => {
    assert.deepEqual(messages("Deno.cwd();", "runtime/deno.ts"), []);
  });

  const arrows: readonly (readonly [path: string, specifier: string])[] = [
    ["runtime/deno.ts", "../backends/core/names.ts"],
    ["backends/core/lock.ts", "../socket.ts"],
    ["backends/core/lock.ts", "../host/doorbell.ts"],
    ["backends/socket.ts", "../mod.ts"],
    ["backends/socket.ts", "@x/locking"],
    ["backends/socket.ts", "../tests/_contract.ts"],
    ["backends/socket.ts", "../cli/run.ts"],
    ["runtime/deno.ts", "../cli/run.ts"],
    ["mod.ts", "./scripts/test.ts"],
    ["mod.ts", "./cli/run.ts"],
    ["cli.ts", "./scripts/test.ts"],
    ["cli/run.ts", "../tests/_child.ts"],
    ["cli/run.ts", "@x/locking"],
    ["otel.ts", "./cli/run.ts"],
    ["otel/follow.ts", "../backends/socket.ts"],
    ["otel/follow.ts", "@x/locking"],
    ["mod.ts", "./otel.ts"],
    ["backends/core/tracing.ts", "../../otel/follow.ts"],
    ["cli/run.ts", "../otel.ts"],
  ];
  for (const [path, specifier] of arrows) {
    it(`does not let ${path} import ${specifier}`, () => {
      const wrong = [`imports against the arrows: "${specifier}"`];
      assert.deepEqual(messages(`export * from "${specifier}";`, path), wrong);
      assert.deepEqual(messages(`import "${specifier}";`, path), wrong);
      assert.deepEqual(messages(`await import("${specifier}");`, path), wrong);
    });
  }

  it("lets imports follow the arrows", () => {
    const good = 'import { a } from "./core/a.ts"; import "../runtime/mod.ts";';
    assert.deepEqual(messages(good, "backends/socket.ts"), []);
    const ours = 'import "../mod.ts"; import "./run.ts"; ' +
      'await import("../backends/file.ts"); import "../runtime/mod.ts";';
    assert.deepEqual(messages(ours, "cli/main.ts"), []);
    assert.deepEqual(messages('import "./cli/main.ts";', "cli.ts"), []);
    const traced = 'import "../mod.ts"; import "./attributes.ts"; ' +
      'import "../backends/core/options.ts"; import "../runtime/types.ts";';
    assert.deepEqual(messages(traced, "otel/follow.ts"), []);
    assert.deepEqual(messages('import "./otel/follow.ts";', "otel.ts"), []);
  });

  it("lets no part of the command name a runtime", () => {
    assert.match(messages("Deno.exit();", "cli/main.ts").join(), /^names a/);
    assert.match(messages("Deno.exit();", "cli.ts").join(), /^names a/);
  });
});
