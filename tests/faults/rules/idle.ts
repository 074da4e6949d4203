import type { Case } from "../findings.ts";
import type { HistoryEvent } from "../history.ts";
import type { Attempt, Named } from "../model.ts";
import type { Span } from "../spans.ts";

/** A time in which nobody holds a lock. */
interface Gap extends Span {
  /** What freed the lock; absent at the start. */
  readonly after: HistoryEvent | undefined;
  /** What took it; absent at the end. */
  readonly before: HistoryEvent | undefined;
}

/** No lock stays free while somebody waits for it. */
export function checkIdle(it: Case): void {
  for (const named of it.model.names.values()) {
    let next = 0;
    let waiting: Attempt[] = [];
    for (const gap of gapsOf(named, it.model.whole)) {
      for (
        let attempt = named.attempts[next];
        attempt && attempt.invoke.at < gap.until;
        attempt = named.attempts[++next]
      ) if (attempt.invoke.waits) waiting.push(attempt);
      waiting = waiting.filter(({ settledAt }) => settledAt > gap.from);
      checkGap(gap, waiting, it);
    }
  }
}

function gapsOf({ tenures }: Named, whole: Span): Gap[] {
  const gaps: Gap[] = [];
  let from = whole.from;
  let after: HistoryEvent | undefined;
  for (const { grant, end, freeAt, attempt } of tenures) {
    if (grant.at > from) {
      gaps.push({ from, until: grant.at, after, before: grant });
    }
    if (freeAt <= from) continue;
    from = freeAt;
    after = end === attempt.release ? attempt.released ?? end : end;
  }
  if (whole.until > from) {
    gaps.push({ from, until: whole.until, after, before: undefined });
  }
  return gaps;
}

function checkGap(
  gap: Gap,
  waiting: readonly Attempt[],
  { findings, promised }: Case,
): void {
  let worst: Attempt | undefined;
  let worstMs = 0;
  for (const attempt of waiting) {
    const { invoke, settledAt, worker } = attempt;
    const idle = {
      from: Math.max(gap.from, invoke.at),
      until: Math.min(gap.until, settledAt),
    };
    if (idle.until - idle.from <= worstMs) continue;
    const length = idle.until - idle.from - worker.stalls.lengthWithin(idle);
    if (length <= worstMs) continue;
    worst = attempt;
    worstMs = length;
  }
  findings.longestIdleMs = Math.max(findings.longestIdleMs, worstMs);
  if (!worst || worstMs <= promised.longestIdleMs) return;
  const message =
    `"${worst.name}" is free for ${worstMs.toFixed(0)} ms while ` +
    `${worst.worker.name} waits for it`;
  findings.add("progress", message, gap.after, worst.invoke, gap.before);
}
