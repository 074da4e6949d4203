#!/usr/bin/env node
/**
 * `locking`: runs a command while holding a lock, and tells who holds which.
 *
 * ```sh
 * deno run -A jsr:@x/locking/cli run nightly-report -- ./report.sh
 * ```
 *
 * This module is the program. It runs when it is imported, whatever imports it:
 * npm's bin is a link, and not every runtime can tell its main module by one.
 *
 * @module
 */
import { main } from "./cli/main.ts";

await main();
