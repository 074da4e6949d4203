import type { Case } from "../findings.ts";
import type { Attempt, Named, Tenure } from "../model.ts";

/** An attempt that waits outside of its process, as its queue's head. */
interface Head {
  readonly attempt: Attempt;
  /** When it had come at the earliest. */
  readonly earliest: number;
  /** When it had come for sure. */
  readonly latest: number;
}

/** Between workers, who came first for a lock gets it first. */
export function checkFifo(it: Case): void {
  if (!it.promised.fifo) return;
  for (const named of it.model.names.values()) {
    const heads = headsOf(named);
    const arriving = [...heads].sort((a, b) => a.latest - b.latest);
    const granted = heads.filter(({ attempt }) => attempt.grant)
      .sort((a, b) => a.attempt.grantIndex - b.attempt.grantIndex);
    let next = 0;
    let waiting: Head[] = [];
    let previous: Head | undefined;
    let passes = 0;
    for (const head of granted) {
      const at = head.attempt.settledAt;
      while (next < arriving.length && arriving[next]!.latest < at) {
        waiting.push(arriving[next++]!);
      }
      waiting = waiting.filter((other) => waitsUntil(other.attempt) > at);
      const isPass = previous?.attempt.worker === head.attempt.worker;
      passes = isPass ? passes + 1 : 0;
      previous = head;
      if (isPass && passes <= it.promised.mostPasses) continue;
      for (const other of waiting) checkOvertaken(other, head, it);
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

function waitsUntil({ settledAt, worker }: Attempt): number {
  return Math.min(settledAt, worker.endedAt);
}

function checkOvertaken(first: Head, second: Head, it: Case): void {
  const { model, promised, findings } = it;
  const [a, b] = [first.attempt, second.attempt];
  if (a.worker === b.worker) return;
  if (second.earliest - first.latest <= promised.orderSlackMs) return;
  // It may have given up before the grant, and said so only after it.
  const givenUp = a.refuse &&
    a.refuse.at - b.settledAt <= promised.orderSlackMs;
  const waited = { from: first.latest, until: b.settledAt };
  if (givenUp || a.worker.pauses.touch(waited)) return;
  if (model.suspended("order").touch(waited)) return;
  const late = (second.earliest - first.latest).toFixed(3);
  const message = `${b.worker.name} came ${late} ms after ${a.worker.name}, ` +
    `and got "${a.name}" first`;
  findings.add(
    "order",
    message,
    a.invoke,
    b.invoke,
    b.grant,
    a.grant ?? a.refuse,
  );
}
