import type { Case } from "../findings.ts";
import type { Promised } from "../history.ts";
import type { Attempt, Named, Tenure } from "../model.ts";

/** An attempt that waits outside of its process, as its queue's head. */
interface Head {
  readonly attempt: Attempt;
  /** When it had come at the earliest. */
  readonly earliest: number;
  /** When it had come for sure. */
  readonly latest: number;
}

/** A waiter, and who got the lock before it although it had come later. */
interface Misorder {
  readonly first: Head;
  readonly second: Head;
}

/** Between workers, who came first for a lock gets it first. */
export function checkFifo(it: Case): void {
  const { model, promised, findings } = it;
  if (!promised.fifo) return;
  for (const named of model.names.values()) {
    const misorders: Misorder[] = [];
    let grants = 0;
    for (const { head, waiting } of contended(named, promised)) {
      grants++;
      const first = waiting.find((other) => isOvertaken(other, head, it));
      if (first) misorders.push({ first, second: head });
    }
    findings.misorders += misorders.length;
    const most = Math.ceil(grants * promised.mostMisordered);
    if (misorders.length > most) misorders.forEach((m) => report(m, it));
  }
}

/** The grants that may not overtake, and who waited for each of them. */
function* contended(
  named: Named,
  { mostOvertaking, newcomerMs }: Promised,
): Generator<{ head: Head; waiting: Head[] }> {
  const heads = headsOf(named);
  const arriving = [...heads].sort((a, b) => a.latest - b.latest);
  const granted = heads.filter(({ attempt }) => attempt.grant)
    .sort((a, b) => a.attempt.grantIndex - b.attempt.grantIndex);
  let next = 0;
  let waiting: Head[] = [];
  let previous: Attempt | undefined;
  let overtaking = 0;
  for (const head of granted) {
    const { settledAt: at, worker, invoke } = head.attempt;
    while (next < arriving.length && arriving[next]!.latest < at) {
      waiting.push(arriving[next++]!);
    }
    waiting = waiting.filter(({ attempt }) => attempt.settledAt > at);
    // It passes the lock to a task of its own, or has just come by.
    const isFree = previous?.worker === worker || at - invoke.at < newcomerMs;
    overtaking = isFree && waiting.length > 0 ? overtaking + 1 : 0;
    previous = head.attempt;
    if (overtaking === 0 || overtaking > mostOvertaking) {
      yield { head, waiting };
    }
  }
}

/** What is known of a process that contends for a name. */
interface Contention {
  /** Since when it may have contended without a break. */
  readonly earliest: number;
  /** Since when the head of its queue has contended for sure. */
  readonly latest: number;
  /** Until when it contended or held the lock. */
  readonly until: number;
}

const NONE: Contention = { earliest: 0, latest: 0, until: 0 };

/**
 * Only the head of a process's queue contends with others. Who comes after a
 * head that has given up may have its place; after one that held, it has not.
 */
function headsOf({ attempts, tenures }: Named): Head[] {
  const ended = new Map<Attempt, Tenure>();
  for (const tenure of tenures) ended.set(tenure.attempt, tenure);
  const contentions = new Map<string, Contention>();
  const heads: Head[] = [];
  for (const attempt of attempts) {
    const { worker, invoke, settledAt } = attempt;
    const before = contentions.get(worker.name) ?? NONE;
    const follows = invoke.at < before.until;
    const earliest = follows ? before.earliest : invoke.at;
    const latest = Math.max(invoke.at, before.latest);
    if (invoke.waits) heads.push({ attempt, earliest, latest });
    const tenure = ended.get(attempt);
    if (!invoke.waits && !tenure) continue;
    contentions.set(worker.name, {
      earliest: tenure?.until ?? earliest,
      latest: Math.max(before.latest, tenure?.freeAt ?? settledAt),
      until: Math.max(before.until, tenure?.until ?? settledAt),
    });
  }
  return heads;
}

function isOvertaken(first: Head, second: Head, it: Case): boolean {
  const { model, promised } = it;
  const [a, b] = [first.attempt, second.attempt];
  if (a.worker === b.worker) return false;
  if (second.earliest - first.latest <= promised.orderSlackMs) return false;
  // It may have given up before the grant, and said so only after it.
  const givenUp = a.refuse &&
    a.refuse.at - b.settledAt <= promised.orderSlackMs;
  const waited = { from: first.latest, until: b.settledAt };
  if (givenUp || a.worker.pauses.touch(waited)) return false;
  return !model.suspended("order").touch(waited);
}

function report({ first, second }: Misorder, { findings }: Case): void {
  const [a, b] = [first.attempt, second.attempt];
  const late = (second.earliest - first.latest).toFixed(3);
  const message = `${b.worker.name} came ${late} ms after ${a.worker.name}, ` +
    `and got "${a.name}" first`;
  const settled = a.grant ?? a.refuse;
  findings.add("order", message, a.invoke, b.invoke, b.grant, settled);
}
