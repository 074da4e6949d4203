import type { Case } from "../findings.ts";
import type { WriteEvent } from "../history.ts";
import type { Attempt, Fault, Worker } from "../model.ts";

/** The suite itself made no mistake: a history that lacks events proves nothing. */
export function checkWellFormed(it: Case): void {
  const { model, findings } = it;
  for (const stray of model.strays) {
    findings.add(
      "well-formed",
      `"${stray.type}" without its cause, or again`,
      stray,
    );
  }
  for (const worker of model.workers.values()) checkWorker(worker, it);
  for (const fault of model.faults) checkFault(fault, it);
  for (const { attempts, writes } of model.names.values()) {
    for (const attempt of attempts) checkAttempt(attempt, it);
    for (const write of writes) checkWrite(write, it);
  }
  if (![...model.names.values()].some(({ tenures }) => tenures.length > 0)) {
    findings.add("well-formed", "nobody ever got a lock");
  }
}

function checkWorker(worker: Worker, { findings }: Case): void {
  const { name, starts, exits, last, killedAt } = worker;
  if (starts.length > 1) {
    findings.add("well-formed", `${name} started twice`, ...starts);
  }
  // One that was killed may have died before it could say that it had started.
  if (starts.length === 0 && (last || killedAt === undefined)) {
    findings.add("well-formed", `${name} never started`, last ?? exits[0]);
  }
  const exit = exits[0];
  if (exit && last && last.at > exit.at) {
    findings.add("well-formed", `${name} goes on after its exit`, exit, last);
  }
}

function checkFault({ begin, end, until }: Fault, { findings }: Case): void {
  if (begin.phase !== "begin") {
    findings.add("well-formed", `fault ${begin.fault} never began`, begin);
  } else if (until === Infinity) {
    findings.add("well-formed", `fault ${begin.fault} never ended`, begin);
  } else if (end!.kind !== begin.kind || end!.worker !== begin.worker) {
    findings.add("well-formed", `fault ${begin.fault} changed`, begin, end);
  }
}

function checkAttempt(attempt: Attempt, { findings }: Case): void {
  const { invoke, grant, refuse, release } = attempt;
  if (grant && refuse) {
    findings.add("well-formed", "granted and refused", invoke, grant, refuse);
  }
  const causes = [
    [invoke, grant],
    [invoke, refuse],
    [grant, attempt.held],
    [grant, attempt.lost],
    [grant, release],
    [release, attempt.released],
  ] as const;
  for (const [cause, effect] of causes) {
    if (!effect || (cause && cause.at <= effect.at)) continue;
    const message = `"${effect.type}" before what leads to it`;
    findings.add("well-formed", message, cause, effect);
  }
}

function checkWrite(write: WriteEvent, { model, findings }: Case): void {
  const { grant, name } = model.workers.get(write.worker)!.attempts
    .get(write.id)!;
  if (!grant || grant.at > write.at) {
    findings.add("well-formed", "a write before its grant", grant, write);
  } else if (grant.token !== write.token || name !== write.name) {
    findings.add("well-formed", "a write of another tenure", grant, write);
  }
  if (write.store === "plain" && !write.accepted) {
    findings.add("well-formed", "the plain store refuses nothing", write);
  }
}
