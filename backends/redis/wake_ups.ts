import { runtime } from "../../runtime/mod.ts";
import type { Connector } from "./connector.ts";

// How long to leave a server alone that cannot be listened to, in milliseconds.
const PAUSE_MS = 250;

const LINGER_MS = 50;

/** What a waiter is told. */
export interface Listener {
  /**
   * A message for this waiter.
   *
   * @param words The message after the owner.
   */
  onMessage(words: readonly string[]): void;
  /** Messages may have been missed; from now on they are heard again. */
  onRecovery(): void;
}

/**
 * The one subscriber of this process at a server: a channel of its own, on
 * which the server tells each waiting owner of their turn.
 */
export class WakeUps {
  /** The channel. */
  readonly channel: string = `locking:wake:${runtime.identity.randomId()}`;
  readonly #connector: Connector;
  readonly #listeners = new Map<string, Listener>();
  #opening: Promise<boolean> | null = null;
  #heard = false;
  #stop: (() => void) | null = null;

  /** @param connector How the server is reached. */
  constructor(connector: Connector) {
    this.#connector = connector;
  }

  /** Whether messages are heard now. */
  get heard(): boolean {
    return this.#heard;
  }

  /**
   * Starts to listen, if that is not done yet.
   *
   * @returns Whether messages are heard.
   */
  open(): Promise<boolean> {
    if (this.#heard) return Promise.resolve(true);
    return this.#opening ??= this.#subscribe().finally(() =>
      this.#opening = null
    );
  }

  /**
   * Passes the messages for an owner on.
   *
   * @param owner The owner.
   * @param listener What to tell.
   */
  listen(owner: string, listener: Listener): void {
    this.#listeners.set(owner, listener);
  }

  /**
   * Passes them on no more.
   *
   * @param owner The owner.
   */
  forget(owner: string): void {
    this.#listeners.delete(owner);
    this.#rest();
  }

  // A subscriber that would keep the process alive is not kept for the next
  // wait, unless that comes very soon.
  #rest(): void {
    if (this.#stop === null || this.#listeners.size > 0) return;
    runtime.timers.after(LINGER_MS, () => {
      if (this.#listeners.size > 0) return;
      this.#stop?.();
      this.#stop = null;
      this.#heard = false;
    });
  }

  async #subscribe(): Promise<boolean> {
    try {
      await this.#connector.prepare();
      this.#stop = await this.#connector.subscribe(
        this.channel,
        (message) => this.#onMessage(message),
        () => this.#onEnd(),
      );
      this.#heard = true;
      this.#rest();
      return true;
    } catch {
      // Waiters refresh their places: that tells them of their turn, too, and
      // of what is wrong with the server.
      return false;
    }
  }

  #onMessage(message: string): void {
    const [owner = "", ...words] = message.split(" ");
    this.#listeners.get(owner)?.onMessage(words);
  }

  #onEnd(): void {
    this.#heard = false;
    this.#stop = null;
    if (this.#listeners.size > 0) void this.#recover();
  }

  async #recover(): Promise<void> {
    while (this.#listeners.size > 0 && !(await this.open())) {
      await new Promise<void>((resolve) => {
        runtime.timers.after(PAUSE_MS, resolve);
      });
    }
    for (const listener of this.#listeners.values()) listener.onRecovery();
  }
}
