import type { MaybePromise } from "../../runtime/types.ts";
import type { Backend, Contention, Grant, Keeper } from "./backend.ts";
import type { Holder } from "./holder.ts";

/**
 * A backend whose code is loaded when it is first used: a program that imports
 * every lock starts about as fast as one that imports only the lock it takes.
 *
 * @typeParam Code The module that is loaded.
 */
export abstract class LazyBackend<Code> implements Backend {
  readonly key: string;
  readonly terms: string;
  #keeper: Keeper | null = null;

  /**
   * @param key What the lock is.
   * @param terms On what terms it is taken.
   */
  constructor(key: string, terms: string) {
    this.key = key;
    this.terms = terms;
  }

  /** Loads the code. */
  protected abstract load(): MaybePromise<Code>;

  /**
   * Makes what takes the lock.
   *
   * @param code The code.
   * @returns What takes it.
   */
  protected abstract make(code: Code): Keeper;

  tryTake(willWait: boolean, defers?: boolean): MaybePromise<Grant | null> {
    const keeper = this.#open();
    if (!(keeper instanceof Promise)) return keeper.tryTake(willWait, defers);
    return keeper.then((loaded) => loaded.tryTake(willWait, defers));
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
    const code = this.load();
    if (code instanceof Promise) return code.then((code) => this.#use(code));
    return this.#use(code);
  }

  #use(code: Code): Keeper {
    return this.#keeper ??= this.make(code);
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
