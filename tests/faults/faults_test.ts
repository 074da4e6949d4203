/** The short form of the fault suite: see main.ts for the long one. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { noDynalite } from "../_dynamo.ts";
import { makeDirectory, removeDirectory } from "../_names.ts";
import { noFiles, noSockets } from "../_platform.ts";
import { noRedis } from "../_redis.ts";
import { currentRuntime, testRuntimes } from "../_runtimes.ts";
import { runAndJudge } from "./run_and_judge.ts";
import type { LockKind } from "./run_faults.ts";

// Its workers are of all runtimes, whichever one runs the test.
const here = currentRuntime().id;
const enough = ["deno", "node-24"].includes(here)
  ? false
  : "workers of all runtimes are started by Deno's and Node 24's runs";

// The same faults each time: CI is to be repeatable.
const seed = here === "deno" ? 1 : 2;

const missing: Record<LockKind, string | false> = {
  socket: noSockets(),
  file: noFiles(),
  redis: noRedis(),
  quorum: noRedis(),
  dynamo: noDynalite(),
};

describe("under faults of its processes, hosts, networks and servers", () => {
  for (const [lock, reason] of Object.entries(missing)) {
    it(`a ${lock} lock keeps its promises`, {
      skip: reason || enough,
    }, async () => {
      const out = makeDirectory();
      try {
        const { ok, text } = await runAndJudge({
          lock: lock as LockKind,
          seed,
          seconds: 6,
          runtimes: testRuntimes(),
          slots: 5,
          tasks: 2,
          names: 2,
          out,
        });
        assert.ok(ok, `seed ${seed}\n${text}`);
      } finally {
        removeDirectory(out);
      }
    });
  }
});
