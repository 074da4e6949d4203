/**
 * All that has to hold before a commit: `deno task ok`, the checks and then the
 * suite on every runtime.
 *
 * @module
 */
import { runChecks } from "./checks.ts";
import { conclude } from "./tally.ts";
import { runTests } from "./test.ts";

conclude([await runChecks(), ...await runTests(Deno.args)]);
