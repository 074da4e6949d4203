import type { Case } from "../findings.ts";
import type { WriteEvent } from "../history.ts";
import type { Named } from "../model.ts";
import { tokenOf } from "./fencing.ts";

/** The fenced store takes no stale write; in neither store one is lost. */
export function checkStores(it: Case): void {
  for (const named of it.model.names.values()) {
    for (const store of ["fenced", "plain"] as const) {
      const accepted = named.writes
        .filter((write) => write.store === store && write.accepted);
      if (store === "fenced") checkTokens(accepted, it);
      checkUpdates(accepted, it);
    }
    countLate(named, it);
  }
}

function checkTokens(
  accepted: readonly WriteEvent[],
  { findings }: Case,
): void {
  let greatest: WriteEvent | undefined;
  for (const write of accepted) {
    const token = tokenOf(write);
    if (greatest && token < tokenOf(greatest)) {
      const message = `the fenced store takes a stale write of "${write.name}"`;
      findings.add("stores", message, greatest, write);
    } else greatest = write;
  }
}

function checkUpdates(accepted: readonly WriteEvent[], it: Case): void {
  accepted.forEach((write, i) => {
    const before = accepted[i - 1];
    if (!isLost(write) || isExcused(write, before, it)) return;
    const message =
      `an update of "${write.name}" is lost in the ${write.store} store`;
    it.findings.add("stores", message, before, write);
  });
}

/** Whether a write put its own value in the place of one that it had not seen. */
export function isLost({ accepted, base, found }: WriteEvent): boolean {
  return accepted && base !== found;
}

// What a worker has sent before it was killed comes to the store after the
// lock is free, and after the next holder has read: no lock can prevent that.
function isExcused(
  write: WriteEvent,
  before: WriteEvent | undefined,
  it: Case,
): boolean {
  const attempt = it.model.workers.get(write.worker)!.attempts.get(write.id)!;
  return it.findings.overlapped.has(attempt) || isLate(write, it) ||
    (before !== undefined && isLate(before, it));
}

function isLate({ worker, at }: WriteEvent, { model }: Case): boolean {
  const killedAt = model.workers.get(worker)!.killedAt;
  return killedAt !== undefined && at > killedAt;
}

function countLate({ writes }: Named, it: Case): void {
  it.findings.lateWrites += writes.filter((write) => isLate(write, it)).length;
}
