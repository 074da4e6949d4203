import type { Contention, Grant, Keeper } from "../core/backend.ts";
import { toLockError } from "../core/backend_errors.ts";
import type { Holder } from "../core/holder.ts";
import { Place } from "./place.ts";
import { LOOK } from "./scripts.ts";
import { callOptions, type RedisServer } from "./server.ts";
import { readHolder, type SharedLock } from "./shared_lock.ts";

/** A lock of one server, with a fair queue there. */
export class FairKeeper implements Keeper {
  readonly #lock: SharedLock;
  readonly #server: RedisServer;
  #place: Place | null = null;

  /**
   * @param lock The lock.
   * @param server The server that keeps it.
   */
  constructor(lock: SharedLock, server: RedisServer) {
    this.#lock = lock;
    this.#server = server;
  }

  async tryTake(willWait: boolean): Promise<Grant | null> {
    const place = new Place(this.#lock, this.#server);
    try {
      const grant = await place.attempt(willWait);
      if (grant === null && willWait) this.#place = place;
      return grant;
    } catch (error) {
      throw this.#toError("Cannot acquire", error);
    }
  }

  async take(contention: Contention): Promise<Grant | null> {
    const place = this.#place!;
    this.#place = null;
    try {
      return await place.wait(contention);
    } catch (error) {
      throw this.#toError("Cannot wait for", error);
    }
  }

  async holder(): Promise<Holder | null> {
    const { key, terms } = this.#lock;
    const call = { script: LOOK, keys: [key], args: [] };
    try {
      const { values: [text, leftMs] } = await this.#server.link.call(
        call,
        callOptions(terms.ttlMs),
      );
      return text === null ? null : readHolder(String(text), Number(leftMs));
    } catch (error) {
      throw this.#toError("Cannot find the holder of", error);
    }
  }

  trouble(): string | null {
    return this.#server.link.trouble?.message ?? null;
  }

  #toError(action: string, error: unknown): Error {
    return toLockError(action, this.#lock.name, error);
  }
}
