import type { MaybePromise } from "../../runtime/types.ts";
import type { Backend, Contention, Grant, Keeper } from "./backend.ts";
import type { Holder } from "./holder.ts";

/**
 * A backend whose code is loaded when it is first used: a program that imports
 * every lock starts about as fast as one that imports only the lock it takes.
 *
 * @typeParam Code The module that is loaded.
 */
export class LazyBackend<Code> implements Backend {
  readonly key: string;
  readonly terms: string;
  readonly #load: () => MaybePromise<Code>;
  readonly #make: (code: Code) => Keeper;
  #keeper: Keeper | null = null;

  /**
   * @param identity The backend's key and terms.
   * @param load Loads the code.
   * @param make Makes what takes the lock.
   */
  constructor(
    identity: Pick<Backend, "key" | "terms">,
    load: () => MaybePromise<Code>,
    make: (code: Code) => Keeper,
  ) {
    this.key = identity.key;
    this.terms = identity.terms;
    this.#load = load;
    this.#make = make;
  }

  tryTake(willWait: boolean): MaybePromise<Grant | null> {
    const keeper = this.#open();
    if (!(keeper instanceof Promise)) return keeper.tryTake(willWait);
    return keeper.then((loaded) => loaded.tryTake(willWait));
  }

  async take(contention: Contention): Promise<Grant | null> {
    return await (await this.#open()).take(contention);
  }

  async holder(): Promise<Holder | null> {
    return await (await this.#open()).holder();
  }

  trouble(): string | null {
    return this.#keeper?.trouble?.() ?? null;
  }

  #open(): MaybePromise<Keeper> {
    if (this.#keeper !== null) return this.#keeper;
    const code = this.#load();
    if (code instanceof Promise) return code.then((code) => this.#use(code));
    return this.#use(code);
  }

  #use(code: Code): Keeper {
    return this.#keeper ??= this.#make(code);
  }
}

/**
 * Loads code once, and again only where that failed.
 *
 * @typeParam T What is loaded.
 * @param load Loads it.
 * @returns Gives it: at once where it has been loaded before.
 */
export function once<T>(load: () => Promise<T>): () => MaybePromise<T> {
  let loaded: T | undefined;
  return () => loaded ?? load().then((code) => loaded = code);
}
