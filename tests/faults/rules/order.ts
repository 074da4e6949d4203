import type { Case } from "../findings.ts";
import type { Attempt } from "../model.ts";

/** Within a worker, who asked first for a lock gets it first. */
export function checkOrder(it: Case): void {
  for (const { attempts } of it.model.names.values()) {
    const latest = new Map<string, Attempt>();
    for (const attempt of attempts) {
      if (!attempt.invoke.waits) continue;
      const { worker, grant } = attempt;
      const before = latest.get(worker.name);
      if (before && grant && waitedUntil(before, it) > grant.at) {
        report(before, attempt, it);
      }
      if (!before || waitedUntil(before, it) < waitedUntil(attempt, it)) {
        latest.set(worker.name, attempt);
      }
    }
  }
}

/** Until when it waited for sure: a refusal may be told late. */
function waitedUntil({ grant, refuse }: Attempt, { promised }: Case): number {
  if (grant) return grant.at;
  return refuse ? refuse.at - promised.orderSlackMs : Infinity;
}

function report(first: Attempt, second: Attempt, { findings }: Case): void {
  const { worker: { name: worker }, name, invoke, grant } = second;
  const message = `${worker} is granted "${name}" out of its own order`;
  const settled = first.grant ?? first.refuse;
  findings.add("order", message, first.invoke, invoke, grant, settled);
}
