/**
 * Made-up items in DynamoLock's table, and made-up answers of its service:
 * whoever may write there, or stands between, may say anything.
 */
import assert from "node:assert/strict";
import { createServer, type ServerResponse } from "node:http";
import { describe, it } from "node:test";
import { DynamoLock, type DynamoLockOptions, type Holder } from "../mod.ts";
import {
  type DynamoServer,
  dynamoTest,
  fileDynamo,
  noEngine,
  type RawItem,
} from "./_dynamo.ts";
import { fuzz, mutate, nastyText, nearJson, randomBytes } from "./_fuzz.ts";
import type { Random } from "./_random.ts";
import { uniqueName } from "./_names.ts";
import { within } from "./_time.ts";

// An engine that many ask at once is slow, and is not to be taken for silent.
const TERMS = { ttlMs: 1000, heartbeatIntervalMs: 250 };

const dynalite = fileDynamo("dynalite");
const local = fileDynamo("local");

type Value = Record<string, unknown>;

/** Numbers as the service takes them. */
const NUMBERS: readonly string[] = [
  ...["0", "-1", "1", "0.5", "5", "1e30", "-1e30", "1e125", "1e-130", "100"],
  ...["9".repeat(38), "-" + "9".repeat(38), "9".repeat(37), "86400000"],
  ...["8640000000000001", "1795542588.123", "9007199254740993"],
];

function makeValue(random: Random): Value {
  switch (random.below(8)) {
    case 0:
      return { BOOL: random.once(2) };
    case 1:
      return { NULL: true };
    case 2:
      return { M: { N: { N: "5" }, S: { S: "a" } } };
    case 3:
      return { L: [{ N: "5" }] };
    case 4:
      return { SS: ["a", "b"] };
    case 5:
      return { S: nastyText(random).toWellFormed().slice(0, 20_000) };
    default:
      return { N: random.pick(NUMBERS) };
  }
}

/** An item that is nearly such as ours. */
function makeItem(random: Random): RawItem {
  const item: Record<string, Value> = {
    expiry: { N: "1795542593.25" },
    host: { S: "web-3" },
    pid: { N: "812" },
    lockid: { N: "31415926535897932384" },
    ttl: { N: "1000" },
    fence: { N: "1795542588000000" },
  };
  const keys = Object.keys(item);
  for (let i = random.below(3); i >= 0; i--) {
    const key = random.pick([...keys, "extra", "__proto__x"]);
    if (random.once(4)) delete item[key];
    else item[key] = makeValue(random);
  }
  return item as RawItem;
}

function assertHolder(
  { host, pid, expiresAt, fencingToken = 0n }: Holder,
): void {
  assert.equal(typeof host, "string");
  assert.ok(Number.isSafeInteger(pid) && pid >= 0, `pid ${pid}`);
  if (expiresAt) assert.ok(Number.isFinite(expiresAt.getTime()));
  assert.equal(typeof fencingToken, "bigint");
}

/** What came of something that may fail, but only as a lock does. */
async function outcome<T>(
  what: string,
  run: () => Promise<T>,
  ms = 10_000,
): Promise<T | Error> {
  try {
    return await within(ms, what, run());
  } catch (error) {
    const { code, message } = error as Error & { code?: string };
    if (code !== "LOCK_TIMEOUT") assert.equal(code, "LOCK_BACKEND", message);
    assert.match(message, /^Cannot /);
    return error as Error;
  }
}

for (const [engine, file] of Object.entries({ dynalite, local })) {
  const missing = noEngine(engine as "dynalite" | "local");
  describe(`DynamoLock of made-up items (${engine})`, () => {
    dynamoTest(
      "holds none that somebody may hold, and reads them all",
      () =>
        fuzz("items", {
          rounds: 40,
          atOnce: 20,
          make: makeItem,
          check: (item) => useItem(file.own, item),
        }),
      missing,
    );
  });
}

async function useItem(own: DynamoServer, item: RawItem): Promise<void> {
  const { endpoint } = own;
  const lock = new DynamoLock(uniqueName(), { endpoint, ...TERMS });
  await own.put({ ...item, lockname: { S: lock.name } });
  const expiry = item.expiry;
  const isFree = expiry === undefined || Number(expiry.N) === 0;
  const holder = await outcome("holder()", () => lock.holder());
  if (holder !== null && !(holder instanceof Error)) assertHolder(holder);
  if (!isFree) assert.ok(holder !== null, "held, and nobody's");
  const tried = await outcome("a try", () => lock.tryAcquire());
  if (!isFree) assert.ok(tried === null || tried instanceof Error, "granted");
  const options = { timeoutMs: 1.5 * TERMS.ttlMs };
  const lease = tried instanceof Error || tried === null
    ? await outcome("it", () => lock.acquire(options))
    : tried;
  if (lease instanceof Error) return;
  const before = readToken(item);
  assert.ok(lease.fencingToken! > before, `${lease.fencingToken}`);
  await outcome("a release", () => lease.release());
  const next = await outcome("the next", () => lock.acquire(options));
  if (next instanceof Error) return;
  assert.ok(next.fencingToken! > lease.fencingToken!, `${next.fencingToken}`);
  await outcome("a release", () => next.release());
}

/** The token that stood in an item, without a fraction. */
function readToken({ fence }: RawItem): bigint {
  const digits = /^\d+$/.exec(fence?.N ?? "")?.[0];
  return digits === undefined ? -1n : BigInt(digits);
}

/** What is wrong with an answer. */
interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly bytes: Uint8Array;
  /** Whether it ends before its time. */
  readonly cut: boolean;
}

function makeAnswer(random: Random): Answer {
  const right = random.pick<object>([
    {},
    { Item: makeItem(random) },
    { Attributes: makeItem(random) },
    { Items: [makeItem(random)], Count: 1 },
    { __type: "com.amazonaws.dynamodb.v20120810#SomeException", message: "x" },
    { __type: nastyText(random), message: nastyText(random), Item: 5 },
  ]);
  const text = random.once(2) ? JSON.stringify(right) : nearJson(random, right);
  const bytes = random.once(3)
    ? mutate(random, text)
    : random.once(10)
    ? randomBytes(random, 2000)
    : new TextEncoder().encode(text);
  return {
    status: random.pick([200, 200, 200, 204, 400, 400, 404, 429, 500, 503]),
    headers: {
      "content-type": random.pick(["application/x-amz-json-1.0", "text/html"]),
      date: random.pick([
        ...[new Date().toUTCString(), "yesterday", "", "0", "NaN"],
        ...["Fri, 31 Dec 9999 23:59:59 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"],
      ]),
      ...random.once(4) && { "x-amz-crc32": "1" },
    },
    bytes,
    cut: random.once(8),
  };
}

function send(response: ServerResponse, answer: Answer): void {
  const { status, headers, bytes, cut } = answer;
  response.sendDate = false;
  const length = cut ? bytes.length + 10 : bytes.length;
  const hasBody = status !== 204;
  response.writeHead(status, {
    ...headers,
    ...hasBody && { "content-length": length },
  });
  if (!hasBody) return void response.end();
  if (!cut) return void response.end(bytes);
  response.write(bytes);
  setTimeout(() => response.destroy(), 2);
}

/** Runs something with a service that answers as it is told. */
async function withService(
  run: (endpoint: string, say: (answer: Answer) => void) => Promise<void>,
): Promise<void> {
  let answer: Answer | undefined;
  const server = createServer((request, response) => {
    request.resume();
    request.on("end", () => answer ? send(response, answer) : response.end());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as { port: number };
  try {
    await run(`http://127.0.0.1:${port}`, (next) => answer = next);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

describe("DynamoLock of a service that answers anything", () => {
  it("takes what it can for an answer, and the rest for LOCK_BACKEND", () =>
    fuzz("answers of a service", {
      rounds: 30,
      atOnce: 30,
      make: makeAnswer,
      check: (answer) =>
        withService(async (endpoint, say) => {
          say(answer);
          const options: DynamoLockOptions = { endpoint, ...TERMS };
          const lock = new DynamoLock(uniqueName(), options);
          const holder = await outcome("holder()", () => lock.holder());
          if (holder && !(holder instanceof Error)) assertHolder(holder);
          // What the service grants is granted, whatever it is.
          const lease = await outcome("a try", () => lock.tryAcquire());
          if (lease && !(lease instanceof Error)) {
            await outcome("a release", () => lease.release());
          }
        }),
    }));
});
