import type { Case } from "../findings.ts";
import type { Fault, Model, Tenure } from "../model.ts";

/** Two tenures of one name of which the younger began in the older. */
interface Pair {
  readonly name: string;
  readonly older: Tenure;
  readonly younger: Tenure;
}

/** How late timers may be on a busy machine, without a pause to be seen. */
const TIMER_SLACK_MS = 25;

/** At most one holds a lock, as far as the lock promises that. */
export function checkExclusion(it: Case): void {
  for (const { name, tenures } of it.model.names.values()) {
    let live: Tenure[] = [];
    for (const younger of tenures) {
      checkBelief(younger, it);
      live = live.filter((older) => claimedUntil(older) > younger.from);
      for (const older of live) checkPair({ name, older, younger }, it);
      live.push(younger);
    }
  }
}

/** Until when its worker has shown to believe that it holds the lock. */
function claimedUntil({ until, attempt }: Tenure): number {
  return Math.max(until, attempt.held?.at ?? 0);
}

function checkBelief({ attempt }: Tenure, { findings }: Case): void {
  const { held, lost, worker } = attempt;
  if (!held || !lost || held.at <= lost.at) return;
  const message =
    `${worker.name} holds "${attempt.name}" for sure after its loss`;
  findings.add("exclusion", message, lost, held);
}

function checkPair(pair: Pair, it: Case): void {
  const causes = causesOf(pair, it);
  if (causes.length > 0) checkTold(pair, causes, it);
  else if (!checkClaim(pair, it) || !checkOverlap(pair, it)) return;
  it.findings.excusedOverlaps++;
  it.findings.overlapped.add(pair.older.attempt);
  it.findings.overlapped.add(pair.younger.attempt);
}

/** What may have let both in: no fault that began later, or was over before. */
function causesOf({ older, younger }: Pair, { model }: Case): Fault[] {
  return model.faults.filter((fault) =>
    fault.suspends.includes("exclusion") && fault.from <= younger.from &&
    fault.recoveredAt >= older.from && fault.until >= older.attempt.invoke.at
  );
}

/** What `held` says was true at its stamp, however long a pause came then. */
function checkClaim({ name, older, younger }: Pair, it: Case): boolean {
  const { held, worker } = older.attempt;
  if (!held || held.at <= younger.from) return true;
  const message =
    `${worker.name} holds "${name}" for sure after it was granted to ` +
    younger.attempt.worker.name;
  it.findings.add("exclusion", message, older.grant, younger.grant, held);
  return false;
}

function checkOverlap(
  pair: Pair,
  { model, promised, findings }: Case,
): boolean {
  const { older, younger, name } = pair;
  const until = Math.min(older.until, model.whole.until);
  const overlap = { from: younger.from, until };
  const paused = older.attempt.worker.pauses.lengthWithin(overlap);
  const length = until - younger.from;
  const excused = promised.lease && mayRunOut(older, model);
  if (excused && length - paused <= TIMER_SLACK_MS) return true;
  const [first, second] = [older, younger].map((t) => t.attempt.worker.name);
  const message = `${first} and ${second} both hold "${name}" for ` +
    `${length.toFixed(3)} ms` +
    (promised.lease ? `, ${paused.toFixed(3)} ms of it paused` : "");
  findings.add("exclusion", message, older.grant, younger.grant, older.end);
  return false;
}

/**
 * Whether anything was in the way of a lease's heartbeats. If nothing was, a
 * critical section shorter than the slack is no reason to let another in.
 */
function mayRunOut({ from, until, attempt }: Tenure, model: Model): boolean {
  const { name, pauses } = attempt.worker;
  return pauses.touch({ from, until }) ||
    model.faults.some((fault) =>
      (fault.worker ?? name) === name && fault.from <= until &&
      fault.recoveredAt >= from
    );
}

/** Who holds what another has since the lock's memory was lost learns so. */
function checkTold(
  { older, name }: Pair,
  causes: readonly Fault[],
  { model, promised, findings }: Case,
): void {
  const { attempt, grant, end } = older;
  const first = causes[0]!;
  const last = causes.reduce((a, b) => a.until > b.until ? a : b);
  const until = Math.min(older.until, model.whole.until);
  // A grant may have been on its way while its memory was lost.
  const since = Math.max(last.until, older.from);
  const from = Math.min(first.from, since);
  const paused = attempt.worker.pauses.lengthWithin({ from, until });
  const late = until - since - paused - promised.toldWithinMs;
  if (late <= 0) return;
  const message = `${attempt.worker.name} is told ${late.toFixed(3)} ms too ` +
    `late that "${name}" is another's`;
  findings.add("told", message, grant, last.begin, last.end, end);
}
