/** DynamoLock's table: created, missing, forbidden, or made for something else. */
import { DynamoDB } from "@aws-sdk/client-dynamodb";
import assert from "node:assert/strict";
import { after, before, describe } from "node:test";
import { DynamoLock } from "../backends/dynamo.ts";
import {
  type DynamoServer,
  dynamoTest,
  type Engine,
  fileDynamo,
  noEngine,
  type RawItem,
} from "./_dynamo.ts";
import { assertFails, TAKING, type Way, withProxy } from "./_dynamo_locks.ts";
import type { Fault, HttpProxy } from "./_http_proxy.ts";
import { uniqueName } from "./_names.ts";
import { nthRuntime } from "./_runtimes.ts";
import { until, within } from "./_time.ts";
import { Worker } from "./_worker.ts";

interface Engines {
  readonly own: DynamoServer;
}

const dynalite = fileDynamo("dynalite");
const local = fileDynamo("local");
const engines = Object.entries({ dynalite, local }) as [Engine, Engines][];

/** A lock of a table that there is not. */
function lockOf(
  { endpoint }: { endpoint: string },
  createTable: boolean,
  table = uniqueName("table"),
): DynamoLock {
  return new DynamoLock(uniqueName(), { endpoint, table, createTable });
}

/** Runs something with the SDK's own client. */
async function withSdk<T>(
  { own: { endpoint } }: Engines,
  run: (sdk: DynamoDB) => Promise<T>,
): Promise<T> {
  const sdk = new DynamoDB({ endpoint });
  try {
    return await run(sdk);
  } finally {
    sdk.destroy();
  }
}

describe("DynamoLock that creates a missing table", () => {
  for (const [engine, file] of engines) {
    dynamoTest(
      `has it paid by request, and is granted (${engine})`,
      async () => {
        const table = uniqueName("table");
        const lock = lockOf(file.own, true, table);
        const lease = await lock.acquire({ timeoutMs: 10_000 });
        const item = await file.own.get(lock.name, table);
        assert.equal(item?.fence?.N, String(lease.fencingToken));
        await withSdk(file, (sdk) => assertOurs(sdk, table, engine));
        await lease.release();
      },
      noEngine(engine),
    );
  }

  proxyTest("asks for no table where there is one", async (proxy) => {
    await lockOf(proxy, true, "locks").withLock(() => {});
    assert.deepEqual(tableCalls(proxy), []);
  });

  proxyTest("asks once, however many locks want it", async (proxy) => {
    const table = uniqueName("table");
    const locks = Array.from({ length: 10 }, () => lockOf(proxy, true, table));
    const leases = await Promise.all(locks.map((lock) => lock.acquire()));
    assert.equal(proxy.count("CreateTable"), 1);
    await Promise.all(leases.map((lease) => lease.release()));
  });

  proxyTest("is granted although answers are lost", async (proxy) => {
    const lost = new Set<string>();
    proxy.onRequest = ({ operation }) => {
      if (lost.has(operation)) return null;
      lost.add(operation);
      return { kind: "lost" };
    };
    const lock = lockOf(proxy, true);
    const lease = await lock.acquire({ timeoutMs: 10_000 });
    assert.ok(lost.has("CreateTable") && lost.has("DescribeTable"));
    await lease.release();
  });

  proxyTest("says so where the time runs out meanwhile", async (proxy) => {
    proxy.onRequest = ({ operation }) =>
      operation === "CreateTable" ? { kind: "late", ms: 1000 } : null;
    const lock = lockOf(proxy, true);
    await assert.rejects(lock.acquire({ timeoutMs: 500 }), {
      code: "LOCK_BACKEND",
      message: /within 500 ms: .*is being created/,
    });
    await lock.withLock(() => {}, { timeoutMs: 10_000 });
  });

  proxyTest("creates none for holder(): nobody holds it", async (proxy) => {
    assert.equal(await lockOf(proxy, true).holder(), null);
    assert.deepEqual(tableCalls(proxy), []);
  });

  proxyTest("names the permission that it lacks", async (proxy) => {
    refuse(proxy, "CreateTable");
    const advice = /; allow .*dynamodb:CreateTable/;
    await assertFails(lockOf(proxy, true), advice, TAKING);
  });
});

/** Declares a test with a proxy before the file's dynalite. */
function proxyTest(
  name: string,
  run: (proxy: HttpProxy) => Promise<void>,
): void {
  dynamoTest(name, () => withProxy(dynalite.own, run));
}

function tableCalls({ calls }: HttpProxy): string[] {
  return calls.map(({ operation }) => operation)
    .filter((operation) => /Table|TimeToLive/.test(operation));
}

async function assertOurs(
  sdk: DynamoDB,
  TableName: string,
  engine: Engine,
): Promise<void> {
  const { Table } = await sdk.describeTable({ TableName });
  assert.equal(Table?.BillingModeSummary?.BillingMode, "PAY_PER_REQUEST");
  const AttributeName = "lockname";
  assert.deepEqual(Table?.KeySchema, [{ AttributeName, KeyType: "HASH" }]);
  assert.deepEqual(Table?.AttributeDefinitions, [
    { AttributeName, AttributeType: "S" },
  ]);
  // Dynalite has no TTL.
  if (engine === "dynalite") return;
  const { TimeToLiveDescription } = await sdk.describeTimeToLive({ TableName });
  assert.deepEqual(TimeToLiveDescription, {
    TimeToLiveStatus: "ENABLED",
    AttributeName: "expiry",
  });
}

describe("DynamoLock of 20 processes that want a missing table at once", () => {
  const workers: Worker[] = [];

  before(async () => {
    if (noEngine("dynalite") && noEngine("local")) return;
    for (let i = 0; i < 20; i++) workers.push(new Worker(nthRuntime(i)));
    await Promise.all(workers.map((worker) => worker.start()));
  });

  after(() => Promise.all(workers.map(({ child }) => child.end())));

  for (const [engine, file] of engines) {
    dynamoTest(`all are granted (${engine})`, async () => {
      const table = uniqueName("table");
      const { endpoint } = file.own;
      const options = { endpoint, table, createTable: true };
      const names = workers.map(() => uniqueName());
      const locks = await Promise.all(workers.map((worker, i) => {
        return worker.create({ kind: "DynamoLock", name: names[i]!, options });
      }));
      const taken = Promise.all(locks.map((lock) => lock.take()));
      await within(10_000, "the locks", taken);
      const holders = await Promise.all(names.map(async (name) => {
        return Number((await file.own.get(name, table))?.pid?.N);
      }));
      assert.deepEqual(holders, workers.map(({ child }) => child.pid));
      await Promise.all(locks.map((lock) => lock.release()));
    }, noEngine(engine));
  }
});

describe("DynamoLock of a missing table", () => {
  for (const [engine, file] of engines) {
    dynamoTest(`each use says how to create it (${engine})`, async () => {
      const table = uniqueName("table");
      const advice = "or set `createTable: true`: aws dynamodb create-table " +
        `--table-name ${table} --billing-mode PAY_PER_REQUEST ` +
        "--attribute-definitions AttributeName=lockname,AttributeType=S " +
        "--key-schema AttributeName=lockname,KeyType=HASH$";
      await assertFails(lockOf(file.own, false, table), new RegExp(advice));
      assert.ok(!(await file.own.tables()).includes(table));
    }, noEngine(engine));
  }

  proxyTest("its constructor asks nobody for anything", async (proxy) => {
    const table = uniqueName("table");
    lockOf(proxy, true, table);
    // By the time that another has asked, it would have, too.
    await assert.rejects(lockOf(proxy, false, table).holder());
    assert.deepEqual(proxy.calls.map((call) => call.operation), ["GetItem"]);
  });
});

/** Answers requests of one kind like a service whose user may not. */
function refuse(
  proxy: HttpProxy,
  operation: string,
  message = "User: arn:aws:iam::123456789012:user/alice is not authorized to " +
    `perform: dynamodb:${operation} on resource: locks`,
): void {
  const type = "AccessDeniedException";
  const fault: Fault = { kind: "error", status: 400, type, message };
  proxy.onRequest = (call) => call.operation === operation ? fault : null;
}

describe("DynamoLock of a user who may not", () => {
  const cases: Record<string, readonly Way[]> = {
    UpdateItem: TAKING,
    GetItem: ["holder"],
  };
  for (const [operation, ways] of Object.entries(cases)) {
    proxyTest(`names ${operation} at once`, async (proxy) => {
      const advice = new RegExp(`; allow .*dynamodb:${operation}\\b`);
      const lock = lockOf(proxy, false, "locks");
      refuse(proxy, operation);
      await assertFails(lock, advice, ways);
      // A service that does not say more.
      refuse(proxy, operation, "");
      await assertFails(lock, advice, ways);
    });
  }
});

/** What somebody may have made a table for: its keys, the hash key first. */
const STRANGE_KEYS: Record<string, [string, "S" | "N"][]> = {
  "another hash key": [["id", "S"]],
  "a hash key of numbers": [["lockname", "N"]],
  "a sort key": [["lockname", "S"], ["part", "S"]],
};

describe("DynamoLock of a table that has", () => {
  for (const [engine, file] of engines) {
    for (const [title, keys] of Object.entries(STRANGE_KEYS)) {
      dynamoTest(
        `${title}: each use says what it needs (${engine})`,
        async () => {
          const table = uniqueName("table");
          await withSdk(file, (sdk) => createTable(sdk, table, keys));
          const advice = /a string hash key `lockname` and no sort key/;
          await assertFails(lockOf(file.own, false, table), advice);
          await assertFails(lockOf(file.own, true, table), advice);
        },
        noEngine(engine),
      );
    }
  }
});

async function createTable(
  sdk: DynamoDB,
  TableName: string,
  keys: [string, "S" | "N"][],
): Promise<void> {
  await sdk.createTable({
    TableName,
    BillingMode: "PAY_PER_REQUEST",
    KeySchema: keys.map(([AttributeName], i) => {
      return { AttributeName, KeyType: i === 0 ? "HASH" : "RANGE" };
    }),
    AttributeDefinitions: keys.map(([AttributeName, AttributeType]) => {
      return { AttributeName, AttributeType };
    }),
  });
  await until(`the table ${TableName}`, async () => {
    const { Table } = await sdk.describeTable({ TableName });
    return Table?.TableStatus === "ACTIVE";
  });
}

describe("DynamoLock of an item whose fence is", () => {
  const fences = { "a text": { S: "7" } };
  for (const [engine, file] of engines) {
    for (const [title, fence] of Object.entries(fences)) {
      dynamoTest(
        `${title}: nothing is changed, and it says what to do (${engine})`,
        async () => {
          const name = uniqueName();
          const item: RawItem = {
            lockname: { S: name },
            expiry: { N: "0" },
            fence,
          };
          await file.own.put(item);
          const { endpoint } = file.own;
          const lock = new DynamoLock(name, { endpoint });
          await assertFails(lock, /something else keeps an item/, TAKING);
          assert.deepEqual(await file.own.get(name), item);
          assert.equal(await lock.holder(), null);
        },
        noEngine(engine),
      );
    }
  }
});
