import { runtime } from "../../runtime/mod.ts";
import { type Deadline, Deadlines } from "./deadlines.ts";

// How often to look, and what difference is more than a clock's own drift, in
// milliseconds.
const PERIOD_MS = 1000;
const STEP_MS = 50;

const ticks = new Deadlines(
  runtime.timers,
  runtime.clock.monotonic,
  { keepAlive: false },
);

/** Who wants to know that the machine has slept. */
export interface SleepWatcher {
  /** The machine has slept, or its wall clock was set forward. */
  onSleep(): void;
}

const watchers = new Set<SleepWatcher>();
let tick: Deadline | null = null;
let lastOffset = 0;

/**
 * Calls back within a second or so after the machine has slept, or its wall
 * clock was set forward: timers do not know of that time. One timer serves all
 * watchers, and keeps no process alive.
 *
 * @param watcher Whom to tell.
 */
export function watchForSleep(watcher: SleepWatcher): void {
  if (watchers.size === 0) lastOffset = offset();
  watchers.add(watcher);
  if (tick === null) schedule();
}

/**
 * Calls back no more.
 *
 * @param watcher Who would have been told.
 */
export function unwatchForSleep(watcher: SleepWatcher): void {
  watchers.delete(watcher);
}

// The monotonic clock stands still while the machine sleeps.
function offset(): number {
  return runtime.clock.wall() - runtime.clock.monotonic();
}

function schedule(): void {
  tick = { at: runtime.clock.monotonic() + PERIOD_MS, expire: look };
  ticks.add(tick);
}

// It looks once more when all have gone: a process that takes and frees a lock
// in a loop sets no timer each time.
function look(): void {
  tick = null;
  if (watchers.size === 0) return;
  schedule();
  const before = lastOffset;
  lastOffset = offset();
  if (lastOffset - before < STEP_MS) return;
  for (const watcher of [...watchers]) watcher.onSleep();
}
