/**
 * Runs a script that imports `jsr:` packages, with stand-ins for them where JSR
 * cannot be reached: `deno run -A scripts/with_imports.ts SCRIPT [ARG…]`.
 *
 * @module
 */
import { importArguments } from "./stand_ins.ts";

const { code } = await new Deno.Command(Deno.execPath(), {
  args: ["run", "-A", ...await importArguments(), ...Deno.args],
}).spawn().status;
Deno.exit(code);
