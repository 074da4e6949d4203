/**
 * Chooses where `jsr:` packages come from: from JSR, or, where it cannot be
 * reached, from small stand-ins of our own.
 *
 * Only the documentation's examples and the build of the npm package need any.
 * The library and its tests have none, and so never need JSR.
 *
 * @module
 */
import config from "../deno.json" with { type: "json" };

const standIns: Record<string, string> = {
  "@deno/dnt": new URL("./stand_ins/deno_dnt.ts", import.meta.url).href,
  "@std/assert": new URL("./stand_ins/std_assert.ts", import.meta.url).href,
  "@std/fs": new URL("./stand_ins/std_fs.ts", import.meta.url).href,
};

/**
 * The arguments that let `deno check` and `deno test` resolve the imports that
 * `deno.json` declares; says aloud when stand-ins take over.
 *
 * @returns No arguments, or an import map.
 * @throws {Error} If JSR cannot be reached, and the variable
 * `LOCKING_NO_STAND_INS` is set.
 */
export async function importArguments(): Promise<string[]> {
  if (await canReachJsr()) return [];
  const names = Object.keys(standIns).join(", ");
  if (Deno.env.get("LOCKING_NO_STAND_INS")) {
    throw new Error(`JSR cannot be reached for ${names}`);
  }
  console.log(`JSR cannot be reached: stand-ins take the place of ${names}`);
  const map = JSON.stringify({ imports: { ...config.imports, ...standIns } });
  return [`--import-map=data:application/json,${encodeURIComponent(map)}`];
}

async function canReachJsr(): Promise<boolean> {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", `import "${config.imports["@std/assert"]}"`],
    stdout: "null",
    stderr: "null",
    signal: AbortSignal.timeout(20_000),
  }).output();
  return success;
}
