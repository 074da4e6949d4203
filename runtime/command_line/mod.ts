import { createDenoCommandLine } from "./deno.ts";
import { createNodeCommandLine } from "./node.ts";
import type { CommandLine } from "./types.ts";

/** The adapter of the runtime that this process runs on. */
export const commandLine: CommandLine = "Deno" in globalThis
  ? createDenoCommandLine()
  : createNodeCommandLine();
