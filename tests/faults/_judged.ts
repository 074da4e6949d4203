/** How histories are judged in tests, and the one that most of them change. */
import assert from "node:assert/strict";
import { type Attempted, History, type Told } from "./_histories.ts";
import { checkHistory } from "./check_history.ts";
import type { Rule } from "./findings.ts";
import type { HistoryEvent, Promised } from "./history.ts";
import type { Numbers } from "./numbers.ts";

/** What to find in a history. */
interface Expected {
  readonly rule: Rule;
  readonly events: readonly HistoryEvent[];
}

/** Asserts what a history's violations are: these, with just these events. */
export function finds(
  history: History | readonly HistoryEvent[],
  promised: Promised,
  ...expected: readonly Expected[]
): Numbers {
  const events = history instanceof History ? history.events() : history;
  const { violations, numbers } = checkHistory(events, promised);
  const found = violations.map(({ rule, events }) => ({ rule, events }));
  assert.deepEqual(found, expected);
  return numbers;
}

/** A history of two tenures. */
interface Two {
  readonly history: History;
  readonly a: Told;
  readonly b: Told;
}

/** Two workers have a lease, one after the other; both may be changed. */
export function twoTenures(
  first: Partial<Attempted> = {},
  second: Partial<Attempted> = {},
): Two {
  return twoHeld({ token: 7, ...first }, { token: 8, ...second });
}

/** The same of a lock without leases. */
export function twoHeld(
  first: Partial<Attempted> = {},
  second: Partial<Attempted> = {},
): Two {
  const history = new History();
  const a = history.attempt({
    ...{ worker: "1.1", asks: 1, gets: 2, releases: 100 },
    ...first,
  });
  const b = history.attempt({
    ...{ worker: "2.1", asks: 10, gets: 101, releases: 200 },
    ...second,
  });
  return { history, a, b };
}
