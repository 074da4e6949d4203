import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { History } from "./_histories.ts";
import type { HistoryEvent } from "./history.ts";
import { readHistory } from "./read_history.ts";

const left = (at: number, what: string): string =>
  JSON.stringify({ type: "left", at, what });

async function read(...texts: readonly string[]): Promise<HistoryEvent[]> {
  const folder = await mkdtemp(join(tmpdir(), "history-"));
  try {
    const paths = texts.map((_, i) => join(folder, `${i}.jsonl`));
    await Promise.all(paths.map((path, i) => writeFile(path, texts[i]!)));
    return await readHistory(paths);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function whats(events: readonly HistoryEvent[]): string[] {
  return events.map((event) => event.type === "left" ? event.what : "");
}

describe("readHistory", () => {
  it("reads every event as it was written", async () => {
    const history = new History();
    const tenure = history.attempt({
      ...{ worker: "1.1", asks: 1, gets: 2, token: 7, held: 3, lost: 4 },
      ...{ releases: 5 },
    });
    history.attempt({ worker: "2.1", asks: 1, refused: 2 });
    history.write(tenure, { at: 3 });
    history.pause("1.1", 1, 3);
    history.fault({ from: 2, until: 3, worker: "1.1", detail: "much" });
    history.exit("2.1", 10, 9);
    history.add({ type: "left", at: 20, what: "a file" });
    const events = history.events();
    const lines = events.map((event) => JSON.stringify(event));
    const found = await read(lines.join("\n") + "\n");
    assert.deepEqual(found, [...events].sort((a, b) => a.at - b.at));
    assert.equal(new Set(found.map(({ type }) => type)).size, 13);
  });

  it("sorts by time, and keeps the order of what has the same", async () => {
    const first = [left(2, "c"), left(1, "a"), left(2, "d")].join("\n");
    const second = [left(2, "e"), left(1, "b")].join("\n");
    const events = await read(first + "\n", second + "\n");
    assert.deepEqual(whats(events), ["a", "b", "c", "d", "e"]);
  });

  it("leaves a last line out that is torn, in each file", async () => {
    for (let length = 1; length < left(9, "é").length; length++) {
      const torn = left(1, "a") + "\n" + left(9, "é").slice(0, length);
      assert.deepEqual(whats(await read(torn, left(2, "b"))), ["a", "b"]);
    }
  });

  it("reads an empty file, and a last line that lacks but its end", async () => {
    assert.deepEqual(await read(""), []);
    assert.deepEqual(whats(await read(left(1, "a"))), ["a"]);
  });

  it("names file and line of one that is torn in the middle", async () => {
    const text = [left(1, "a"), left(2, "b").slice(0, 9), left(3, "c"), ""];
    const message = /Cannot read .*1\.jsonl:2: no whole JSON/;
    await assert.rejects(read("", text.join("\n")), message);
    await assert.rejects(read("", text.slice(0, 2).join("\n") + "\n"), message);
  });

  const bad = {
    "not an object": `[1]`,
    "no time": `{"type":"left","what":"a"}`,
    'no such event: "rest"': `{"type":"rest","at":1}`,
    'no such event: "toString"': `{"type":"toString","at":1}`,
    '"what" of "left" is number': `{"type":"left","at":1,"what":1}`,
    '"token" of "grant" is undefined':
      `{"type":"grant","at":1,"worker":"1.1","id":1}`,
    '"killedAt" of "exit" is null':
      `{"type":"exit","at":1,"worker":"1","code":0,"signal":null,"killedAt":null}`,
  };
  for (const [why, line] of Object.entries(bad)) {
    it(`rejects a line: ${why}, even the last`, async () => {
      await assert.rejects(read(line), (error: Error) => {
        assert.ok(error instanceof SyntaxError);
        assert.ok(error.message.endsWith(`0.jsonl:1: ${why}`), error.message);
        return true;
      });
    });
  }
});
