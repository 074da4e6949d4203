// The judge of the fault suite is judged: histories that come close to a
// fault, and ones with a fault that it must find.
import { describe, it } from "node:test";
import { History, leaseKind, plainKind } from "./_histories.ts";
import { finds, twoHeld, twoTenures } from "./_judged.ts";
import type { HistoryEvent } from "./history.ts";

describe("checkHistory: a well-formed history", () => {
  it("finds nothing in a run without faults", () => {
    finds(twoHeld().history, plainKind);
    finds(twoTenures().history, leaseKind);
  });

  it("finds a grant without its invoke", () => {
    const { history, a } = twoHeld();
    const strays = [a.grant, a.release, a.released];
    finds(
      history.without(a.invoke),
      plainKind,
      ...strays.map((event) => ({
        rule: "well-formed" as const,
        events: [event],
      })),
    );
  });

  it("finds a second grant, and a second invoke, of one attempt", () => {
    const { history, a } = twoHeld();
    const again = history.add({ ...a.grant, at: 3 });
    const invoked = history.add({ ...a.invoke, at: 4 });
    finds(
      history,
      plainKind,
      { rule: "well-formed", events: [invoked] },
      { rule: "well-formed", events: [again] },
    );
  });

  it("finds an attempt that is granted and refused", () => {
    const { history, a } = twoHeld({ refused: 3 });
    const events = [a.invoke, a.grant, a.refuse];
    finds(history, plainKind, { rule: "well-formed", events });
  });

  it("finds an effect before its cause", () => {
    const { history, a } = twoHeld({ released: 99 });
    const events = [a.release, a.released];
    finds(history, plainKind, { rule: "well-formed", events });
  });

  it("finds a write without a grant, or with another token", () => {
    const { history, a, b } = twoTenures();
    const early = history.write(b, { at: 100 });
    const other = history.write(a, { at: 50, token: "6" });
    finds(
      history,
      leaseKind,
      { rule: "well-formed", events: [a.grant, other] },
      { rule: "well-formed", events: [b.grant, early] },
    );
  });

  it("finds a refusal of the plain store", () => {
    const { history, a } = twoTenures();
    const write = history.write(a, { at: 50, store: "plain", accepted: false });
    finds(history, leaseKind, { rule: "well-formed", events: [write] });
  });

  it("finds a worker that never started, or started twice", () => {
    const { history, a } = twoHeld();
    const [first, second] = history.events();
    finds(
      history.without(first!),
      plainKind,
      { rule: "well-formed", events: [a.released] },
    );
    const again = { ...second!, at: 1 };
    finds(
      [...history.events(), again],
      plainKind,
      { rule: "well-formed", events: [second!, again] },
    );
  });

  it("lets a worker be killed before it has started", () => {
    const { history } = twoHeld();
    history.exit("3.1", 20, 19);
    finds(history.events().filter((e) => !isStartOf(e, "3.1")), plainKind);
  });

  it("finds a worker that goes on after its exit", () => {
    const { history } = twoHeld();
    const exit = history.exit("1.1", 150);
    const late = history.pause("1.1", 100, 151);
    finds(history, plainKind, { rule: "well-formed", events: [exit, late] });
  });

  it("finds a fault that never ends, or never began", () => {
    const { history } = twoHeld();
    const [begin] = history.fault({ from: 5, until: null });
    const [lost, end] = history.fault({ from: 6, until: 7 });
    finds(
      history.without(lost!),
      plainKind,
      { rule: "well-formed", events: [begin!] },
      { rule: "well-formed", events: [end!] },
    );
  });

  it("finds a fault that begins twice, or is done to another in the end", () => {
    const { history } = twoHeld();
    const [begin, end] = history.fault({ from: 5, until: 8, worker: "1.1" });
    const again = history.add({ ...begin!, at: 6 });
    const changed = { ...end!, worker: "2.1" };
    finds(
      [...history.without(end!), changed],
      plainKind,
      { rule: "well-formed", events: [again] },
      { rule: "well-formed", events: [begin!, changed] },
    );
  });

  it("finds a run in which nobody ever got a lock", () => {
    const history = new History();
    history.attempt({ worker: "1.1", asks: 1, refused: 2 });
    finds(history, plainKind, { rule: "well-formed", events: [] });
    finds([], plainKind, { rule: "well-formed", events: [] });
  });
});

function isStartOf(event: HistoryEvent, worker: string): boolean {
  return event.type === "start" && event.worker === worker;
}
