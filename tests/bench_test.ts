/** That what `deno task bench` says of measurements is so, and that it runs. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { putInto } from "../bench/harness/page.ts";
import { drawPlot } from "../bench/harness/plot.ts";
import { boundOf, resultOf, tableOf } from "../bench/harness/result.ts";
import { spreadOf } from "../bench/harness/statistics.ts";
import { Child } from "./_child.ts";
import { noProgram } from "./_platform.ts";
import { currentRuntime } from "./_runtimes.ts";
import { within } from "./_time.ts";

const root = fileURLToPath(new URL("../", import.meta.url));

const measured = {
  scenario: "SocketLock",
  runtime: "deno",
  unit: "µs",
  ours: 12,
  against: "C",
  other: 4,
};

describe("the benchmark", () => {
  it("tells the middle of many numbers, and what half of them lie between", () => {
    assert.deepEqual(spreadOf([5, 1, 4, 2, 3]), { median: 3, low: 2, high: 4 });
    assert.deepEqual(spreadOf([1, 2]), { median: 1.5, low: 1.25, high: 1.75 });
    assert.ok(Number.isNaN(spreadOf([]).median));
  });

  it("judges the ratio of the pairs, and not that of the middles", () => {
    const bar = { is: "at most", value: 3 } as const;
    assert.equal(resultOf({ ...measured, bar }).holds, true);
    const ratio = { median: 3.01, low: 2, high: 4 };
    const result = resultOf({ ...measured, ratio, bar });
    assert.equal(result.holds, false);
    assert.deepEqual(result.spread, [2, 4]);
  });

  it("knows a least from a most", () => {
    const most = { is: "at most", value: 4 } as const;
    const least = { is: "at least", value: 4 } as const;
    assert.equal(resultOf({ ...measured, bar: most }).holds, true);
    assert.equal(resultOf({ ...measured, bar: least }).holds, false);
    assert.equal(boundOf({ ...measured, other: 12 }).holds, true);
    assert.equal(boundOf({ ...measured, other: 11.9 }).holds, false);
  });

  it("says whether a line compares with a peer or with a limit", () => {
    assert.equal(resultOf(measured).limit, 4);
    assert.equal(resultOf({ ...measured, isPeer: true }).peer, 4);
  });

  it("shows what is missed", () => {
    const bar = { is: "at most", value: 2 } as const;
    assert.match(tableOf([resultOf({ ...measured, bar })]), /≤ 2 +MISSED$/);
  });

  it("puts a table and plots between the marks of a page, again and again", () => {
    const curve = { plot: "p", title: "T", x: "waiters", y: "µs", series: "a" };
    const curves = [{ ...curve, points: [[1, 2], [1000, 3]] as const }];
    const results = [resultOf(measured)];
    const made = { results, curves, machine: "A machine." };
    const page =
      "# P\n\n<!-- measured: deno task bench -->\n<!-- /measured -->\n\nEnd\n";
    const once = putInto(page, made);
    assert.match(
      once.page,
      /^# P\n[^]*\| SocketLock \|[^]*performance\/p\.svg/,
    );
    assert.match(once.page, /End\n$/);
    assert.equal(putInto(once.page, made).page, once.page);
    assert.deepEqual([...once.plots.keys()], ["p"]);
    assert.throws(() => putInto("# P\n", made), RangeError);
  });

  it("draws lines whose points lie in the picture", () => {
    const points = [[1, 0.5], [10, 70], [1000, 9000]] as const;
    const curve = { plot: "p", title: "a < b", x: "n", y: "µs", series: "s" };
    const svg = drawPlot([{ ...curve, points }]);
    assert.ok(svg.includes("a &#60; b"));
    const centres = [...svg.matchAll(/cx="([\d.]+)" cy="([\d.]+)"/g)];
    assert.equal(centres.length, 3);
    for (const [, x, y] of centres) {
      assert.ok(Number(x) > 0 && Number(x) < 720, `x ${x}`);
      assert.ok(Number(y) > 0 && Number(y) < 360, `y ${y}`);
    }
  });

  it(
    "measures a lock beside system calls",
    { skip: noProgram("cc", "--version") || currentRuntime().id !== "deno" },
    async () => {
      const out = mkdtempSync(join(tmpdir(), "locking-bench-"));
      try {
        const child = new Child([
          ...currentRuntime().command,
          `${root}bench/main.ts`,
          ...["--quick", "--on=deno", "--only=uncontended/socket"],
          `--out=${out}`,
        ]);
        const { code } = await within(60_000, "the run", child.exited);
        assert.equal(code, 0, child.describe());
        const text = readFileSync(`${out}/results.json`, "utf8");
        const [line] = JSON.parse(text);
        assert.equal(line.scenario, "SocketLock, uncontended");
        assert.ok(line.ours > line.limit, text);
      } finally {
        rmSync(out, { recursive: true, force: true });
      }
    },
  );
});
