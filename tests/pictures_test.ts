/** That the pictures of the documentation are those of the sources. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { drawDemo } from "../examples/demo_picture.ts";
import { drawPictures, folder } from "../scripts/pictures.ts";
import { drawSequence } from "../scripts/pictures/draw_sequence.ts";
import { constantOf, wordOf } from "../scripts/pictures/of_source.ts";
import {
  holds,
  killed,
  message,
  note,
  type Sequence,
  type Step,
} from "../scripts/pictures/sequence.ts";

const pictures = drawPictures();
const docs = new URL("../", folder);

/** A sequence of some steps. */
function sequenceOf(...steps: readonly Step[]): Sequence {
  const actor = { name: "a < b", detail: "" };
  const actors = { a: actor, keeper: actor, b: actor };
  return { title: "T & t", actors, parts: [{ title: "", steps }] };
}

/** Where the elements of a kind begin and how long they are. */
function barsOf(svg: string, kind: string): [number, number][] {
  const pattern = new RegExp(
    `<rect class="${kind}"[^>]* y="([\\d.]+)"[^>]* height="([\\d.]+)"`,
    "g",
  );
  return [...svg.matchAll(pattern)].map(([, y, height]) => [
    Number(y),
    Number(height),
  ]);
}

describe("docs/pictures", () => {
  for (const [file, text] of pictures) {
    it(`has ${file} as \`deno task pictures\` draws it`, () => {
      const found = readFileSync(new URL(file, folder), "utf8");
      assert.ok(found === text, `${file} is stale: deno task pictures`);
    });

    it(`has ${file} without scripts, and for light and dark`, () => {
      assert.doesNotMatch(text, /<script|href|url\(|@import/);
      assert.match(text, /prefers-color-scheme: dark/);
      assert.doesNotMatch(text, /NaN|undefined|Infinity/);
    });
  }

  it("has no picture that no page shows", () => {
    const pages = readdirSync(docs).filter((file) => file.endsWith(".md"))
      .map((file) => readFileSync(new URL(file, docs), "utf8")).join("");
    for (const file of readdirSync(folder)) {
      assert.match(
        pages,
        new RegExp(`!\\[[^\\]]{40,}\\]\\(pictures/${file}\\)`),
      );
    }
  });
});

describe("drawSequence", () => {
  it("draws a bar from where one holds the lock to where another does", () => {
    const svg = drawSequence(sequenceOf(
      message("a", "keeper", "take"),
      holds("keeper", "a"),
      message("a", "keeper", "give"),
      holds("keeper", "b"),
    ));
    const [[from, long] = [0, 0], ...more] = barsOf(svg, "by-a");
    assert.equal(more.length, 0);
    assert.ok(long > 0);
    assert.equal(barsOf(svg, "by-b")[0]?.[0], from + long);
    assert.match(svg, /<title>T &#38; t</);
    assert.match(svg, />a &#60; b</);
  });

  it("ends the line of whoever is killed", () => {
    const svg = drawSequence(sequenceOf(holds("a", "a"), killed("a")));
    const [[from, long] = [0, 0]] = barsOf(svg, "by-a");
    assert.match(svg, new RegExp(`class="life"[^>]* y2="${from + long}"`));
  });

  it("refuses a text that would not fit", () => {
    const long = "x".repeat(60);
    for (const step of [message("a", "b", long), note("b", long)]) {
      assert.throws(() => drawSequence(sequenceOf(step)), RangeError);
    }
  });

  it("takes from the sources what is there, and refuses what is not", () => {
    assert.ok(constantOf("backends/redis/place.ts", "REFRESH_MS") > 0);
    const gone = () => constantOf("backends/redis/place.ts", "GONE_MS");
    assert.throws(gone, RangeError);
    assert.throws(() => wordOf("mod.ts", "no such word"), RangeError);
  });
});

describe("drawDemo", () => {
  it("draws a bar for each run, and who takes a killed one over", () => {
    const run = { job: "job-01", runtime: "Deno 2.9.6", killed: false };
    const first = {
      ...run,
      worker: "w1",
      started: 10,
      ended: 60,
      killed: true,
    };
    const next = { ...run, worker: "w2", started: 62.5, ended: 110 };
    const svg = drawDemo({
      title: "a < b",
      runs: [first, { ...next, takenOverFrom: first }],
      waits: [{ worker: "w2", from: 20, until: 62.5 }],
    });
    assert.equal(svg.match(/<rect class="hold"/g)?.length, 2);
    assert.equal(svg.match(/<line class="wait"/g)?.length, 1);
    assert.match(svg, /killed: w2 takes job-01 over after 2\.5 ms/);
    assert.doesNotMatch(svg, /NaN|undefined|Infinity|a < b/);
  });
});
