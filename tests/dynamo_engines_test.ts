/** What the tests of DynamoLock stand on: the engines, and the proxy. */
import {
  ConditionalCheckFailedException,
  DynamoDB,
} from "@aws-sdk/client-dynamodb";
import assert from "node:assert/strict";
import { after, before, describe } from "node:test";
import {
  DynamoServer,
  dynamoTest,
  type Engine,
  fileDynamo,
  noBoto3,
  noDynalite,
  noEngine,
  type RawItem,
} from "./_dynamo.ts";
import { type Fault, HttpProxy } from "./_http_proxy.ts";
import { uniqueName } from "./_names.ts";
import { PythonDynamo } from "./_python_dynamo.ts";
import { pendingAfter, timed, until, within } from "./_time.ts";

const dynalite = fileDynamo("dynalite");
const local = fileDynamo("local");

for (const [engine, server] of Object.entries({ dynalite, local })) {
  const missing = noEngine(engine as Engine);

  describe(`The engine ${engine}`, () => {
    dynamoTest("keeps an item as it is", async () => {
      const name = uniqueName();
      assert.equal(await server.own.get(name), undefined);
      const item = { lockname: { S: name }, expiry: { N: "1.5" } };
      await server.own.put(item);
      assert.deepEqual(await server.own.get(name), item);
      await server.own.delete(name);
      assert.equal(await server.own.get(name), undefined);
    }, missing);

    dynamoTest("makes a table and deletes it", async () => {
      const table = uniqueName("table");
      await server.own.createTable(table);
      assert.ok((await server.own.tables()).includes(table));
      await server.own.deleteTable(table);
      assert.ok(!(await server.own.tables()).includes(table));
    }, missing);

    const noPython = missing || noBoto3();
    dynamoTest("serves Python's locking, faults and all", async () => {
      const name = uniqueName();
      const { endpoint } = server.own;
      const [one, early] = await Promise.all([
        PythonDynamo.start(endpoint, name),
        PythonDynamo.start(endpoint, name, { clockShift: 6 }),
      ]);
      assert.equal(await one.ask("acquire"), "held");
      assert.equal(await one.ask("release"), "kept");
      assert.equal(await one.ask("beat"), "beaten");
      assert.equal(await early.ask("acquire"), "held");
      assert.equal(await one.ask("beat"), "refused");
      const { pid } = (await server.own.get(name))!;
      assert.deepEqual(pid, { N: String(early.child.pid) });
      await Promise.all([one.end(), early.end()]);
    }, noPython);
  });
}

dynamoTest(
  "a killed engine starts again on its port, with nothing",
  async () => {
    const server = await DynamoServer.start("dynalite");
    await server.createTable();
    await server.kill();
    await assert.rejects(server.tables());
    await server.start();
    assert.deepEqual(await server.tables(), []);
    server.signal("SIGSTOP");
    const reading = server.tables();
    assert.equal(await pendingAfter(100, reading), true);
    server.signal("SIGCONT");
    assert.deepEqual(await reading, []);
    await server.end();
  },
);

describe("HttpProxy", () => {
  let proxy: HttpProxy;
  let client: DynamoDB;

  before(async () => {
    if (noDynalite()) return;
    proxy = await HttpProxy.start(dynalite.own.port);
    const { endpoint } = proxy;
    client = new DynamoDB({ endpoint, maxAttempts: 1 });
  });

  after(async () => {
    client?.destroy();
    await proxy?.end();
  });

  /** Adds one to a number, by way of the proxy. */
  async function add(name: string): Promise<unknown> {
    return await client.updateItem({
      TableName: "locks",
      Key: { lockname: { S: name } },
      UpdateExpression: "ADD n :one",
      ExpressionAttributeValues: { ":one": { N: "1" } },
      ReturnValues: "ALL_NEW",
    }).then(({ Attributes }) => Attributes?.n?.N);
  }

  async function stored(name: string): Promise<RawItem[string] | undefined> {
    return (await dynalite.own.get(name))?.n;
  }

  /** Has something become of the next request only. */
  function next(fault: Fault): void {
    proxy.reset();
    proxy.onRequest = ({ index }) => index === 0 ? fault : null;
  }

  dynamoTest("passes requests on, and counts them", async () => {
    const name = uniqueName();
    proxy.heal();
    proxy.reset();
    assert.equal(await add(name), "1");
    assert.equal(await add(name), "2");
    assert.equal(proxy.count("UpdateItem"), 2);
    assert.equal(proxy.count("PutItem"), 0);
    assert.equal(proxy.count(), 2);
    assert.deepEqual(proxy.calls[0]?.body.Key, { lockname: { S: name } });
    assert.deepEqual(await stored(name), { N: "2" });
  });

  dynamoTest(
    "passes on a refused condition as the engine gives it",
    async () => {
      const put = client.putItem({
        TableName: "locks",
        Item: { lockname: { S: uniqueName() } },
        ConditionExpression: "attribute_exists(lockname)",
      });
      await assert.rejects(put, ConditionalCheckFailedException);
    },
  );

  const errors: [number, string][] = [
    [400, "ProvisionedThroughputExceededException"],
    [400, "ThrottlingException"],
    [400, "AccessDeniedException"],
    [500, "InternalServerError"],
    [503, "ServiceUnavailable"],
  ];
  for (const [status, type] of errors) {
    dynamoTest(`"error" answers ${type} and passes nothing on`, async () => {
      const name = uniqueName();
      next({ kind: "error", status, type, message: "No" });
      await assert.rejects(add(name), (error: DynamoError) => {
        assert.equal(error.name, type);
        assert.equal(error.message, "No");
        assert.equal(error.$metadata.httpStatusCode, status);
        return true;
      });
      assert.equal(await stored(name), undefined);
    });
  }

  dynamoTest('"lost" applies it and breaks the connection', async () => {
    const name = uniqueName();
    next({ kind: "lost" });
    await assert.rejects(within(5000, "the break", add(name)), (error) => {
      return !/not after/.test((error as Error).message);
    });
    assert.deepEqual(await stored(name), { N: "1" });
    assert.equal(proxy.count(), 1);
  });

  for (const kind of ["silent", "cut"] as const) {
    dynamoTest(`"${kind}" hangs until heal() breaks it`, async () => {
      const name = uniqueName();
      next({ kind });
      const adding = add(name);
      adding.catch(() => {});
      assert.equal(await pendingAfter(100, adding), true);
      const applied = kind === "silent" ? { N: "1" } : undefined;
      assert.deepEqual(await stored(name), applied);
      proxy.heal();
      await assert.rejects(within(5000, "the break", adding));
      await add(name);
    });
  }

  dynamoTest(
    '"delay" passes it on later, though its sender has left',
    async () => {
      const name = uniqueName();
      next({ kind: "delay", ms: 150 });
      const { ms } = await timed(() => add(name));
      assert.ok(ms >= 145, `${ms} ms`);
      next({ kind: "delay", ms: 150 });
      const abortSignal = AbortSignal.timeout(50);
      const Key = { lockname: { S: name } };
      const deletion = client.deleteItem(
        { TableName: "locks", Key },
        { abortSignal },
      );
      await assert.rejects(deletion);
      assert.deepEqual(await stored(name), { N: "1" });
      await until("the deletion", async () => !await stored(name));
    },
  );

  dynamoTest('"late" applies it at once and answers later', async () => {
    const name = uniqueName();
    next({ kind: "late", ms: 300 });
    const adding = timed(() => add(name));
    await until("the item", async () => Boolean(await stored(name)), 250);
    const { ms, value } = await adding;
    assert.ok(ms >= 295, `${ms} ms`);
    assert.equal(value, "1");
  });

  dynamoTest(
    '"twice" applies it twice and gives the second answer',
    async () => {
      const name = uniqueName();
      next({ kind: "twice" });
      assert.equal(await add(name), "2");
      assert.equal(proxy.count(), 1);
    },
  );

  dynamoTest("breaks the connection when the engine is gone", async () => {
    const server = await DynamoServer.start("dynalite");
    const apart = await HttpProxy.start(server.endpoint);
    await server.end();
    const { endpoint } = apart;
    const lost = new DynamoDB({ endpoint, maxAttempts: 1 });
    await assert.rejects(within(5000, "the break", lost.listTables({})));
    lost.destroy();
    await apart.end();
  });
});

interface DynamoError extends Error {
  $metadata: { httpStatusCode?: number };
}
