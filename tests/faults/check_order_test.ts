// The judge of the fault suite is judged: who was served in which order.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { History, plainKind, type Told } from "./_histories.ts";
import { finds } from "./_judged.ts";

/** One holds; the first and the second wait, and the second is granted first. */
function overtaking(first: object = {}, second: object = {}) {
  const history = new History();
  history.attempt({ worker: "1.1", asks: 1, gets: 2, releases: 100 });
  const a = history.attempt({
    ...{ worker: "2.1", asks: 10, gets: 201, releases: 300, ...first },
  });
  const b = history.attempt({
    ...{ worker: "3.1", asks: 50, gets: 101, releases: 200, ...second },
  });
  return { history, a, b };
}

function overtaken({ a, b }: { a: Told; b: Told }) {
  const events = [a.invoke, b.invoke, b.grant, a.grant ?? a.refuse]
    .filter((event) => event !== undefined);
  return { rule: "order" as const, events };
}

const refused = { gets: undefined, releases: undefined };

describe("checkHistory: order within a worker", () => {
  it("finds an attempt that is granted before an earlier one", () => {
    const { history, a, b } = overtaking({ worker: "3.1" });
    const events = [a.invoke, b.invoke, b.grant, a.grant];
    finds(history, plainKind, { rule: "order", events });
  });

  it("finds an attempt that is granted while an earlier one waits for ever", () => {
    const { history, a, b } = overtaking({ ...refused, worker: "3.1" });
    history.exit("3.1", 220, 210);
    const events = [a.invoke, b.invoke, b.grant];
    finds(history, plainKind, { rule: "order", events });
  });

  it("finds an attempt that is granted while an earlier one is refused later", () => {
    const { history, a, b } = overtaking(
      { ...refused, worker: "3.1", refused: 112 },
    );
    const events = [a.invoke, b.invoke, b.grant, a.refuse];
    finds(history, plainKind, { rule: "order", events });
  });

  it("skips attempts that are refused by then, or do not wait", () => {
    const no = { worker: "3.1", ...refused, refused: 111 };
    finds(overtaking(no).history, plainKind);
    finds(overtaking({ worker: "3.1" }, { waits: false }).history, plainKind);
    finds(overtaking({ worker: "3.1" }, { name: "y" }).history, plainKind);
  });
});

describe("checkHistory: order between workers", () => {
  it("finds a worker that is granted before one that came earlier", () => {
    const found = overtaking();
    finds(found.history, plainKind, overtaken(found));
    finds(found.history, { ...plainKind, fifo: false });
  });

  it("allows for the time that a request takes", () => {
    finds(overtaking({ asks: 40 }).history, plainKind);
    const found = overtaking({ asks: 39.9 });
    finds(found.history, plainKind, overtaken(found));
  });

  it("finds that one is overtaken that is refused, or killed, later", () => {
    const late = overtaking({ ...refused, refused: 112 });
    finds(late.history, plainKind, overtaken(late));
    const killed = overtaking({ ...refused });
    killed.history.exit("2.1", 130, 102);
    finds(killed.history, plainKind, overtaken(killed));
  });

  it("lets one be passed that gives up, or is killed, by then", () => {
    finds(overtaking({ ...refused, refused: 111 }).history, plainKind);
    const killed = overtaking({ ...refused });
    killed.history.exit("2.1", 130, 101);
    finds(killed.history, plainKind);
  });

  it("counts none that does not wait", () => {
    finds(overtaking({ waits: false }).history, plainKind);
    finds(overtaking({}, { waits: false }).history, plainKind);
  });

  it("lets one be passed that was paused as it waited", () => {
    const { history } = overtaking();
    history.pause("2.1", 60, 70);
    finds(history, plainKind);
  });

  it("excuses nothing by a pause before or after, or of the other", () => {
    const found = overtaking();
    found.history.pause("2.1", 3, 9);
    found.history.pause("2.1", 102, 110);
    found.history.pause("3.1", 60, 70);
    finds(found.history, plainKind, overtaken(found));
  });

  it("lets order be suspended, with the recovery", () => {
    const { history } = overtaking({ asks: 30 });
    const suspends = ["order"] as const;
    history.fault({ suspends, from: 15, until: 20, recoveryMs: 10 });
    finds(history, plainKind);
  });

  it("excuses nothing by a fault before, or one of another kind", () => {
    const found = overtaking({ asks: 30 });
    const recoveryMs = 9;
    found.history.fault({
      suspends: ["order"],
      from: 15,
      until: 20,
      recoveryMs,
    });
    found.history.fault({ suspends: ["progress"], from: 50, until: 60 });
    finds(found.history, plainKind, overtaken(found));
  });

  it("has one come when those before it in its process are done", () => {
    const { history } = overtaking();
    history.attempt({ worker: "2.1", asks: 5, refused: 60 });
    finds(history, plainKind);
  });

  it("has the next in a process come when the lock is released", () => {
    const history = new History();
    const hold = { worker: "2.1", gets: 2, releases: 20, released: 45 };
    history.attempt({ ...hold, asks: 1 });
    history.attempt({ worker: "1.1", asks: 5, gets: 21, releases: 100 });
    history.attempt({ worker: "2.1", asks: 10, gets: 201, releases: 210 });
    history.attempt({ worker: "3.1", asks: 50, gets: 101, releases: 200 });
    finds(history, plainKind);
  });

  it("finds that one is overtaken by what came later in its process's turn", () => {
    const history = new History();
    const hold = { worker: "3.1", asks: 1, gets: 2, releases: 100 };
    history.attempt({ ...hold, released: 100 });
    const a = history.attempt({
      ...{ worker: "2.1", asks: 50, gets: 201, releases: 300 },
    });
    const b = history.attempt({
      ...{ worker: "3.1", asks: 5, gets: 101, releases: 200 },
    });
    finds(history, plainKind, overtaken({ a, b }));
  });

  it("does not hold a slow release against the next in a process", () => {
    const history = new History();
    const hold = { worker: "2.1", gets: 2, releases: 20, released: 45 };
    history.attempt({ ...hold, asks: 1 });
    history.attempt({ worker: "1.1", asks: 5, gets: 21, releases: 100 });
    history.attempt({ worker: "2.1", asks: 10, gets: 101, releases: 200 });
    history.attempt({ worker: "3.1", asks: 25, gets: 201, releases: 210 });
    finds(history, plainKind);
  });
});

describe("checkHistory: the overtaking that is allowed", () => {
  const host = { ...plainKind, mostOvertaking: 2, newcomerMs: 2 };

  it("lets newcomers by, as long as they do not wait", () => {
    const found = overtaking({}, { asks: 99.5 });
    finds(found.history, host);
    finds(found.history, plainKind, overtaken(found));
    const waited = overtaking({}, { asks: 98 });
    finds(waited.history, host, overtaken(waited));
  });

  it("lets a process pass the lock to its own tasks, and not for ever", () => {
    const history = new History();
    history.attempt({ worker: "1.1", asks: 1, gets: 2, releases: 100 });
    const a = history.attempt({
      ...{ worker: "2.1", asks: 10, gets: 141, releases: 150 },
    });
    const own = [100.6, 110.6, 120.6].map((gets) =>
      history.attempt({
        ...{ worker: "1.1", asks: 50, gets, releases: gets + 9 },
      })
    );
    finds(history, { ...host, mostOvertaking: 3 });
    finds(history, host, overtaken({ a, b: own[2]! }));
  });

  it("counts those it tolerates, and finds all when there are more", () => {
    const found = overtaking();
    const tolerant = { ...plainKind, mostMisordered: 0.1 };
    assert.equal(finds(found.history, tolerant).misorders, 1);
    const again = { asks: 301, gets: 401, releases: 410 };
    const holds = { worker: "1.1", asks: 300.6, gets: 300.8, releases: 390 };
    found.history.attempt(holds);
    const late = { worker: "2.1", gets: 412, releases: 420 };
    const a = found.history.attempt({ ...again, ...late });
    const b = found.history.attempt({ ...again, worker: "3.1", asks: 330 });
    finds(found.history, tolerant, overtaken(found), overtaken({ a, b }));
  });

  it("gives the place of one that gave up to the next of its process", () => {
    const history = new History();
    history.attempt({ worker: "1.1", asks: 1, gets: 2, releases: 100 });
    history.attempt({ worker: "3.1", asks: 10, refused: 60 });
    history.attempt({ worker: "2.1", asks: 30, gets: 111, releases: 120 });
    history.attempt({ worker: "3.1", asks: 50, gets: 101, releases: 110 });
    finds(history, plainKind);
  });
});
