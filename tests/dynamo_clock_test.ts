/** What DynamoLock takes for the service's time, on clocks that tests set. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { TableClock } from "../backends/dynamo/table_clock.ts";
import { runtime } from "../runtime/mod.ts";
import type { Clock } from "../runtime/types.ts";

const TRUE_TIME = Date.parse("2026-01-01T00:00:00Z");
const HOUR = 3_600_000;

const { clock } = runtime as { clock: Clock };
const { monotonic, wall } = clock;
let passedMs = 0;
let wrongMs = 0;

beforeEach(() => {
  passedMs = wrongMs = 0;
  clock.monotonic = () => 500 + passedMs;
  clock.wall = () => TRUE_TIME + passedMs + wrongMs;
});

afterEach(() => {
  clock.monotonic = monotonic;
  clock.wall = wall;
});

/** A request that takes 20 ms, and is answered halfway, maybe with an old date. */
function ask(table: TableClock, date = true, staleMs = 0): void {
  const sentAt = { monotonic: clock.monotonic(), wall: clock.wall() };
  passedMs += 10;
  const header = new Date(TRUE_TIME + passedMs - staleMs).toUTCString();
  passedMs += 10;
  table.hear(date ? header : undefined, sentAt);
}

function errorMs(table: TableClock): number {
  return table.now() - (TRUE_TIME + passedMs);
}

describe("the service's time", () => {
  it("is not known before the first answer", () => {
    assert.equal(new TableClock().known, false);
  });

  for (const shift of [HOUR, -HOUR]) {
    it(`is right within a second where the host's clock is off by ${shift} ms`, () => {
      const table = new TableClock();
      wrongMs = shift;
      ask(table);
      assert.ok(table.known);
      assert.ok(Math.abs(errorMs(table)) <= 1000, `${errorMs(table)} ms`);
    });

    it(`does not jump when the host's clock is set by ${shift} ms`, () => {
      const table = new TableClock();
      ask(table);
      passedMs += 5000;
      wrongMs = shift;
      assert.ok(Math.abs(errorMs(table)) <= 1000, `${errorMs(table)} ms`);
      assert.equal(table.known, false, "it has to be asked for anew");
      ask(table);
      assert.ok(table.known);
      assert.ok(Math.abs(errorMs(table)) <= 1000, `${errorMs(table)} ms`);
    });
  }

  it("is the host's where its clock does not contradict the answers", () => {
    const table = new TableClock();
    for (let i = 0; i < 50; i++) {
      passedMs += 137;
      ask(table);
      assert.ok(Math.abs(errorMs(table)) <= 1, `${errorMs(table)} ms`);
    }
  });

  it("is the host's where answers do not tell", () => {
    const table = new TableClock();
    ask(table, false);
    assert.ok(table.known);
    assert.ok(Math.abs(errorMs(table)) <= 1);
  });

  it("is the host's where a server keeps its Date for another second", () => {
    const table = new TableClock();
    for (let i = 0; i < 50; i++) {
      passedMs += 137;
      ask(table, true, 1000);
      assert.ok(Math.abs(errorMs(table)) <= 1, `${errorMs(table)} ms`);
    }
  });
});
