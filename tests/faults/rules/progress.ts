import type { Case } from "../findings.ts";
import type { Attempt } from "../model.ts";

/** Every attempt is settled, and in time. */
export function checkProgress(it: Case): void {
  for (const { attempts } of it.model.names.values()) {
    for (const attempt of attempts) {
      checkSettled(attempt, it);
      checkWait(attempt, it);
    }
  }
}

function checkSettled(attempt: Attempt, { findings }: Case): void {
  const { grant, refuse, invoke, worker, name } = attempt;
  if (grant || refuse || worker.killedAt !== undefined) return;
  const message = `${worker.name} never learns whether it gets "${name}"`;
  findings.add("progress", message, invoke);
}

function checkWait(
  attempt: Attempt,
  { model, promised, findings }: Case,
): void {
  const { invoke, settledAt, worker, name } = attempt;
  const wait = {
    from: invoke.at,
    until: Math.min(settledAt, model.whole.until),
  };
  const whole = wait.until - wait.from;
  const length = whole - worker.stalls.lengthWithin(wait);
  findings.longestWaitInAllMs = Math.max(findings.longestWaitInAllMs, whole);
  findings.longestWaitMs = Math.max(findings.longestWaitMs, length);
  if (length <= promised.longestWaitMs) return;
  const message = `${worker.name} waits ${length.toFixed(0)} ms for "${name}"`;
  findings.add("progress", message, invoke, attempt.grant ?? attempt.refuse);
}
