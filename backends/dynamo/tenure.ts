import { runtime } from "../../runtime/mod.ts";
import type { Moment } from "../core/lease_clock.ts";

interface Writing {
  readonly expiryMs: number;
  readonly sentAt: Moment;
}

/**
 * What this process has written, or may have, of one lease: who holds it, and
 * the expiries, each greater than the one before. So whatever stands in the
 * table tells which request put it there, and from when it counts.
 */
export class Tenure {
  /** Who holds it: a number of up to 37 digits, unique to one attempt. */
  readonly owner: string = newOwner();
  readonly #writings: Writing[] = [];
  #lastMs = 0;

  /**
   * The next expiry to write.
   *
   * @param atMs When the lease shall expire, in whole milliseconds since the
   * epoch.
   * @param sentAt The moment, before it is sent.
   * @returns That, or later where the clock was set back.
   */
  next(atMs: number, sentAt: Moment): number {
    this.#lastMs = Math.max(atMs, this.#lastMs + 1);
    this.#writings.push({ expiryMs: this.#lastMs, sentAt });
    return this.#lastMs;
  }

  /** Forgets what was written: it was refused, and is not under way. */
  forget(): void {
    this.#writings.length = 0;
  }

  /**
   * Finds the request that wrote an expiry, and forgets those before it.
   *
   * @param expiryMs The expiry.
   * @returns When it was sent; null if it was none that may be outstanding.
   */
  settle(expiryMs: number): Moment | null {
    const found = this.#writings.findIndex((w) => w.expiryMs === expiryMs);
    if (found === -1) return null;
    const [written] = this.#writings.splice(0, found + 1).slice(-1);
    return written!.sentAt;
  }
}

function newOwner(): string {
  return String(BigInt(`0x${runtime.identity.randomId()}`) >> 8n);
}
