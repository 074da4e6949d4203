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
    for (const head of granted) {
      const at = head.attempt.settledAt;
      while (next < arriving.length && arriving[next]!.latest < at) {
        waiting.push(arriving[next++]!);
      }
      waiting = waiting.filter(({ attempt }) => attempt.settledAt > at);
      for (const other of waiting) checkOvertaken(other, head, it);
    }
  }
}

/** Only the head of a process's queue contends with others. */
function headsOf({ attempts, tenures }: Named): Head[] {
  const ended = new Map<Attempt, Tenure>();
  for (const tenure of tenures) ended.set(tenure.attempt, tenure);
  const queues = new Map<string, Omit<Head, "attempt">>();
  const heads: Head[] = [];
  for (const attempt of attempts) {
    const { worker, invoke, settledAt } = attempt;
    const before = queues.get(worker.name);
    const earliest = Math.max(invoke.at, before?.earliest ?? 0);
    const latest = Math.max(invoke.at, before?.latest ?? 0);
    if (invoke.waits) heads.push({ attempt, earliest, latest });
    const tenure = ended.get(attempt);
    queues.set(worker.name, {
      earliest: Math.max(before?.earliest ?? 0, tenure?.until ?? settledAt),
      latest: Math.max(before?.latest ?? 0, tenure?.freeAt ?? settledAt),
    });
  }
  return heads;
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
