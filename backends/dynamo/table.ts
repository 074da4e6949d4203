import type { CallOptions } from "../core/call_options.ts";
import { Heartbeats } from "../core/heartbeats.ts";
import { createTable } from "./create_table.ts";
import type { Driver, DynamoClient } from "./driver.ts";
import { isConditionFailed } from "./faults.ts";
import type { Item } from "./item.ts";
import { Link, type MakeRequest, type Output } from "./link.ts";
import { Observations } from "./observations.ts";
import { look, type Place } from "./requests.ts";

/** What came of a write. */
export interface Reply {
  /** Whether its condition did not hold. */
  readonly refused: boolean;
  /** What was written; where it was refused, what stands there instead. */
  readonly item: Item | undefined;
  /** Whether an earlier try, ours or the driver's, may have been applied. */
  readonly repeated: boolean;
}

/** A lease that a table renews. */
export interface Renewable {
  /** Renews it; never rejects. */
  renew(): Promise<void>;
}

/** One table, as all locks of this process share it. */
export class DynamoTable {
  /** The table's name. */
  readonly name: string;
  /** The table, for messages. */
  readonly label: string;
  /** The way to it. */
  readonly link: Link;
  /** What was seen of other processes' leases. */
  readonly observations: Observations = new Observations();
  /** The heartbeats of everything held there. */
  readonly heartbeats: Heartbeats<Renewable> = new Heartbeats((due) => {
    for (const lease of due) void lease.renew();
  });
  #creation: Promise<void> | null = null;

  /**
   * @param name The table's name.
   * @param where Where it is, for messages.
   * @param connect Gives the client; called once, on first use.
   */
  constructor(
    name: string,
    where: string,
    connect: (driver: Driver) => DynamoClient,
  ) {
    this.name = name;
    this.label = `table ${JSON.stringify(name)}${where}`;
    this.link = new Link({ table: name, label: this.label, connect });
  }

  /** What is wrong with the table now, in words, or null. */
  get trouble(): string | null {
    if (this.#creation) return `${this.label} is being created`;
    return this.link.trouble;
  }

  /**
   * Writes, as often as it takes to know what came of it.
   *
   * @param make Makes the request, anew for each try.
   * @param options How it is made.
   * @returns What came of it.
   * @throws {TableFault} If that cannot be known.
   */
  async write(make: MakeRequest, options: CallOptions): Promise<Reply> {
    let tries = 0;
    const makeAnother: MakeRequest = (sentAt) => {
      tries++;
      return make(sentAt);
    };
    try {
      const { Attributes } = await this.link.ask(makeAnother, options);
      return { refused: false, item: Attributes, repeated: tries > 1 };
    } catch (error) {
      if (!isConditionFailed(error)) throw error;
      const { Item, $metadata } = error as Output;
      const repeated = tries > 1 || ($metadata?.attempts ?? 1) > 1;
      return { refused: true, item: Item, repeated };
    }
  }

  /**
   * Reads a lock's item.
   *
   * @param place The item.
   * @param consistent Whether it must be the newest state.
   * @param options How it is asked for.
   * @returns The item; undefined when there is none.
   * @throws {TableFault} If there is no answer.
   */
  async read(
    place: Place,
    consistent: boolean,
    options: CallOptions,
  ): Promise<Item | undefined> {
    const request = look(place, consistent);
    return (await this.link.ask(() => request, options)).Item;
  }

  /**
   * Creates the table; once, however many want it.
   *
   * @returns A promise until it can be used.
   * @throws {TableFault} If it cannot be created.
   */
  create(): Promise<void> {
    return this.#creation ??= createTable(this).finally(() => {
      this.#creation = null;
    });
  }
}
