import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { History, leaseKind, plainKind } from "./_histories.ts";
import { twoHeld, twoTenures } from "./_judged.ts";
import { checkHistory, type Violation } from "./check_history.ts";
import { formatVerdict } from "./format_verdict.ts";
import type { HistoryEvent } from "./history.ts";
import { aroundViolation, drawTimeline } from "./timeline.ts";

/** Elements of a kind: their attributes, and their tooltips. */
function find(
  svg: string,
  kind: string,
): { tip: string; x: number; y: number; width: number }[] {
  const [tag, ...classes] = kind.split(".");
  const pattern = new RegExp(
    `<${tag} class="${classes.join(" ")}"([^>]*)>(?:\\s*<title>([^<]*))?`,
    "g",
  );
  return [...svg.matchAll(pattern)].map(([, attributes = "", tip = ""]) => {
    const number = (name: string): number =>
      Number(attributes.match(` ${name}="([^"]*)"`)?.[1]);
    return { tip, x: number("x"), y: number("y"), width: number("width") };
  });
}

/** Fails unless every element is closed, in turn, and every `&` is escaped. */
function assertWellFormed(svg: string): void {
  const open: string[] = [];
  for (const [, slash, tag] of svg.matchAll(/<(\/?)([a-z]+)[^<>]*>/g)) {
    if (!slash) open.push(tag!);
    else assert.equal(open.pop(), tag);
  }
  assert.deepEqual(open, []);
  assert.equal(svg.replace(/<[^<>]*>|&#\d+;/g, "").match(/[<>&]/), null);
}

function violationsOf(history: History): readonly Violation[] {
  return checkHistory(history.events(), plainKind).violations;
}

describe("drawTimeline", () => {
  it("draws a wait and a tenure of each attempt, with what they are", () => {
    const svg = drawTimeline(twoTenures().history.events());
    assertWellFormed(svg);
    assert.deepEqual(find(svg, "rect.hold").map(({ tip }) => tip), [
      "1.1 #1 &#34;x&#34; holds token 7 from 0.0020 s for 98.00 ms",
      "2.1 #2 &#34;x&#34; holds token 8 from 0.1010 s for 99.00 ms",
    ]);
    assert.deepEqual(find(svg, "line.wait").map(({ tip }) => tip), [
      "1.1 #1 &#34;x&#34; waits from 0.0010 s for 1.00 ms",
      "2.1 #2 &#34;x&#34; waits from 0.0100 s for 91.00 ms",
    ]);
    assert.doesNotMatch(svg, /<script|href|url\(/);
    assert.match(svg, /prefers-color-scheme: dark/);
  });

  it("places what is later to the right, and as wide as it is long", () => {
    const svg = drawTimeline(twoTenures().history.events());
    const [a, b] = find(svg, "rect.hold");
    const scale = a!.width / 98;
    assert.ok(Math.abs(b!.width - 99 * scale) < 0.1);
    assert.ok(Math.abs(b!.x - a!.x - 99 * scale) < 0.1);
  });

  it("gives each slot of workers a row in each lock, and its waits lanes", () => {
    const history = new History();
    const hold = { asks: 1, gets: 2, releases: 100 };
    history.attempt({ ...hold, worker: "10.1", name: "b" });
    history.attempt({ ...hold, worker: "2.1", name: "b" });
    history.attempt({
      ...hold,
      worker: "2.2",
      asks: 101,
      gets: 102,
      name: "b",
    });
    history.attempt({ ...hold, worker: "2.1", name: "b" });
    history.attempt({ ...hold, worker: "2.1", name: "a" });
    const svg = drawTimeline(history.events());
    const order = find(svg, "rect.hold").map(({ tip, y }) => ({ tip, y }))
      .sort((a, b) => a.y - b.y)
      .map(({ tip }) => tip.replace(/ holds.*/, "").replaceAll("&#34;", "'"));
    assert.deepEqual(order, [
      ...["2.1 #5 'a'", "2.1 #2 'b'", "2.2 #3 'b'", "2.1 #4 'b'"],
      "10.1 #1 'b'",
    ]);
    const [two, next] = ["2.1 #2", "2.2 #3"].map((worker) =>
      find(svg, "rect.hold").find(({ tip }) => tip.startsWith(worker))
    );
    assert.equal(two!.y, next!.y, "of one slot, one after the other");
    const labels = [...svg.matchAll(/class="text"|>(\d+) (?:deno|node24)</g)]
      .map(([, slot]) => slot);
    assert.deepEqual(labels, ["2", "2", "10"]);
  });

  it("draws a worker's fault over its rows, and any other over all", () => {
    const { history } = twoTenures();
    const worker = "2.1";
    history.fault({ kind: "stop", worker, from: 20, until: 30, detail: "!" });
    const suspends = ["order"] as const;
    history.fault({
      kind: "cut",
      from: 40,
      until: 50,
      suspends,
      recoveryMs: 5,
    });
    history.pause("1.1", 60, 70);
    const svg = drawTimeline(history.events());
    assertWellFormed(svg);
    const [cut, stop] = find(svg, "rect.fault");
    const [first, second] = find(svg, "rect.hold");
    assert.equal(stop!.tip, "stop ! from 0.0200 s for 10.00 ms");
    assert.ok(stop!.y > first!.y && stop!.y <= second!.y);
    assert.match(cut!.tip, /^cut from 0\.0400 s for 10\.00 ms\nsuspends order/);
    assert.ok(cut!.y < first!.y);
    assert.equal(find(svg, "rect.recovery").length, 1);
    const [pause] = find(svg, "rect.pause");
    assert.equal(pause!.tip, "paused from 0.0600 s for 10.00 ms");
    assert.ok(pause!.y <= first!.y);
  });

  it("draws losses, deaths, refusals and writes", () => {
    const { history, a, b } = twoTenures({ releases: undefined!, lost: 90 });
    history.attempt({ worker: "3.1", asks: 5, refused: 6 });
    history.write(b, { at: 110, base: 4, found: 5 });
    history.write(a, { at: 80, accepted: false });
    history.exit("3.1", 101, 100);
    const svg = drawTimeline(history.events());
    assertWellFormed(svg);
    assert.match(
      find(svg, "path.lost")[0]!.tip,
      /is told of the loss at 0\.0900/,
    );
    assert.match(find(svg, "path.kill")[0]!.tip, /3\.1 is killed at 0\.1000 s/);
    assert.match(
      find(svg, "line.wait.refused")[0]!.tip,
      /is refused: LOCK_TIMEOUT/,
    );
    assert.deepEqual(find(svg, "line.write").map(({ tip }) => tip), [
      "the fenced store refuses a write at 0.0800 s: read 0, found 0",
      "the fenced store takes a write at 0.1100 s: read 4, found 5",
    ]);
  });

  it("marks a violation's events, and says what it is", () => {
    const { history } = twoHeld({}, { gets: 50 });
    const violations = violationsOf(history);
    const svg = drawTimeline(history.events(), { violations, title: "a run" });
    assertWellFormed(svg);
    assert.equal(find(svg, "rect.hold.bad").length, 2);
    assert.equal(find(svg, "rect.hold").length, 0);
    assert.deepEqual(
      find(svg, "path.mark").map(({ tip }) => tip.split("\n")[1]),
      ["grant at 0.0020 s", "grant at 0.0500 s", "release at 0.1000 s"],
    );
    assert.match(svg, />exclusion: 1\.1 and 2\.1 both hold/);
    assert.match(svg, />a run 0\.00–0\.20 s</);
  });

  it("draws what touches a window, and nothing else", () => {
    const { history } = twoHeld();
    history.attempt({ worker: "1.1", asks: 400, gets: 401, releases: 500 });
    history.attempt({ worker: "3.1", asks: 401, gets: 601, releases: 620 });
    history.pause("1.1", 450, 460);
    history.fault({ from: 450, until: 460, kind: "late" });
    const violations = [
      { rule: "left" as const, message: "elsewhere", events: history.events() },
    ].map((v) => ({ ...v, events: v.events.filter(({ at }) => at > 300) }));
    const window = { from: 90, until: 110 };
    const svg = drawTimeline(history.events(), { ...window, violations });
    assert.equal(find(svg, "rect.hold").length, 2);
    assert.doesNotMatch(svg, /elsewhere|late|paused|3 deno/);
    for (const { x, width } of find(svg, "rect.hold")) {
      assert.ok(x >= 0 && x + width <= 1200);
    }
  });

  it("shows half a second around a violation", () => {
    const [violation] = violationsOf(twoHeld({}, { gets: 50 }).history);
    assert.deepEqual(aroundViolation(violation!), { from: -498, until: 600 });
    assert.equal(aroundViolation({ ...violation!, events: [] }), null);
  });

  it("draws what has no end, any name, and an empty history", () => {
    const history = new History();
    const name = `<b a="&">\u0000\ud800`;
    history.attempt({ worker: "1.1", name, asks: 1, gets: 2 });
    history.fault({ from: 1, until: null, kind: "<cut>" });
    const endless = history.events().filter(({ type }) => type !== "exit");
    const svg = drawTimeline(endless);
    assertWellFormed(svg);
    assert.doesNotMatch(svg, /NaN|Infinity/);
    assertWellFormed(drawTimeline([]));
  });
});

describe("formatVerdict", () => {
  it("writes the numbers, and a violation with its events", () => {
    const { history } = twoTenures({}, { gets: 99, token: 6 });
    const at1000 = history.events()
      .map((event): HistoryEvent => ({ ...event, at: event.at + 1000 }));
    const verdict = checkHistory(at1000, leaseKind);
    const text = formatVerdict(verdict, 1000);
    assert.match(text, /^grants +2 of 2: 1 deno, 1 node24$/m);
    assert.match(text, /^violations +1 exclusion, 1 fencing$/m);
    assert.match(
      text,
      /^VIOLATION of exclusion: 1\.1 and 2\.1 both hold "x" for 1\.000 ms/m,
    );
    assert.match(text, /^ +0\.0020 s {2}grant +1\.1 #1 token=7$/m);
  });

  it("writes at most ten violations, and how many more there are", () => {
    const { history } = twoHeld();
    for (let i = 0; i < 12; i++) {
      history.add({ type: "left", at: 300, what: `file ${i}` });
    }
    const text = formatVerdict(checkHistory(history.events(), plainKind), 0);
    assert.equal(text.match(/^VIOLATION of left/gm)?.length, 10);
    assert.match(text, /\nand 2 more\n$/);
    assert.match(text, /^violations +12 left$/m);
  });

  it("writes the first violation of each rule before any second", () => {
    const { history } = twoHeld();
    for (let i = 0; i < 12; i++) {
      history.add({ type: "pause", at: 300, from: 299, worker: `3.${i}` });
      history.add({ type: "left", at: 300, what: `file ${i}` });
    }
    const unstarted = history.events().filter(({ type }) => type !== "start");
    const text = formatVerdict(checkHistory(unstarted, plainKind), 0);
    assert.match(text, /VIOLATION of well-formed[^]*?VIOLATION of left/);
  });
});
