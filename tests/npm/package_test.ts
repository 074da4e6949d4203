/** What is in the npm package, and how it reads in a project's files. */
import {
  checkPackage,
  createPackageFromTarballData,
} from "@arethetypeswrong/core";
import { publint } from "publint";
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe } from "node:test";
import { homedir } from "node:os";
import { dirname, resolve } from "node:path";
import ts from "typescript";
import { entryPoints } from "../../scripts/npm_package.ts";
import { run } from "../../scripts/run.ts";
import { beforePackageTests, packageTest, tarball } from "./_project.ts";

const root = resolve(import.meta.dirname!, "../..");
const files = new Map<string, string>();

describe("the npm package", () => {
  beforePackageTests(unpack);

  packageTest("is under 300 KB", () => {
    const sizes = [...files.values()].map((text) => Buffer.byteLength(text));
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    assert.ok(bytes < 300_000, `${bytes} bytes`);
  });

  packageTest("has the files that its manifest names, and the licence", () => {
    const { exports, main, types, bin = {} } = JSON.parse(file("package.json"));
    const modules = Object.values<string | Record<string, string>>(exports)
      .flatMap((to) => typeof to === "string" ? to : Object.values(to));
    const named = [...modules, main, types, ...Object.values<string>(bin)];
    for (const path of named) file(path.replace("./", ""));
    for (const path of ["LICENSE", "README.md", "CHANGES.md"]) file(path);
  });

  packageTest("names no path of the machine that built it", () => {
    for (const [path, text] of files) {
      for (const place of [root, homedir(), dirname(tarball())]) {
        assert.ok(!text.includes(place), `${path} has ${place} in it`);
      }
    }
  });

  packageTest("has no `any` in its types", () => {
    for (const [path, text] of files) {
      if (!path.endsWith(".d.ts")) continue;
      assert.deepEqual(findAny(text), [], path);
    }
  });

  packageTest("exports what the sources export", () => {
    for (const { name, path } of entryPoints) {
      const packed = exportsOf(`${root}/npm/esm/${path}.d.ts`);
      assert.deepEqual(packed, exportsOf(`${root}/${path}.ts`), name);
    }
  });

  packageTest("is as publint wants it", async () => {
    const { messages } = await publint({ pkgDir: `${root}/npm`, strict: true });
    assert.deepEqual(messages, []);
  });

  // `require()` gets the one form that there is, which older TypeScript does
  // not know; and so old a resolution that it knows no `exports` is no matter.
  packageTest(
    "has the types that are meant, wherever it is imported",
    async () => {
      const data = await Deno.readFile(tarball());
      const analysis = await checkPackage(createPackageFromTarballData(data));
      assert.ok(analysis.types, "no types");
      const problems = analysis.problems.filter((problem) =>
        !("resolutionKind" in problem) ||
        problem.resolutionKind === "node16-esm" ||
        problem.resolutionKind === "bundler"
      );
      assert.deepEqual(problems, []);
    },
  );
});

async function unpack(): Promise<void> {
  const { stdout } = await run("tar", { args: ["tzf", tarball()] });
  for (const path of stdout.trim().split("\n")) {
    const { stdout } = await run("tar", { args: ["xzOf", tarball(), path] });
    files.set(path.replace("package/", ""), stdout);
  }
}

function file(path: string): string {
  const text = files.get(path);
  assert.ok(text !== undefined, `${path} is missing`);
  return text;
}

function findAny(text: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (node.kind === ts.SyntaxKind.AnyKeyword) {
      found.push(node.parent.getText());
    }
    node.forEachChild(visit);
  };
  visit(ts.createSourceFile("a.ts", text, ts.ScriptTarget.ES2022, true));
  return found;
}

/** The names that a module exports, each with whether it is a value. */
function exportsOf(path: string): string[] {
  const program = ts.createProgram([path], {
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    allowImportingTsExtensions: true,
    noEmit: true,
    types: [],
  });
  const checker = program.getTypeChecker();
  const symbol = checker.getSymbolAtLocation(program.getSourceFile(path)!);
  return checker.getExportsOfModule(symbol!).map((exported) => {
    const target = exported.flags & ts.SymbolFlags.Alias
      ? checker.getAliasedSymbol(exported)
      : exported;
    const isValue = (target.flags & ts.SymbolFlags.Value) !== 0;
    return `${isValue ? "value" : "type"} ${exported.name}`;
  }).sort();
}
