import { runtime } from "../../runtime/mod.ts";
import type {
  Connection,
  ConnectionHandlers,
  Listener,
  MaybePromise,
} from "../../runtime/types.ts";
import { Followers } from "./followers.ts";
import {
  FOLLOWING_MS,
  HEARING_MS,
  MOST_OVERTAKING,
  NEXT,
  OVERTAKING_MS,
} from "./periods.ts";
import { nextTurn } from "./turns.ts";
import { visit } from "./visit.ts";
import {
  ASK_HOLDER,
  type Hello,
  LineReader,
  parseHello,
  toLine,
} from "./wire.ts";

// Strangers may connect and say nothing; the oldest of them makes room.
const MOST_SILENT = 128;

/** A waiter of another process, as its holder sees it. */
interface Guest {
  readonly connection: Connection;
  /** Since when it waits, on this process's clock. */
  readonly since: number;
  /** How many came before it at a holder that has gone; null if it is new. */
  readonly aheadBefore: number | null;
}

/**
 * The holder's side of the hand-over: the waiters of other processes that keep
 * a connection to this one, the longest waiting first.
 *
 * Everybody who waits hangs on the holder and on nobody else. So nobody can
 * hold the others up but the holder, and the holder's death, like its release,
 * reaches everyone as the end of a connection, from the kernel.
 */
export class Room {
  readonly #guests: Guest[] = [];
  /** Who has not said what they want. */
  readonly #silent = new Set<Connection>();
  #settledAt = Infinity;
  #overtaken = 0;
  #acquiredAt: number | null = null;
  #onGuest: (() => void) | null = null;
  #lobby: Listener | null = null;
  #lobbyAddress: string | null = null;
  readonly #followers = new Followers();

  /** Whether nobody is connected, nor can be without the door. */
  get empty(): boolean {
    return this.#lobby === null && this.#guests.length === 0 &&
      this.#silent.size === 0;
  }

  /** Whether newcomers may no longer overtake the first waiter. */
  get settled(): boolean {
    if (this.#guests.length === 0) return false;
    return this.#overtaken >= MOST_OVERTAKING ||
      runtime.clock.monotonic() >= this.#settledAt;
  }

  /** Lets nobody overtake the first waiter any more, whoever that will be. */
  settle(): void {
    this.#settledAt = runtime.clock.monotonic();
  }

  /**
   * Lets somebody in; to be given to the listener.
   *
   * @param connection The connection.
   * @returns Its handlers.
   */
  readonly admit = (connection: Connection): ConnectionHandlers => {
    const reader = new LineReader();
    let heard = false;
    this.#silent.add(connection);
    this.#limitSilent();
    return {
      onData: (bytes) => {
        // Once: who asks again and again, and reads nothing, is not answered.
        if (heard) return;
        const lines = reader.push(bytes);
        if (lines === null) return connection.close();
        heard = lines.length > 0;
        if (heard) this.#hear(connection, lines[0]!);
      },
      onClose: () => this.#forget(connection),
    };
  };

  /** Notes that the lock was freed. */
  freed(): void {
    this.#acquiredAt = null;
  }

  /** Notes that the lock was taken anew. */
  taken(): void {
    this.#acquiredAt = runtime.clock.wall();
    if (this.#guests.length > 0) this.#overtaken++;
  }

  /**
   * Waits for those who have waited longer than the one who took the lock.
   *
   * @param options Who may come.
   * @param options.waitedMs How long the one who took the lock has waited.
   * @param options.claimants After how many of them it need not wait for more.
   * @param options.ms How long they may take.
   * @returns Whether somebody came.
   */
  async claimed(
    { waitedMs, claimants, ms }: {
      waitedMs: number;
      claimants: number;
      ms: number;
    },
  ): Promise<boolean> {
    const since = runtime.clock.monotonic() - waitedMs;
    const older = (): number =>
      this.#guests.filter((guest) => guest.since < since).length;
    if (older() < claimants) await this.#until(() => older() >= claimants, ms);
    return older() > 0;
  }

  /**
   * Lets waiters in at an address that stays bound until the room is dissolved,
   * however often the lock is freed and taken again meanwhile.
   *
   * @param address The address, or null where there can be none.
   * @returns Whether there is such an address now.
   */
  openLobby(address: string | null): boolean {
    if (address === null) return this.#lobby !== null;
    if (this.#lobby !== null && this.#lobbyAddress === address) return true;
    void this.#lobby?.close();
    this.#lobby = null;
    this.#lobbyAddress = null;
    try {
      const listener = runtime.sockets.listen(address, this.admit);
      if (listener instanceof Promise) listener.catch(() => {});
      else this.#lobby = listener;
    } catch {
      // No descriptor left, or no such socket here: the door will have to do.
    }
    if (this.#lobby === null) return false;
    this.#lobby.open();
    this.#lobbyAddress = address;
    return true;
  }

  /**
   * Notes how many waiters are to follow from the former holder.
   *
   * @param followers How many there were besides this process.
   * @param told Whether the former holder said so when it went.
   */
  expect(followers: number, told: boolean): void {
    this.#followers.expect(followers, told);
  }

  /** Whether the next who are to follow have not come yet, but still may. */
  get incomplete(): boolean {
    return this.#followers.areAwaited(this.#followed(NEXT));
  }

  /**
   * Waits for the next who are to follow.
   *
   * @returns A promise that resolves when they are there, or their time is up.
   */
  completed(): Promise<void> {
    return this.#until(() => !this.incomplete, this.#followers.nextInMs);
  }

  /** How many wait, those on the way from the former holder among them. */
  get waiters(): number {
    return this.#guests.length + this.#missing;
  }

  /** How many have come from the former holder, of the first there or of all. */
  #followed(first = Infinity): number {
    let count = 0;
    for (const { aheadBefore } of this.#guests) {
      const isFirst = (aheadBefore ?? 0) <= first;
      if (isFirst && this.#followers.include(aheadBefore)) count++;
    }
    return count;
  }

  get #missing(): number {
    return this.#followers.missing(this.#followed());
  }

  /** How many come before a guest, of whom some may be on the way. */
  #ahead({ aheadBefore }: Guest, place: number): number {
    return aheadBefore === null ? place + this.#missing : place;
  }

  #until(isSo: () => boolean, ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        timer.cancel();
        this.#onGuest = null;
        resolve();
      };
      const timer = runtime.timers.after(ms, end, { keepAlive: true });
      this.#onGuest = () => {
        if (isSo()) end();
      };
    });
  }

  /**
   * Lets in and hears out whoever is at the door, so that they know their place
   * and come to the next holder with it.
   *
   * @param door The address of the door, where there is one.
   * @returns A promise that resolves when that is done.
   */
  async hearAll(door: string | null): Promise<void> {
    const address = this.#lobbyAddress ?? door;
    await nextTurn(); // They are let in,
    if (!runtime.sockets.overlooks) await nextTurn(); // and heard.
    else if (address !== null) await knock(address);
    if (this.settled && this.#silent.size > 0) {
      await this.#until(() => this.#silent.size === 0, HEARING_MS);
    }
  }

  /** Sends away who has not said what they want: they will knock again. */
  dismissSilent(): void {
    const silent = [...this.#silent];
    this.#silent.clear();
    closeAll(silent);
  }

  /**
   * Sends everybody away: the first waiter to take the lock, the others to
   * follow the next holder.
   *
   * @returns A promise where the lobby is closed only once it has settled.
   */
  dissolve(): MaybePromise<void> {
    // How many are to follow the first, and who is to follow at once.
    for (let place = 0; place <= NEXT; place++) this.#tellPlace(place);
    const leaving = this.#guests.map(({ connection }) => connection);
    leaving.push(...this.#silent);
    const lobby = this.#lobby;
    this.#settledAt = Infinity;
    this.#followers.clear();
    this.#overtaken = 0;
    this.#guests.length = 0;
    this.#silent.clear();
    this.#lobby = null;
    this.#lobbyAddress = null;
    // The waiters are told at once, though the lobby's address may be free only
    // in a turn of an event loop that may not come.
    const closed = lobby?.close();
    closeAll(leaving);
    return closed;
  }

  #hear(connection: Connection, line: string): void {
    if (!this.#silent.has(connection)) return;
    const hello = parseHello(line);
    // A lobby outlasts a hold by a turn or more: nobody is to wait for a release
    // that has been.
    if (hello === null || this.#acquiredAt === null) return connection.close();
    if (hello.want === "holder") return this.#tell(connection, 0);
    this.#silent.delete(connection);
    this.#seat(connection, hello);
  }

  #seat(connection: Connection, hello: Hello): void {
    const now = runtime.clock.monotonic();
    const { waitedMs, aheadBefore } = hello;
    const guest = { connection, since: now - waitedMs, aheadBefore };
    // Its former holder has gone: it has had its time of being overtaken.
    const settlesAt = hello.claim ? now : now + OVERTAKING_MS;
    this.#settledAt = Math.min(this.#settledAt, settlesAt);
    const later = this.#guests.findIndex(({ since }) => since > guest.since);
    const place = later === -1 ? this.#guests.length : later;
    this.#guests.splice(place, 0, guest);
    this.#tellPlace(place);
    if (place === 0 && later === 0) this.#tellPlace(1);
    this.#onGuest?.();
  }

  #forget(connection: Connection): void {
    if (this.#silent.delete(connection)) this.#onGuest?.();
    const place = this.#guests.findIndex((g) => g.connection === connection);
    if (place === -1) return;
    const [guest] = this.#guests.splice(place, 1);
    if (this.#followers.include(guest!.aheadBefore)) this.#followers.leave();
    if (place === 0) this.#tellPlace(0);
  }

  #tellPlace(place: number): void {
    const guest = this.#guests[place];
    if (guest) this.#tell(guest.connection, this.#ahead(guest, place));
  }

  #tell(connection: Connection, ahead: number): void {
    const { identity, clock } = runtime;
    connection.send(toLine({
      ahead,
      others: Math.max(0, this.waiters - 1),
      settlesInMs: Number.isFinite(this.#settledAt)
        ? Math.max(0, this.#settledAt - clock.monotonic())
        : 0,
      host: identity.host(),
      pid: identity.pid,
      acquiredAt: this.#acquiredAt ?? clock.wall(),
    }));
  }

  #limitSilent(): void {
    if (this.#silent.size <= MOST_SILENT) return;
    const [oldest] = this.#silent;
    this.#silent.delete(oldest!);
    oldest!.close();
  }
}

// Those who knocked before us have been let in when we are answered.
async function knock(address: string): Promise<void> {
  try {
    await visit(address, {
      hello: ASK_HOLDER,
      pollMs: { deaf: FOLLOWING_MS, answered: 0 },
      onReply: () => {},
    });
  } catch {
    // No descriptor left: a release goes on all the same.
  }
}

function closeAll(connections: Connection[]): void {
  for (const connection of connections) connection.close();
}
