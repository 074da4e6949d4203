/**
 * The runtimes of the demo's workers: this Deno, and Bun and Node where they
 * are there or arrive from npm in a few seconds.
 *
 * As a program of its own it is the fetcher, which can be ended as a whole when
 * the network is slow.
 */
import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { ensureRuntimes } from "../scripts/runtimes.ts";
import type { RuntimeCommand } from "./demo_pool.ts";

const FETCHED = ["bun", "node24"] as const;
/** How long a first run waits for them. */
const PATIENCE_MS = 7_000;

let endFetcher = (): void => {};

/**
 * Finds the runtimes, and says what is fetched.
 *
 * @returns The runtimes, Deno first.
 */
export async function findRuntimes(): Promise<RuntimeCommand[]> {
  const found = await ensureRuntimes(["deno"]) as RuntimeCommand[];
  const self = fileURLToPath(import.meta.url);
  const fetcher = spawn(process.execPath, ["run", "-A", self], {
    stdio: ["ignore", "pipe", "inherit"],
    // A process group of its own, so that npm ends with it.
    detached: true,
  });
  endFetcher = () => endGroup(fetcher.pid);
  createInterface({ input: fetcher.stdout! }).on("line", (line) => {
    if (!line.startsWith("{")) console.log(line);
    else found.push(JSON.parse(line) as RuntimeCommand);
  });
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, PATIENCE_MS);
    fetcher.on("error", () => resolve());
    fetcher.on("close", () => {
      clearTimeout(timer);
      endFetcher = () => {};
      resolve();
    });
  });
  stopFetching();
  sayMissing(found);
  return found;
}

/** Ends a fetch that is still under way, with all that it has made. */
export function stopFetching(): void {
  endFetcher();
  endFetcher = () => {};
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It ended by itself in this moment.
  }
  for (const id of FETCHED) {
    const folder = new URL(`../.runtimes/${id}.${pid}`, import.meta.url);
    rmSync(folder, { recursive: true, force: true });
  }
}

function sayMissing(found: readonly RuntimeCommand[]): void {
  const missing = FETCHED.filter((id) => !found.some((r) => r.id === id));
  if (missing.length === 0) return;
  console.log(
    `runtimes: goes on without ${missing.join(" and ")}: not there within ` +
      `${PATIENCE_MS / 1000} s; "deno run -A scripts/runtimes.ts" fetches them`,
  );
}

async function fetchAll(): Promise<void> {
  await Promise.all(FETCHED.map(async (id) => {
    for (const runtime of await ensureRuntimes([id])) {
      console.log(JSON.stringify(runtime));
    }
  }));
}

if (import.meta.main) await fetchAll();
