/**
 * What DynamoLock costs, in request units and in dollars, beside npm's
 * dynamodb-lock-client and awslabs' amazon-dynamodb-lock-client: three quarters
 * of a minute of `deno run -A bench/dynamo_cost.ts`.
 *
 * The units are those that the engine reports for each request
 * (`ReturnConsumedCapacity`). A refused conditional write reports none. It is
 * counted as one write unit, as the DynamoDB Developer Guide says of an item of
 * up to 1 KB ("Capacity units consumed by conditional writes").
 *
 * @module
 */
import { DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { createRequire } from "node:module";
import { promisify } from "node:util";
import { type DynamoClient, DynamoLock } from "../backends/dynamo.ts";
import { DynamoServer, noEngine } from "../tests/_dynamo.ts";
import { sleep } from "../tests/_time.ts";

const CYCLES = 20;
/** How many holders and waiters there are at once. */
const PAIRS = 8;
/** Until all wait as they will go on to; then for how long they are watched. */
const SETTLE_MS = 7000;
const WINDOW_MS = 30_000;

const HOUR_MS = 3_600_000;

/** DynamoLock's defaults; dynamodb-lock-client has none. */
const TERMS = { ttlMs: 5000, heartbeatIntervalMs: 2000 };

/** In dollars: us-east-1, on demand, Standard tables, since November 2024. */
const PRICE = { write: 0.625 / 1e6, read: 0.125 / 1e6 };

const OTHER = "dynamodb-lock-client@0.7.3";
const OTHER_SDK = "aws-sdk@2.1693.0";
const OTHER_TABLE = "other-locks";

/** What one request consumed. */
interface Charge {
  readonly at: number;
  readonly kind: "read" | "write";
  readonly units: number;
  readonly refused: boolean;
}

/** One line of the result. */
interface Row {
  readonly what: string;
  /** How many of it the price is given for. */
  readonly many: number;
  readonly requests: number;
  readonly refused?: number;
  readonly write: number;
  readonly read: number;
}

/** What the SDKs answer, as far as it matters. */
interface Answer {
  ConsumedCapacity?: { CapacityUnits?: number | undefined } | undefined;
}

/** Takes a lock of some library, and gives what frees it. */
type Acquire = (name: string) => Promise<() => Promise<unknown>>;

/** A library, as a process has it whose requests are metered. */
type Connect = (meter: Meter) => Acquire;

/** Counts what one process asks of the table. */
class Meter {
  readonly charges: Charge[] = [];
  /** Whether nothing leaves the process any more, as if it had been killed. */
  cut = false;

  /** Makes a request, and counts what it consumed. */
  async count<T extends Answer>(
    kind: Charge["kind"],
    send: () => Promise<T>,
  ): Promise<T> {
    if (this.cut) return await new Promise(() => {});
    const charge = { at: performance.now(), kind, units: 1, refused: false };
    try {
      const answer = await send();
      const units = answer.ConsumedCapacity?.CapacityUnits;
      if (units === undefined) throw new Error("The engine counts no units");
      this.charges.push({ ...charge, units });
      return answer;
    } catch (error) {
      const refused = `${error}`.startsWith("ConditionalCheckFailed");
      if (refused) this.charges.push({ ...charge, refused });
      // What is tried again makes it look dearer than it is.
      else console.error(error);
      throw error;
    }
  }
}

function mean(what: string, of: number, many: number, charges: Charge[]): Row {
  const sum = (kind: Charge["kind"]) =>
    charges.reduce((all, c) => c.kind === kind ? all + c.units : all, 0) / of;
  return {
    what,
    many,
    requests: charges.length / of,
    refused: charges.filter(({ refused }) => refused).length / of,
    write: sum("write"),
    read: sum("read"),
  };
}

/** A client of the package `@aws-sdk/client-dynamodb` that is metered. */
function metered(driver: DynamoDBClient, meter: Meter): DynamoClient {
  return {
    send(command, options) {
      const sent = command as GetItemCommand;
      sent.input.ReturnConsumedCapacity = "TOTAL";
      const kind = command instanceof GetItemCommand ? "read" : "write";
      return meter.count(kind, () => driver.send(sent, options));
    },
  };
}

/** DynamoLock. */
function ours(driver: DynamoDBClient): Connect {
  return (meter) => {
    const client = metered(driver, meter);
    return async (name) => {
      const lease = await new DynamoLock(name, { ...TERMS, client }).acquire();
      return () => lease.release();
    };
  };
}

type Callback = (error: unknown, value?: unknown) => void;

/** The lock of dynamodb-lock-client that is free when its lease is over. */
function others(endpoint: string, folder: string): Connect {
  const require = createRequire(`${folder}/package.json`);
  const { DynamoDB } = require("aws-sdk");
  const { FailOpen } = require("dynamodb-lock-client");
  const driver = new DynamoDB.DocumentClient({ endpoint });
  return (meter) => {
    const hook = (name: string, kind: Charge["kind"]) => {
      return (params: object, callback: Callback): void => {
        const input = { ...params, ReturnConsumedCapacity: "TOTAL" };
        meter.count(kind, () => driver[name](input).promise())
          .then((data) => callback(null, data), callback);
      };
    };
    const client = new FailOpen({
      dynamodb: {
        get: hook("get", "read"),
        put: hook("put", "write"),
        delete: hook("delete", "write"),
      },
      lockTable: OTHER_TABLE,
      partitionKey: "lockname",
      leaseDurationMs: TERMS.ttlMs,
      heartbeatPeriodMs: TERMS.heartbeatIntervalMs,
      retryCount: 1e6,
    });
    return async (name) => {
      const lock = await promisify(client.acquireLock).call(client, name);
      return () => promisify(lock.release).call(lock);
    };
  };
}

/** Takes and frees a lock for which nobody contends, in one process. */
async function cycle(connect: Connect): Promise<Row[]> {
  const meter = new Meter();
  const acquire = connect(meter);
  const once = async () => (await acquire("cycle"))();
  await once();
  const first = meter.charges.splice(0);
  for (let i = 0; i < CYCLES; i++) await once();
  return [
    mean("acquire + release, a process's first", 1, 1e6, first),
    mean("acquire + release, any other", CYCLES, 1e6, meter.charges),
  ];
}

/** Tries, in a process that has had a lock before, to take one that is held. */
async function refuse(driver: DynamoDBClient): Promise<Row> {
  const free = await ours(driver)(new Meter())("held");
  const meter = new Meter();
  const client = metered(driver, meter);
  await new DynamoLock("had", { client }).withLock(() => {});
  meter.charges.length = 0;
  await new DynamoLock("held", { client }).tryAcquire();
  await free();
  return mean("tryAcquire() that gives null", 1, 1e6, meter.charges);
}

/** Lets locks be held, and be waited for, each by a process of its own. */
async function hold(connect: Connect): Promise<Row[]> {
  const [holders, waiters] = [meters(), meters()];
  for (const [i, holder] of holders.entries()) {
    await connect(holder)(`held-${i}`);
    void connect(waiters[i]!)(`held-${i}`);
  }
  await sleep(SETTLE_MS);
  const from = performance.now();
  await sleep(WINDOW_MS);
  const hours = PAIRS * (performance.now() - from) / HOUR_MS;
  for (const meter of [...holders, ...waiters]) meter.cut = true;
  const charged = (meters: Meter[]) =>
    meters.flatMap(({ charges }) => charges).filter(({ at }) => at >= from);
  return [
    mean("an hour held", hours, 1e3, charged(holders)),
    mean("an hour waited", hours, 1e3, charged(waiters)),
  ];
}

/** Takes locks whose holders have just died, by processes that had one. */
async function takeOver(connect: Connect): Promise<Row> {
  let longestMs = 0;
  const charges = await Promise.all(
    meters().map(async (waiter, i) => {
      const acquire = connect(waiter);
      await (await acquire(`had-${i}`))();
      waiter.charges.length = 0;
      const holder = new Meter();
      await connect(holder)(`dead-${i}`);
      holder.cut = true;
      const from = performance.now();
      await acquire(`dead-${i}`);
      waiter.cut = true;
      longestMs = Math.max(longestMs, performance.now() - from);
      return waiter.charges;
    }),
  );
  const what = `a dead holder's lock, after ${(longestMs / 1e3).toFixed(1)} s`;
  return mean(what, PAIRS, 1e6, charges.flat());
}

function meters(): Meter[] {
  return Array.from({ length: PAIRS }, () => new Meter());
}

/**
 * What amazon-dynamodb-lock-client 1.4.0 asks by its source
 * (`AmazonDynamoDBLockClient.java`): to acquire, a consistent GetItem and a
 * PutItem; to release, a DeleteItem; for each heartbeat, an UpdateItem; for
 * each look of a waiter, once a second, a consistent GetItem.
 */
function awslabs(leaseMs: number, heartbeatMs: number): Row[] {
  const row = (what: string, many: number, read: number, write: number) => {
    return { what, many, requests: read + write, write, read };
  };
  const s = leaseMs / 1000;
  return [
    row("acquire + release", 1e6, 1, 2),
    row("an hour held", 1e3, 0, HOUR_MS / heartbeatMs),
    row("an hour waited", 1e3, HOUR_MS / 1000, 0),
    row(`a dead holder's lock, after ${s} s`, 1e6, s + 1, 1),
    row("a try that does not wait, in vain", 1e6, 1, 0),
  ];
}

/** What DynamoLock should ask: beats up to a tenth early, looks each 0–1 s. */
function expected(): Row[] {
  const beats = HOUR_MS / (TERMS.heartbeatIntervalMs * 0.95);
  const looks = HOUR_MS / 500;
  return [
    { what: "held", many: 1e3, requests: beats, write: beats, read: 0 },
    { what: "waited", many: 1e3, requests: looks, write: 0, read: looks / 2 },
  ];
}

function print(title: string, rows: readonly Row[]): void {
  const head = ["", "requests", "of them refused", "write units", "read units"];
  console.log(`\n${title}\n\n| ${head.join(" | ")} | dollars |`);
  console.log("| --- | --: | --: | --: | --: | --: |");
  for (const { what, many, requests, refused = 0, write, read } of rows) {
    const numbers = [requests, refused, write, read].map((n) =>
      n.toLocaleString("en", { maximumFractionDigits: n < 100 ? 2 : 0 })
    );
    const price = many * (write * PRICE.write + read * PRICE.read);
    const dollars = `${price.toFixed(2)} for ${many.toLocaleString("en")}`;
    console.log(`| ${[what, ...numbers, dollars].join(" | ")} |`);
  }
}

async function measure(connect: Connect): Promise<Row[]> {
  const cycles = await cycle(connect);
  const waits = await Promise.all([hold(connect), takeOver(connect)]);
  return [...cycles, ...waits.flat()];
}

async function install(folder: string): Promise<void> {
  // Without a manifest of its own, npm would install into a parent folder.
  await Deno.writeTextFile(`${folder}/package.json`, '{ "private": true }\n');
  const { success, stderr } = await new Deno.Command("npm", {
    args: ["install", OTHER, OTHER_SDK, "--ignore-scripts", "--no-audit"],
    cwd: folder,
    stdout: "null",
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

async function main(folder: string): Promise<void> {
  await install(folder);
  const engine = noEngine("local") ? "dynalite" : "local";
  console.log(engine === "local" ? "On DynamoDB Local" : "On dynalite");
  const server = await DynamoServer.start(engine);
  try {
    await server.createTable();
    await server.createTable(OTHER_TABLE);
    const driver = new DynamoDBClient({ endpoint: server.endpoint });
    const tried = await refuse(driver);
    const [our, other] = await Promise.all([
      measure(ours(driver)),
      measure(others(server.endpoint, folder)),
    ]);
    print("DynamoLock, 5 s and 2 s (its defaults)", [...our, tried]);
    print("DynamoLock, computed", expected());
    print(`${OTHER}, 5 s and 2 s (it has no defaults)`, other);
  } finally {
    await server.end();
  }
  const title =
    "amazon-dynamodb-lock-client 1.4.0, by its source, not measured";
  print(`${title}, 20 s and 5 s (its defaults)`, awslabs(20_000, 5000));
  print(`${title}, 5 s and 2 s`, awslabs(5000, 2000));
}

Deno.env.set("AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE", "1");
const folder = await Deno.makeTempDir({ prefix: "dynamo-cost-" });
try {
  await main(folder);
} finally {
  await Deno.remove(folder, { recursive: true });
}
// What was cut off would wait for ever.
Deno.exit();
