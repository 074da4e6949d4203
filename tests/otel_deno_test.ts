// What Deno's own OpenTelemetry exports of locks.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { Child } from "./_child.ts";
import { fixture } from "./_fixture.ts";
import { makeDirectory, removeDirectory } from "./_names.ts";
import { attributesOf, OtlpReceiver, type OtlpSpan } from "./_otlp_receiver.ts";
import { currentRuntime } from "./_runtimes.ts";
import { within } from "./_time.ts";

const SCOPE = "@x/locking";
const LOCK = { "lock.name": "job*", "lock.kind": "file" };

const skip = currentRuntime().id === "deno"
  ? false
  : "only Deno has OpenTelemetry built in";

describe("instrumentLocks() with OTEL_DENO", () => {
  const directory = makeDirectory();
  let receiver: OtlpReceiver;
  let spans: OtlpSpan[];
  let caller: OtlpSpan;
  before(async () => {
    if (skip) return;
    receiver = await OtlpReceiver.start();
    const { command } = currentRuntime();
    const child = new Child([...command, fixture("otel_deno.ts"), directory], {
      OTEL_DENO: "true",
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
    });
    // Deno exports what is left when the program ends.
    const { code } = await within(20_000, child.describe(), child.exited);
    assert.equal(code, 0, child.describe());
    spans = receiver.spans(SCOPE);
    caller = receiver.spans("fixture")[0]!;
  });
  after(async () => {
    await receiver?.end();
    removeDirectory(directory);
  });

  it("exports the spans of acquires, within the caller's", { skip }, () => {
    const [free, late] = spans.filter(({ name }) => name === "lock.acquire");
    assert.equal(free!.parentSpanId, caller.spanId);
    assert.deepEqual(attributesOf(free!), {
      ...LOCK,
      "lock.timeout_ms": 5000,
      "lock.contended": false,
      "lock.acquired": true,
    });
    assert.equal(late!.parentSpanId, caller.spanId);
    assert.deepEqual(attributesOf(late!), {
      ...LOCK,
      "lock.timeout_ms": 1,
      "lock.contended": true,
      "lock.acquired": false,
      "error.type": "LOCK_TIMEOUT",
    });
    assert.deepEqual(late!.events.map(({ name }) => name), ["exception"]);
    assert.equal(late!.status.code, 2);
  });

  it("exports the spans of releases and losses", { skip }, () => {
    const release = spans.find(({ name }) => name === "lock.release")!;
    assert.equal(release.parentSpanId, caller.spanId);
    assert.deepEqual(attributesOf(release), LOCK);
    const lost = spans.find(({ name }) => name === "lock.lost")!;
    const acquire = spans.findLast(({ name }) => name === "lock.acquire")!;
    assert.equal(lost.parentSpanId, "");
    assert.deepEqual(lost.links.map(({ spanId }) => spanId), [acquire.spanId]);
    const attributes = attributesOf(lost);
    assert.deepEqual(attributes, { ...LOCK, "error.type": "LOCK_LOST" });
    assert.equal(lost.status.code, 2);
  });

  it("exports the metrics", { skip }, () => {
    const wait = { ...LOCK, "lock.contended": false };
    assertPoints("locking.wait.duration", [
      [2, { ...wait, "lock.outcome": "acquired" }],
      [1, { ...LOCK, "lock.contended": true, "lock.outcome": "LOCK_TIMEOUT" }],
    ]);
    assertPoints("locking.hold.duration", [
      [1, { ...LOCK, "lock.outcome": "lost" }],
      [1, { ...LOCK, "lock.outcome": "released" }],
    ]);
    assertPoints("locking.contentions", [[1, LOCK]]);
    assertPoints("locking.losses", [[1, LOCK]]);
    assertPoints("locking.held", [[0, LOCK]]);
  });

  // In whichever order they come.
  function assertPoints(
    name: string,
    expected: [count: number, attributes: object][],
  ): void {
    const points = receiver.points(SCOPE, name).map((point) => [
      point.asDouble ?? Number(point.count),
      attributesOf(point),
    ]);
    assert.equal(points.length, expected.length, name);
    for (const one of expected) {
      const found = points.some((point) => isDeepStrictEqual(point, one));
      assert.ok(found, `${name}: ${JSON.stringify(points)}`);
    }
  }
});
