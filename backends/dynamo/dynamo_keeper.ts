import type { Contention, Grant, Keeper } from "../core/backend.ts";
import { toLockError } from "../core/backend_errors.ts";
import { farewell } from "../core/farewells.ts";
import type { Holder } from "../core/holder.ts";
import { Attempt } from "./attempt.ts";
import { callOptions } from "./call_options.ts";
import { TableFault } from "./faults.ts";
import { readHolder, readLease } from "./item.ts";
import type { LockItem } from "./lock_item.ts";
import type { DynamoTable } from "./table.ts";

/** A lock that an item of a table keeps. */
export class DynamoKeeper implements Keeper {
  readonly #lock: LockItem;
  readonly #table: DynamoTable;
  #attempt: Attempt | null = null;

  /**
   * @param lock The lock.
   * @param table The table that keeps it.
   */
  constructor(lock: LockItem, table: DynamoTable) {
    this.#lock = lock;
    this.#table = table;
  }

  async tryTake(willWait: boolean, defers = false): Promise<Grant | null> {
    const attempt = new Attempt(this.#lock, this.#table);
    if (defers) {
      this.#attempt = attempt;
      return null;
    }
    try {
      const grant = await this.#created(() => attempt.try());
      if (grant !== null) return grant;
      if (willWait) this.#attempt = attempt;
      else farewell(attempt.leave());
      return null;
    } catch (error) {
      // A waiter has time for what will pass.
      if (willWait && isPassing(error)) {
        this.#attempt = attempt;
        return null;
      }
      farewell(attempt.leave());
      throw this.#toError("Cannot acquire", error);
    }
  }

  async take(contention: Contention): Promise<Grant | null> {
    const attempt = this.#attempt!;
    this.#attempt = null;
    try {
      const grant = await this.#created(() => attempt.wait(contention));
      if (grant === null) farewell(attempt.leave());
      return grant;
    } catch (error) {
      farewell(attempt.leave());
      throw this.#toError("Cannot wait for", error);
    }
  }

  async holder(): Promise<Holder | null> {
    const { key, terms: { ttlMs } } = this.#lock;
    const { observations } = this.#table;
    try {
      const options = callOptions(ttlMs);
      const item = await this.#table.read(this.#lock, true, options);
      const lease = readLease(item);
      observations.note(key, lease);
      const isDead = observations.dead(key, ttlMs) !== null;
      return lease === null || isDead ? null : readHolder(item!);
    } catch (error) {
      if (this.#isToCreate(error)) return null;
      throw this.#toError("Cannot find the holder of", error);
    }
  }

  trouble(): string | null {
    return this.#table.trouble;
  }

  async #created<T>(run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      if (!this.#isToCreate(error)) throw error;
      await this.#table.create();
      return await run();
    }
  }

  #isToCreate(error: unknown): boolean {
    return this.#lock.createTable && error instanceof TableFault &&
      error.kind === "missing";
  }

  #toError(action: string, error: unknown): Error {
    return toLockError(action, this.#lock.name, error);
  }
}

function isPassing(error: unknown): boolean {
  return error instanceof TableFault &&
    (error.kind === "busy" || error.kind === "silent");
}
