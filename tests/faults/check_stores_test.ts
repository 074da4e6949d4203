// The judge of the fault suite is judged: fencing tokens, what they protect,
// how workers end and what they leave behind.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { leaseKind, plainKind } from "./_histories.ts";
import { finds, twoHeld, twoTenures } from "./_judged.ts";

describe("checkHistory: fencing tokens", () => {
  it("finds a grant without a token where the lock has them", () => {
    const { history, a, b } = twoHeld({}, { token: 8 });
    finds(history, leaseKind, { rule: "fencing", events: [a.grant] });
    finds(history, plainKind, { rule: "fencing", events: [b.grant] });
  });

  it("finds a token that is no number", () => {
    const { history, b } = twoTenures({}, { token: NaN });
    finds(history, leaseKind, { rule: "fencing", events: [b.grant] });
  });

  it("finds a token that is there twice, but not for two names", () => {
    const { history, a, b } = twoTenures({}, { token: 7 });
    finds(history, leaseKind, { rule: "fencing", events: [a.grant, b.grant] });
    finds(twoTenures({}, { token: 7, name: "y" }).history, leaseKind);
  });

  it("finds a token less than that of a grant before the invoke", () => {
    const { history, a, b } = twoTenures({ token: 10 }, { token: 9 });
    const events = [a.grant, b.invoke, b.grant];
    finds(history, leaseKind, { rule: "fencing", events });
  });

  it("finds it behind a grant that is between", () => {
    const { history, a } = twoTenures({ token: 10 }, { asks: 1, token: 9 });
    const c = history.attempt({
      ...{ worker: "3.1", asks: 202, gets: 203, token: 5, releases: 204 },
    });
    const events = [a.grant, c.invoke, c.grant];
    finds(history, leaseKind, { rule: "fencing", events });
  });

  it("lets tokens of two that asked before any grant be in any order", () => {
    finds(twoTenures({ token: 10 }, { asks: 2, token: 9 }).history, leaseKind);
  });
});

describe("checkHistory: writes to the stores", () => {
  it("finds a stale write that the fenced store takes", () => {
    const { history, a, b } = twoTenures();
    const good = history.write(b, { at: 110 });
    const bad = history.write(a, { at: 120 });
    finds(history, leaseKind, { rule: "stores", events: [good, bad] });
  });

  it("counts a stale write that it refuses, or that the plain store takes", () => {
    const { history, a, b } = twoTenures();
    history.write(a, { at: 50 });
    history.write(b, { at: 110 });
    history.write(b, { at: 111, store: "plain" });
    history.write(a, { at: 120, accepted: false, found: 3 });
    history.write(a, { at: 121, store: "plain" });
    const { fencedWrites, plainWrites } = finds(history, leaseKind);
    assert.deepEqual(fencedWrites, { accepted: 2, stale: 1, lostUpdates: 0 });
    assert.deepEqual(plainWrites, { accepted: 2, stale: 0, lostUpdates: 0 });
  });

  it("finds a lost update, in either store", () => {
    const { history, a, b } = twoTenures();
    const before = history.write(a, { at: 50 });
    const fenced = history.write(b, { at: 110, base: 0, found: 1 });
    const other = { store: "plain", base: 2 } as const;
    const plain = history.write(b, { at: 111, ...other, found: 3 });
    finds(
      history,
      leaseKind,
      { rule: "stores", events: [before, fenced] },
      { rule: "stores", events: [plain] },
    );
  });

  it("lets a tenure write twice", () => {
    const { history, a } = twoTenures();
    history.write(a, { at: 50 });
    history.write(a, { at: 60, base: 1, found: 1 });
    finds(history, leaseKind);
  });

  it("finds an update lost in an overlap that is not excused", () => {
    const { history, a, b } = twoHeld({}, { gets: 50 });
    const before = history.write(b, { at: 60, store: "plain" });
    const lost = history.write(a, { ...before, ...a, at: 70, found: 1 });
    finds(
      history,
      plainKind,
      { rule: "exclusion", events: [a.grant, b.grant, a.release] },
      { rule: "stores", events: [before, lost] },
    );
  });

  it("excuses an update lost in an overlap that is excused", () => {
    const { history, a, b } = twoTenures({ releases: undefined!, lost: 190 });
    history.pause("1.1", 90, 189);
    history.write(b, { at: 110, store: "plain" });
    history.write(a, { at: 189.5, store: "plain", base: 0, found: 1 });
    history.write(b, { at: 191, store: "plain", base: 1, found: 2 });
    const { plainWrites } = finds(history, leaseKind);
    assert.equal(plainWrites.lostUpdates, 2);
  });

  it("excuses what a killed worker has sent and comes late, both ways", () => {
    const { history, a, b } = twoHeld({ releases: undefined! });
    history.exit("1.1", 100.5, 100);
    history.write(a, { at: 102, store: "plain", base: 0, found: 0 });
    history.write(b, { at: 103, store: "plain", base: 0, found: 1 });
    history.write(a, { at: 104, store: "plain", base: 1, found: 2 });
    assert.equal(finds(history, plainKind).lateWrites, 2);
  });

  it("excuses nothing that was written before the worker was killed", () => {
    const { history, a, b } = twoHeld({ releases: undefined! });
    history.exit("1.1", 100.5, 100);
    const first = history.write(a, { at: 99, store: "plain" });
    const lost = { store: "plain", base: 0, found: 1 } as const;
    const second = history.write(b, { at: 103, ...lost });
    finds(history, plainKind, { rule: "stores", events: [first, second] });
  });
});

describe("checkHistory: how workers end", () => {
  it("finds a worker that ends with a code, by a signal, or not at all", () => {
    const { history } = twoHeld();
    const exit = { type: "exit", at: 300, code: 1, signal: null } as const;
    const failed = { ...exit, worker: "1.1" };
    const ended = { ...exit, worker: "2.1", code: 0, signal: "SIGTERM" };
    const open = history.events().filter(({ type }) => type !== "exit");
    const [start] = open;
    finds(
      [...open, failed, ended],
      plainKind,
      { rule: "exits", events: [failed] },
      { rule: "exits", events: [ended] },
    );
    const well = { ...exit, worker: "2.1", code: 0 };
    finds([...open, well], plainKind, { rule: "exits", events: [start!] });
  });

  it("finds a worker that ends twice", () => {
    const { history } = twoHeld();
    const exits = [history.exit("1.1", 300), history.exit("1.1", 301)];
    finds(history, plainKind, { rule: "exits", events: exits });
  });

  it("finds a worker that was killed and ended otherwise", () => {
    const { history } = twoHeld();
    const exit = { type: "exit", code: 0, signal: null } as const;
    const killed = { ...exit, at: 300, worker: "1.1", killedAt: 290 };
    const events = history.events()
      .filter((e) => e.type !== "exit" || e.worker !== "1.1");
    finds([...events, killed], plainKind, { rule: "exits", events: [killed] });
  });
});

describe("checkHistory: what is left", () => {
  it("finds what is left after the end", () => {
    const { history } = twoHeld();
    const left = history.add({ type: "left", at: 300, what: "a key" });
    finds(history, plainKind, { rule: "left", events: [left] });
  });

  it("lists a hundred of a rule, and counts the others", () => {
    const { history } = twoHeld();
    const lefts = Array.from({ length: 150 }, (_, i) => {
      return history.add({ type: "left", at: 300, what: `key ${i}` });
    });
    const listed = lefts.slice(0, 100)
      .map((left) => ({ rule: "left" as const, events: [left] }));
    const { violations } = finds(history, plainKind, ...listed);
    assert.deepEqual(violations, { left: 150 });
  });

  it("finds a lock that its worker never released", () => {
    const { history, b } = twoHeld({}, { releases: undefined! });
    const exit = history.exit("2.1", 300);
    finds(history, plainKind, { rule: "left", events: [b.grant, exit] });
  });

  it("finds a release that never settled", () => {
    const { history, b } = twoHeld({}, { released: null });
    const exit = history.exit("2.1", 300);
    const events = [b.grant, b.release, exit];
    finds(history, plainKind, { rule: "left", events });
  });

  it("lets locks be that were lost, or whose worker was killed", () => {
    const { history } = twoTenures(
      ...[{ releases: undefined!, lost: 90 }, { releases: undefined! }],
    );
    history.exit("2.1", 300, 299);
    finds(history, leaseKind);
  });
});

describe("checkHistory: numbers", () => {
  it("counts what was in a history", () => {
    const { history } = twoTenures({ releases: undefined!, lost: 90 });
    history.attempt({ worker: "1.1", asks: 5, refused: 6, code: "HELD" });
    history.fault({ from: 5, until: 6 });
    history.fault({ from: 7, until: 8, kind: "kill", worker: "3.1" });
    history.exit("3.1", 9, 7);
    assert.deepEqual(finds(history, leaseKind), {
      durationMs: 201.5,
      calmMs: 201.5,
      events: 19,
      attempts: 3,
      grants: 2,
      grantsByRuntime: { deno: 1, node24: 1 },
      refusals: { HELD: 1 },
      failedReleases: {},
      fencedWrites: { accepted: 0, stale: 0, lostUpdates: 0 },
      plainWrites: { accepted: 0, stale: 0, lostUpdates: 0 },
      lateWrites: 0,
      longestWaitMs: 91,
      longestWaitInAllMs: 91,
      longestIdleMs: 11,
      tenuresLost: 1,
      excusedOverlaps: 0,
      misorders: 0,
      faults: { flush: 1, kill: 1 },
      exits: { "code 0": 2, killed: 1 },
      violations: {},
    });
  });
});
