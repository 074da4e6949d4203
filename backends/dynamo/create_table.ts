import { runtime } from "../../runtime/mod.ts";
import type { CallOptions } from "../core/call_options.ts";
import { pause } from "../core/pause.ts";
import { callOptions } from "./call_options.ts";
import type { Operation } from "./driver.ts";
import { TableFault } from "./faults.ts";
import type { Link } from "./link.ts";

// How long a table may take until it can be used, in milliseconds.
const LONGEST_MS = 120_000;

// The shortest and the longest pause between two looks at it.
const SHORTEST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2000;

// What one step may take: the control plane is slower than the data plane.
const STEP: CallOptions = {
  ...callOptions(Infinity),
  limitMs: 20_000,
  paceMs: 5000,
};

/** A table that may be missing. */
export interface Site {
  /** The table's name. */
  readonly name: string;
  /** The table, for messages. */
  readonly label: string;
  /** The way to its service. */
  readonly link: Link;
}

/** What the service tells of a table, as far as it matters. */
interface Description {
  readonly Table?: { readonly TableStatus?: string };
}

/**
 * Creates a table, paid by request, with its TTL on the expiry, and waits until
 * it can be used. Others may be doing the same.
 *
 * @param table The table.
 * @returns A promise until it is there.
 * @throws {TableFault} If it cannot be created.
 */
export async function createTable(table: Site): Promise<void> {
  const began = runtime.clock.monotonic();
  let pauseMs = SHORTEST_PAUSE_MS;
  for (;;) {
    const status = await statusOf(table);
    if (status === "ACTIVE") break;
    // Missing, or gone meanwhile: one that is being deleted is so in the end.
    if (status === undefined) await create(table);
    if (runtime.clock.monotonic() - began > LONGEST_MS) {
      const message = `${table.label}: not ACTIVE after ${LONGEST_MS} ms`;
      throw new TableFault("busy", message);
    }
    await pause(pauseMs);
    pauseMs = Math.min(LONGEST_PAUSE_MS, 2 * pauseMs);
  }
  await enableTtl(table);
}

// Others may be creating it, too.
async function create(table: Site): Promise<void> {
  await tolerate(
    /^(?:ResourceInUse|LimitExceeded)/,
    () =>
      ask(table, "CreateTable", {
        BillingMode: "PAY_PER_REQUEST",
        AttributeDefinitions: [{
          AttributeName: "lockname",
          AttributeType: "S",
        }],
        KeySchema: [{ AttributeName: "lockname", KeyType: "HASH" }],
      }),
  );
}

// Somebody else has enabled it, or is about to; or the service has no TTL, which
// is housekeeping only.
async function enableTtl(table: Site): Promise<void> {
  const expected =
    /already enabled|being (?:en|dis)abled|modified multiple times|^UnknownOperation|^ResourceInUse/;
  await tolerate(expected, () =>
    ask(table, "UpdateTimeToLive", {
      TimeToLiveSpecification: { Enabled: true, AttributeName: "expiry" },
    }));
}

async function statusOf(table: Site): Promise<string | undefined> {
  try {
    const description = await ask(table, "DescribeTable", {}) as Description;
    return description.Table?.TableStatus;
  } catch (error) {
    // What has just been created may not be known everywhere yet.
    if (error instanceof TableFault && error.kind === "missing") return;
    throw error;
  }
}

async function ask(
  table: Site,
  operation: Operation,
  input: object,
): Promise<object> {
  const request = { operation, input: { TableName: table.name, ...input } };
  return await table.link.ask(() => request, STEP);
}

async function tolerate(
  expected: RegExp,
  step: () => Promise<unknown>,
): Promise<void> {
  try {
    await step();
  } catch (error) {
    const { name, message } = (error as TableFault).cause as Error ?? {};
    if (!expected.test(`${name}: ${message}`)) throw error;
  }
}
