import { runtime } from "../../runtime/mod.ts";

// A program that does nothing but take and free locks may go on for ever
// without a turn of the event loop: every await of it is settled at once. What
// has to happen while a lock is held, such as letting waiters in, is kept for
// the next turn: a hold shorter than that pays nothing for it.
const tasks = new Set<() => void>();
let armedAt: number | null = null;

/**
 * Does something in the next turn of the event loop.
 *
 * @param task What to do; it must not throw.
 */
export function onNextTurn(task: () => void): void {
  tasks.add(task);
  if (armedAt !== null) return;
  runtime.timers.soon(turn);
  // The first time, Deno loads what makes turns: nobody was kept waiting by it.
  armedAt = runtime.clock.monotonic();
}

/**
 * Takes a task back.
 *
 * @param task What was to be done.
 */
export function cancelTurn(task: () => void): void {
  tasks.delete(task);
}

/**
 * Waits for a turn of the event loop that begins now, in which the kernel is
 * asked for what has come meanwhile, and for what was to be done in it.
 *
 * @returns A promise that resolves in that turn.
 */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    runtime.timers.soon(() => {
      turn();
      resolve();
    });
  });
}

/**
 * How long the event loop has not turned although something waits for it.
 *
 * @returns Milliseconds; 0 when nothing waits.
 */
export function starvedMs(): number {
  return armedAt === null ? 0 : runtime.clock.monotonic() - armedAt;
}

function turn(): void {
  armedAt = null;
  const due = [...tasks];
  tasks.clear();
  for (const task of due) task();
}
