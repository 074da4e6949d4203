/**
 * What can be said of the sources without running the suite: `deno task
 * checks`.
 *
 * @module
 */
import config from "../deno.json" with { type: "json" };
import { importArguments } from "./stand_ins.ts";
import { conclude, type Row } from "./tally.ts";

interface Check {
  readonly title: string;
  /** Arguments of `deno`. */
  readonly args: readonly string[];
}

/**
 * Runs the checks, and shows what the failing ones say.
 *
 * @returns One row, in which each check counts as one.
 */
export async function runChecks(): Promise<Row> {
  const started = performance.now();
  let passed = 0;
  const checks = listChecks(await importArguments());
  for (const check of checks) if (await passes(check)) passed++;
  const seconds = (performance.now() - started) / 1000;
  const failed = checks.length - passed;
  return { title: "checks", passed, failed, skipped: 0, seconds };
}

function listChecks(imports: readonly string[]): Check[] {
  const entryPoints = Object.values(config.exports);
  const documented = [
    ...["README.md", "docs", "mod.ts", "cli", "otel.ts", "otel"],
    ...["backends", "runtime"],
  ];
  const publish = ["publish", "--dry-run", "--allow-dirty"];
  return [
    { title: "fmt", args: ["fmt", "--check"] },
    { title: "lint", args: ["lint"] },
    { title: "types", args: ["check", ...imports, "."] },
    { title: "boundaries", args: ["run", "-A", "scripts/check_boundaries.ts"] },
    { title: "doc comments", args: ["doc", "--lint", ...entryPoints] },
    {
      title: "doc examples",
      args: ["test", "--doc", "-A", ...imports, ...documented],
    },
    { title: "publish --dry-run", args: publish },
  ];
}

async function passes({ title, args }: Check): Promise<boolean> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: new URL("..", import.meta.url),
    env: { DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" },
  }).output();
  console.log(`  ${success ? "ok" : "FAILED"}  ${title}: deno ${args[0]}`);
  if (!success) [stdout, stderr].forEach(show);
  return success;
}

function show(output: Uint8Array): void {
  const text = new TextDecoder().decode(output).trimEnd();
  if (text) console.log(text.replace(/^/gm, "      "));
}

if (import.meta.main) conclude([await runChecks()]);
