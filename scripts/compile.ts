/**
 * Compiles TypeScript sources to JavaScript with `tsc`.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import ts from "typescript";

/** What to compile, and where to. */
export interface CompileOptions {
  /** The files; what they import is compiled along. */
  readonly files: readonly string[];
  /** The folder that `outDir` stands for. */
  readonly rootDir: string;
  /** Where the JavaScript goes. */
  readonly outDir: string;
  /** Whether types are checked, and written beside it. */
  readonly types: boolean;
}

const typeRoot = fileURLToPath(
  new URL("../node_modules/@types", import.meta.url),
);

/**
 * Compiles sources to modules for every runtime: `await using`, which Node 22
 * does not know, becomes what it stands for.
 *
 * @param options What to compile.
 * @throws {Error} If the sources do not compile; says why.
 */
export function compile(options: CompileOptions): void {
  const { files, rootDir, outDir, types } = options;
  const program = ts.createProgram([...files], {
    target: ts.ScriptTarget.ES2022,
    lib: [
      "lib.es2024.d.ts",
      "lib.dom.d.ts",
      "lib.esnext.disposable.d.ts",
      "lib.esnext.array.d.ts",
    ],
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    rewriteRelativeImportExtensions: true,
    strict: true,
    skipLibCheck: true,
    typeRoots: [typeRoot],
    types: ["deno", "node"],
    rootDir,
    outDir,
    declaration: types,
    noCheck: !types,
  });
  const { diagnostics } = program.emit();
  report([...ts.getPreEmitDiagnostics(program), ...diagnostics]);
}

/**
 * Fails if TypeScript found fault with anything.
 *
 * @param diagnostics What it found.
 * @throws {Error} If that is anything; lists it.
 */
export function report(diagnostics: readonly ts.Diagnostic[]): void {
  if (diagnostics.length === 0) return;
  throw new Error(ts.formatDiagnostics(diagnostics, {
    getCanonicalFileName: (path) => path,
    getCurrentDirectory: () => "",
    getNewLine: () => "\n",
  }));
}
