// What a process that looks at many locks remembers of them. No server is asked.
import assert from "node:assert/strict";
import { it } from "node:test";
import { Observations } from "../backends/dynamo/observations.ts";
import { runtime } from "../runtime/mod.ts";

const TTL_MS = 1000;

it("a process that looks at 20,000 leases again and again tells the dead ones", () => {
  const { clock } = runtime;
  const { monotonic } = clock;
  const began = monotonic();
  let laterMs = 0;
  clock.monotonic = () => began + laterMs;
  try {
    const seen = new Observations();
    const look = (): void => {
      for (let i = 0; i < 20_000; i++) {
        seen.note(`job/${i}`, {
          lockid: { N: "1" },
          expiry: { N: "2" },
          ttlMs: null,
        });
      }
    };
    for (; laterMs <= TTL_MS; laterMs += TTL_MS / 4) look();
    assert.ok(seen.deadInMs("job/0", TTL_MS)! <= 0);
    assert.ok(seen.dead("job/19999", TTL_MS));
  } finally {
    clock.monotonic = monotonic;
  }
});
