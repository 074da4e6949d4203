// The judge of the fault suite is judged: who waited for what how long.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { leaseKind, plainKind } from "./_histories.ts";
import { finds, twoHeld } from "./_judged.ts";
import type { Promised } from "./history.ts";

const shortWait: Promised = { ...plainKind, longestWaitMs: 91 };
const shortIdle: Promised = { ...plainKind, longestIdleMs: 50 };
const suspends = ["progress"] as const;

describe("checkHistory: waits", () => {
  it("finds an attempt that is never settled", () => {
    const { history, b } = twoHeld({}, {
      gets: undefined!,
      releases: undefined!,
    });
    finds(history, plainKind, { rule: "progress", events: [b.invoke] });
  });

  it("lets an attempt be open when its worker is killed", () => {
    const { history } = twoHeld({}, { gets: undefined!, releases: undefined! });
    history.exit("2.1", 120, 110);
    finds(history, plainKind);
  });

  it("finds a wait that is too long, for a grant, a refusal or a death", () => {
    const granted = twoHeld({}, { asks: 9 });
    const { invoke, grant } = granted.b;
    const events = [invoke, grant];
    finds(granted.history, shortWait, { rule: "progress", events });
    const never = { gets: undefined!, releases: undefined! };
    const refused = twoHeld({}, { ...never, refused: 102 });
    finds(
      refused.history,
      shortWait,
      { rule: "progress", events: [refused.b.invoke, refused.b.refuse] },
    );
    const killed = twoHeld({}, never);
    killed.history.exit("2.1", 120, 102);
    finds(
      killed.history,
      shortWait,
      { rule: "progress", events: [killed.b.invoke] },
    );
  });

  it("lets a wait be as long as it may, and says how long it was", () => {
    assert.equal(finds(twoHeld().history, shortWait).longestWaitMs, 91);
  });

  it("counts no longer than until a death", () => {
    const never = { gets: undefined!, releases: undefined! };
    const { history } = twoHeld({}, never);
    history.exit("2.1", 190, 101);
    assert.equal(finds(history, shortWait).longestWaitMs, 91);
  });

  it("does not count what is suspended or paused, nor that twice", () => {
    const { history, b } = twoHeld({}, { asks: 5 });
    history.fault({ suspends, from: 50, until: 51, recoveryMs: 2 });
    history.pause("2.1", 52, 54.5);
    const events = [b.invoke, b.grant];
    finds(history, shortWait, { rule: "progress", events });
    history.pause("2.1", 60, 60.5);
    finds(history, shortWait);
  });

  it("counts other faults, and pauses of other workers", () => {
    const { history, b } = twoHeld({}, { asks: 9 });
    history.fault({ suspends: ["order"], from: 50, until: 70 });
    history.pause("1.1", 50, 70);
    const events = [b.invoke, b.grant];
    finds(history, shortWait, { rule: "progress", events });
  });
});

describe("checkHistory: idle locks", () => {
  it("finds a lock that stays free while somebody waits", () => {
    const { history, a, b } = twoHeld({}, { gets: 151 });
    const events = [a.released, b.invoke, b.grant];
    finds(history, shortIdle, { rule: "progress", events });
  });

  it("lets a lock be free for a moment, and says for how long it was", () => {
    const { history } = twoHeld({}, { gets: 150 });
    assert.equal(finds(history, shortIdle).longestIdleMs, 49.5);
  });

  it("lets a lock be free that nobody waits for", () => {
    finds(twoHeld({}, { asks: 1_000, gets: 1_001, releases: 1_002 }).history, {
      ...shortIdle,
    });
  });

  it("counts from when the release has settled, or the holder is gone", () => {
    finds(twoHeld({ released: 150 }, { gets: 199 }).history, shortIdle);
    const killed = twoHeld({ releases: undefined! }, { gets: 151 });
    const exit = killed.history.exit("1.1", 110, 100);
    const events = [exit, killed.b.invoke, killed.b.grant];
    finds(killed.history, shortIdle, { rule: "progress", events });
  });

  it("finds a stuck lock before the first grant, and after the last", () => {
    const first = twoHeld({ gets: 60 });
    const { invoke, grant } = first.a;
    finds(
      first.history,
      shortIdle,
      { rule: "progress", events: [invoke, grant] },
    );
    const last = twoHeld(
      ...[{}, { gets: undefined!, releases: undefined!, refused: 190 }],
    );
    finds(
      last.history,
      shortIdle,
      { rule: "progress", events: [last.a.released, last.b.invoke] },
    );
  });

  it("counts no longer than until the waiter gives up", () => {
    const { history } = twoHeld({}, { name: "x", asks: 185, gets: 190 });
    history.attempt({ worker: "3.1", asks: 5, refused: 150 });
    finds(history, shortIdle);
  });

  it("names the one that waits for longest", () => {
    const { history, a, b } = twoHeld({}, { gets: 180 });
    history.attempt({ worker: "3.1", asks: 20, gets: 201, releases: 202 });
    history.pause("3.1", 105, 110);
    const quick = { worker: "4.1", asks: 5, refused: 155 };
    history.attempt(quick);
    history.pause("2.1", 101, 102);
    const events = [a.released, b.invoke, b.grant];
    const relaxed = { ...shortIdle, fifo: false };
    finds(history, relaxed, { rule: "progress", events });
  });

  it("takes a lock for held while any of two that overlap holds it", () => {
    const { history } = twoHeld({ token: 7, releases: 400 }, { token: 8 });
    history.fault({ from: 50, until: 60, suspends: ["exclusion"] });
    history.attempt({
      ...{ worker: "3.1", asks: 150, gets: 401, token: 9, releases: 402 },
    });
    finds(history, { ...leaseKind, longestIdleMs: 50 });
  });

  it("counts none that does not wait", () => {
    finds(twoHeld({}, { gets: 190, waits: false }).history, shortIdle);
  });

  it("does not count what is suspended or paused", () => {
    const { history, a, b } = twoHeld({}, { gets: 180 });
    history.fault({ suspends, from: 90, until: 105, recoveryMs: 5 });
    history.pause("2.1", 150, 169);
    const events = [a.released, b.invoke, b.grant];
    finds(history, shortIdle, { rule: "progress", events });
    history.pause("2.1", 170, 171);
    finds(history, shortIdle);
  });

  it("lets a lock be free while all that wait are paused in turn", () => {
    const { history, a } = twoHeld({}, { gets: 180 });
    history.pause("2.1", 100, 180);
    finds(history, shortIdle);
    const c = history.attempt({
      ...{ worker: "3.1", asks: 110, gets: 202, releases: 203 },
    });
    const b = history.events().find((e) => e.type === "grant" && e.at === 180)!;
    const events = [a.released, c.invoke, b];
    finds(history, shortIdle, { rule: "progress", events });
  });
});
