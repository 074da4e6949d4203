import type { Timer, TimerOptions, Timers } from "../../runtime/types.ts";

/** Something that is to be called back at a moment, unless cancelled. */
export interface Deadline {
  /** When, on the monotonic clock, in milliseconds. */
  readonly at: number;
  /** What to call. */
  expire(): void;
  /** Its place among the others while it is pending; theirs to write. */
  place?: number;
}

/**
 * Any number of deadlines on one timer: a binary heap whose root the timer
 * waits for. Cancelled deadlines leave at once, so that a process which waits
 * with long timeouts again and again does not grow. The timer stays as long as
 * it is not too late: it then fires in vain, keeping no process alive, and whoever
 * adds and cancels a deadline a thousand times a second sets no timer each time.
 */
export class Deadlines {
  readonly #heap: Deadline[] = [];
  readonly #timers: Timers;
  readonly #now: () => number;
  readonly #options: TimerOptions;
  #timer: Timer | null = null;
  #timerAt = Infinity;
  #isAlive = false;

  /**
   * @param timers The runtime's timers.
   * @param now The monotonic clock.
   * @param options Whether a pending deadline keeps the process alive.
   */
  constructor(timers: Timers, now: () => number, options: TimerOptions) {
    this.#timers = timers;
    this.#now = now;
    this.#options = options;
  }

  /** How many deadlines are pending. */
  get size(): number {
    return this.#heap.length;
  }

  /**
   * Adds a deadline.
   *
   * @param deadline The deadline.
   */
  add(deadline: Deadline): void {
    this.#heap.push(deadline);
    this.#rise(this.#heap.length - 1);
    this.#arm();
  }

  /**
   * Removes a deadline, if it is still pending.
   *
   * @param deadline The deadline.
   */
  cancel(deadline: Deadline): void {
    const { place } = deadline;
    if (place === undefined || this.#heap[place] !== deadline) return;
    this.#remove(place);
    this.#arm();
  }

  #remove(place: number): void {
    const removed = this.#heap[place]!;
    const last = this.#heap.pop()!;
    removed.place = -1;
    if (last === removed) return;
    this.#put(last, place);
    this.#rise(place);
    this.#sink(last.place!);
  }

  #put(deadline: Deadline, place: number): void {
    this.#heap[place] = deadline;
    deadline.place = place;
  }

  #rise(place: number): void {
    const moving = this.#heap[place]!;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = this.#heap[above]!;
      if (parent.at <= moving.at) break;
      this.#put(parent, place);
      place = above;
    }
    this.#put(moving, place);
  }

  #sink(place: number): void {
    const moving = this.#heap[place]!;
    while (true) {
      let below = 2 * place + 1;
      const left = this.#heap[below];
      const right = this.#heap[below + 1];
      if (left === undefined) break;
      if (right !== undefined && right.at < left.at) below++;
      const child = this.#heap[below]!;
      if (child.at >= moving.at) break;
      this.#put(child, place);
      place = below;
    }
    this.#put(moving, place);
  }

  #arm(): void {
    const next = this.#heap[0]?.at ?? Infinity;
    if (next < this.#timerAt) this.#setTimer(next);
    if (this.#options.keepAlive) this.#stayAlive(this.#heap.length > 0);
  }

  #setTimer(at: number): void {
    this.#timer?.cancel();
    this.#timerAt = at;
    this.#isAlive = this.#options.keepAlive ?? false;
    this.#timer = this.#timers.after(
      Math.max(0, at - this.#now()),
      () => this.#fire(),
      this.#options,
    );
  }

  #stayAlive(alive: boolean): void {
    if (this.#isAlive === alive) return;
    this.#isAlive = alive;
    this.#timer?.keepAlive(alive);
  }

  #fire(): void {
    this.#timer = null;
    this.#timerAt = Infinity;
    const now = this.#now();
    while (this.#heap.length > 0 && this.#heap[0]!.at <= now) {
      const due = this.#heap[0]!;
      this.#remove(0);
      due.expire();
    }
    this.#arm();
  }
}
