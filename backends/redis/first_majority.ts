import { reasonOf } from "../../runtime/fault.ts";
import { majorityOf } from "./quorum_grant.ts";

/**
 * Waits until a majority of servers has answered; those that are silent keep
 * nobody waiting.
 *
 * @typeParam T What one answers.
 * @param asked What each server was asked for.
 * @returns The answers, as many as make a majority, in the order of their
 * coming.
 * @throws {AggregateError} As soon as there can be no majority.
 */
export function firstMajority<T>(asked: readonly Promise<T>[]): Promise<T[]> {
  const majority = majorityOf(asked.length);
  const answers: T[] = [];
  const faults: unknown[] = [];
  return new Promise((resolve, reject) => {
    for (const one of asked) {
      one.then((answer) => {
        if (answers.length === majority) return;
        if (answers.push(answer) === majority) resolve(answers);
      }, (fault) => {
        faults.push(fault);
        if (asked.length - faults.length >= majority) return;
        reject(new AggregateError(faults, faults.map(reasonOf).join("; ")));
      });
    }
  });
}
