import { createBunRuntime } from "./bun.ts";
import { createDenoRuntime } from "./deno.ts";
import { createNodeRuntime } from "./node.ts";
import type { Runtime } from "./types.ts";

/** The adapter of the runtime that this process runs on. */
export const runtime: Runtime = pickRuntime();

// Bun and Deno also have a `process`; Node has only that.
function pickRuntime(): Runtime {
  if ("Bun" in globalThis) return createBunRuntime();
  if ("Deno" in globalThis) return createDenoRuntime();
  return createNodeRuntime();
}
