// The judge of the fault suite is judged: whether two held a lock at once.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Attempted, leaseKind, plainKind } from "./_histories.ts";
import { finds, twoHeld, twoTenures } from "./_judged.ts";
import type { Promised } from "./history.ts";

/** The older's end does not come in time: it is told that it lost the lease. */
function outlived(lost: number, more: Partial<Attempted> = {}) {
  return twoTenures({ releases: undefined!, lost, ...more });
}

const loss = { suspends: ["exclusion"], recoveryMs: 50 } as const;
const cut = { kind: "cut", suspends: ["progress"] } as const;
const tellsAt: Promised = { ...leaseKind, toldWithinMs: 100 };

describe("checkHistory: exclusion of any lock", () => {
  it("lets a lock be granted when its release has begun", () => {
    finds(twoHeld({ releases: 100 }, { gets: 100 }).history, plainKind);
  });

  it("finds two holders, and says until when the older is one", () => {
    const { history, a, b } = twoHeld({}, { gets: 99.9 });
    const events = [a.grant, b.grant, a.release];
    finds(history, plainKind, { rule: "exclusion", events });
  });

  it("finds each younger holder within one older", () => {
    const { history, a, b } = twoHeld({}, { gets: 20, releases: 30 });
    const c = history.attempt({
      ...{ worker: "3.1", asks: 31, gets: 40, releases: 50 },
    });
    finds(
      history,
      { ...plainKind, fifo: false },
      { rule: "exclusion", events: [a.grant, b.grant, a.release] },
      { rule: "exclusion", events: [a.grant, c.grant, a.release] },
    );
  });

  it("keeps names apart", () => {
    finds(twoHeld({}, { name: "y", gets: 20 }).history, plainKind);
  });

  it("excuses nothing by a pause where there are no leases", () => {
    const { history, a, b } = twoHeld({}, { gets: 50 });
    history.pause("1.1", 40, 100);
    const events = [a.grant, b.grant, a.release];
    finds(history, plainKind, { rule: "exclusion", events });
  });

  it("lets a killed holder be followed at once", () => {
    const { history } = twoHeld({ releases: undefined! }, { gets: 60 });
    history.exit("1.1", 70, 60);
    finds(history, plainKind);
  });

  it("counts a release for nothing that comes after the kill", () => {
    const { history } = twoHeld({ releases: 63 }, { gets: 61 });
    history.exit("1.1", 70, 60);
    finds(history, plainKind);
  });

  it("finds a successor of a holder that is killed later", () => {
    const { history, a, b } = twoHeld({ releases: undefined! }, { gets: 59 });
    const exit = history.exit("1.1", 70, 60);
    const events = [a.grant, b.grant, exit];
    finds(history, plainKind, { rule: "exclusion", events });
  });

  it("finds a holder that is sure of it after a successor's grant", () => {
    const { history, a, b } = twoHeld(
      ...[{ releases: undefined!, held: 66 }, { gets: 65 }],
    );
    history.exit("1.1", 70, 60);
    const events = [a.grant, b.grant, a.held];
    finds(history, plainKind, { rule: "exclusion", events });
  });
});

describe("checkHistory: exclusion of leases", () => {
  it("lets a lease overlap by a late timer, but not for longer", () => {
    const short = outlived(126);
    short.history.fault({ ...cut, from: 50, until: 99 });
    assert.equal(finds(short.history, leaseKind).excusedOverlaps, 1);
    const { history, a, b } = outlived(127);
    history.fault({ ...cut, from: 50, until: 99 });
    const events = [a.grant, b.grant, a.lost];
    finds(history, leaseKind, { rule: "exclusion", events });
  });

  it("lets no lease overlap that nothing has happened to", () => {
    const { history, a, b } = outlived(102);
    history.pause("2.1", 50, 60);
    history.fault({ ...cut, worker: "2.1", from: 50, until: 60 });
    history.fault({ ...cut, from: 1, until: 1.5 });
    history.fault({ ...cut, from: 103, until: 104 });
    const events = [a.grant, b.grant, a.lost];
    finds(history, leaseKind, { rule: "exclusion", events });
    history.fault({ ...cut, from: 1, until: 1.5, recoveryMs: 1 });
    finds(history, leaseKind);
  });

  it("lets a paused holder overlap as long as its pause", () => {
    const { history } = outlived(1_000);
    history.pause("1.1", 90, 980);
    finds(history, leaseKind);
  });

  it("finds a holder that overlaps for longer than its pause", () => {
    const { history, a, b } = outlived(1_000);
    history.pause("1.1", 90, 970);
    const events = [a.grant, b.grant, a.lost];
    finds(history, leaseKind, { rule: "exclusion", events });
  });

  it("counts a stop as a pause, and not twice", () => {
    const { history, a, b } = outlived(1_000);
    history.fault({ kind: "stop", worker: "1.1", from: 90, until: 550 });
    history.pause("1.1", 90, 550);
    history.pause("1.1", 200, 300);
    const events = [a.grant, b.grant, a.lost];
    finds(history, leaseKind, { rule: "exclusion", events });
    history.fault({ kind: "stop", worker: "1.1", from: 540, until: 990 });
    finds(history, leaseKind);
  });

  it("counts one that is killed before it has gone on as paused until then", () => {
    const stop = { kind: "stop", worker: "1.1", from: 90, until: 550 };
    const kill = (killedAt: number) => {
      const { history, a, b } = twoTenures({ releases: undefined! });
      history.fault(stop);
      const exit = history.exit("1.1", killedAt + 10, killedAt);
      return { history, events: [a.grant, b.grant, exit] };
    };
    finds(kill(650).history, leaseKind);
    const { history, events } = kill(651);
    finds(history, leaseKind, { rule: "exclusion", events });
  });

  it("counts no pause of another worker, and no other fault", () => {
    const { history, a, b } = outlived(1_000);
    history.pause("2.1", 102, 990);
    history.fault({ kind: "slow", worker: "1.1", from: 90, until: 990 });
    const events = [a.grant, b.grant, a.lost];
    finds(history, leaseKind, { rule: "exclusion", events });
  });

  it("finds a holder that is sure of it after a grant, paused or not", () => {
    const { history, a, b } = outlived(1_000, { held: 102 });
    history.pause("1.1", 90, 990);
    const events = [a.grant, b.grant, a.held];
    finds(history, leaseKind, { rule: "exclusion", events });
  });

  it("lets a holder be sure of it until a grant", () => {
    const { history } = outlived(110, { held: 101 });
    history.fault({ ...cut, from: 50, until: 99 });
    finds(history, leaseKind);
  });

  it("counts until the loss, not until a release after it", () => {
    finds(twoTenures({ lost: 90, releases: 110 }).history, leaseKind);
    finds(twoTenures({ lost: 110, releases: 90 }).history, leaseKind);
  });

  it("finds a holder that is sure of it after its own loss", () => {
    const { history, a } = outlived(80, { held: 90 });
    finds(history, leaseKind, { rule: "exclusion", events: [a.lost, a.held] });
  });
});

describe("checkHistory: exclusion while it is suspended", () => {
  it("lets two hold a lock whose memory is lost, until they are told", () => {
    const { history } = outlived(160, { held: 110 });
    history.fault({ ...loss, from: 50, until: 60 });
    assert.equal(finds(history, tellsAt).excusedOverlaps, 1);
  });

  it("lets one overlap that got the lock before the recovery was over", () => {
    const { history } = outlived(160, { asks: 5, gets: 80 });
    history.fault({ ...loss, from: 50, until: 60 });
    finds(history, tellsAt);
  });

  it("lets none overlap that got the lock after the recovery", () => {
    const { history, a, b } = outlived(160, { asks: 5, gets: 80 });
    history.fault({ ...loss, from: 20, until: 25 });
    const events = [a.grant, b.grant, a.lost];
    finds(history, tellsAt, { rule: "exclusion", events });
  });

  it("excuses no overlap by a fault that came later, or another one", () => {
    const { history, a, b } = outlived(160);
    history.fault({ ...loss, from: 102, until: 103 });
    history.fault({ ...loss, suspends: ["progress"], from: 50, until: 60 });
    const events = [a.grant, b.grant, a.lost];
    finds(history, tellsAt, { rule: "exclusion", events });
  });

  it("finds a holder that is not told in time", () => {
    const { history, a } = outlived(161);
    const [begin, end] = history.fault({ ...loss, from: 50, until: 60 });
    const events = [a.grant, begin!, end!, a.lost];
    finds(history, tellsAt, { rule: "told", events });
  });

  it("gives a paused holder as much longer", () => {
    const { history, a } = outlived(260);
    const [begin, end] = history.fault({ ...loss, from: 50, until: 60 });
    history.pause("1.1", 55, 154);
    const events = [a.grant, begin!, end!, a.lost];
    finds(history, tellsAt, { rule: "told", events });
    history.pause("1.1", 155, 156);
    finds(history, tellsAt);
  });

  it("counts from the grant of one that got the lock after the loss", () => {
    const got = { asks: 5, gets: 80 };
    const { history } = outlived(180, got);
    history.fault({ ...loss, from: 50, until: 60 });
    finds(history, tellsAt);
    const late = outlived(181, got);
    const [begin, end] = late.history.fault({ ...loss, from: 50, until: 60 });
    const events = [late.a.grant, begin!, end!, late.a.lost];
    finds(late.history, tellsAt, { rule: "told", events });
  });

  it("excuses nobody who asked only after the loss", () => {
    const { history, a, b } = outlived(160, { asks: 61, gets: 80 });
    history.fault({ ...loss, from: 50, until: 60 });
    const events = [a.grant, b.grant, a.lost];
    finds(history, { ...tellsAt, fifo: false }, { rule: "exclusion", events });
  });

  it("takes a release, or a death, for told", () => {
    const { history } = twoTenures({ releases: 160 });
    history.fault({ ...loss, from: 50, until: 60 });
    finds(history, tellsAt);
    const killed = twoTenures({ releases: undefined! });
    killed.history.fault({ ...loss, from: 50, until: 60 });
    killed.history.exit("1.1", 170, 160);
    finds(killed.history, tellsAt);
  });
});
