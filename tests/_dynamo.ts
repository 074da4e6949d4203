/** DynamoDB engines that a test starts on free ports and ends. */
import { DynamoDB } from "@aws-sdk/client-dynamodb";
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { get } from "node:http";
import { createRequire } from "node:module";
import process from "node:process";
import { after, before, it } from "node:test";
import { fileURLToPath } from "node:url";
import { Child } from "./_child.ts";
import { noProgram } from "./_platform.ts";
import { fixture } from "./_fixture.ts";
import { freePort } from "./_redis.ts";
import { currentRuntime } from "./_runtimes.ts";
import { until, within } from "./_time.ts";

/** Who plays DynamoDB: an imitation in JavaScript, or the vendor's own. */
export type Engine = "dynalite" | "local";

/** An item as DynamoDB has it: text and numbers, both as strings. */
export type RawItem = Record<string, { S?: string; N?: string }>;

/**
 * What the SDK wants to know. DynamoDB Local keeps the tables of each key
 * apart: the files that share one have a key each, and so have their processes.
 */
export const DYNAMO_ENV: Readonly<Record<string, string>> = {
  AWS_ACCESS_KEY_ID: `test${randomUUID().replaceAll("-", "")}`,
  AWS_SECRET_ACCESS_KEY: "dummy",
  AWS_REGION: "us-east-1",
};

// For the locks under test, and for the processes that tests start.
for (const [name, value] of Object.entries(DYNAMO_ENV)) {
  process.env[name] ??= value;
}

/** An engine that runs already, and plays DynamoDB Local. */
const given = process.env.DYNAMODB_ENDPOINT;

/** The DynamoDB Local that `scripts/test.ts` starts for all files. */
const shared = process.env.LOCKING_TEST_DYNAMODB;

/** Where `scripts/dynamodb_local.ts` puts DynamoDB Local. */
const jars = fileURLToPath(
  new URL("../.runtimes/dynamodb-local/lib", import.meta.url),
);

/** Why dynalite cannot be used here, or false. */
export function noDynalite(): string | false {
  try {
    createRequire(import.meta.url).resolve("dynalite");
    return false;
  } catch {
    return "dynalite is not installed: deno install";
  }
}

/** Why DynamoDB Local cannot be used here, or false. */
export function noDynamoLocal(): string | false {
  if (given) return false;
  // They are fetched only where Java is new enough.
  if (!existsSync(jars)) {
    return "DynamoDB Local is not here: deno run -A scripts/dynamodb_local.ts";
  }
  return noProgram("java", "-version");
}

/** Why an engine cannot be used here, or false. */
export function noEngine(engine: Engine): string | false {
  return engine === "dynalite" ? noDynalite() : noDynamoLocal();
}

/** Why Python cannot talk to DynamoDB here, or false. */
export function noBoto3(): string | false {
  // The one that Debian's packages are for; another may come first in the path.
  return noProgram("/usr/bin/python3", "-c", "import boto3") &&
    "/usr/bin/python3 has no boto3: apt-get install python3-boto3";
}

/** An engine's process. It keeps nothing over its end. */
export class DynamoServer {
  /** Who plays DynamoDB. */
  readonly engine: Engine;
  /** Where it listens. */
  readonly port: number;
  /** Its address, as `endpoint` takes it. */
  readonly endpoint: string;
  readonly #isOurs: boolean;
  #child: Child | null = null;
  #client: DynamoDB | null = null;

  private constructor(engine: Engine, endpoint: string, isOurs = false) {
    this.engine = engine;
    this.endpoint = endpoint;
    this.port = Number(new URL(endpoint).port);
    this.#isOurs = isOurs;
  }

  /**
   * An engine to make tables in and no more: the one that all files of a run
   * share, if there is one, which answers sooner than one that has just begun.
   */
  static async find(engine: Engine): Promise<DynamoServer> {
    if (engine === "local" && shared) return new DynamoServer(engine, shared);
    return await DynamoServer.start(engine);
  }

  /**
   * Starts an engine without tables; or takes the one of `DYNAMODB_ENDPOINT`,
   * which is not ours to end and may have some.
   */
  static async start(engine: Engine): Promise<DynamoServer> {
    if (engine === "local" && given) return new DynamoServer(engine, given);
    const endpoint = `http://127.0.0.1:${await freePort()}`;
    const server = new DynamoServer(engine, endpoint, true);
    await server.start();
    return server;
  }

  /** Starts it, again on the same port and without tables. */
  async start(): Promise<void> {
    this.#assertOurs();
    const child = new Child([...currentRuntime().command, ...this.#program()]);
    this.#child = child;
    const ready = until(
      `a DynamoDB: ${child.describe()}`,
      async () => takePid(child) && await answers(this.endpoint),
      30_000,
    );
    await Promise.race([
      ready,
      child.exited.then(() => {
        throw new Error(child.describe());
      }),
    ]);
  }

  /** Kills the process, and what it kept. */
  async kill(): Promise<void> {
    this.#assertOurs();
    await this.end();
  }

  /** Throws if the process has ended by itself, with what it said. */
  assertAlive(): void {
    if (this.#child?.over) throw new Error(this.#child.describe());
  }

  /** Stops the process or lets it go on. */
  signal(name: "SIGSTOP" | "SIGCONT"): void {
    this.#assertOurs();
    this.#child?.signal(name);
  }

  /** Ends the process for good, if it is ours. */
  async end(): Promise<void> {
    this.#client?.destroy();
    this.#client = null;
    await this.#child?.end();
    this.#child = null;
  }

  /** Makes a table for locks, and waits until it can be used. */
  async createTable(
    TableName = "locks",
    AttributeName = "lockname",
  ): Promise<void> {
    const creation = this.#db.createTable({
      TableName,
      AttributeDefinitions: [{ AttributeName, AttributeType: "S" }],
      KeySchema: [{ AttributeName, KeyType: "HASH" }],
      BillingMode: "PAY_PER_REQUEST",
    });
    await within(10_000, "a table", creation).catch((error: Error) => {
      // One that another run made where DYNAMODB_ENDPOINT is.
      if (error.name !== "ResourceInUseException") throw error;
    });
    await until(`the table ${TableName}`, async () => {
      const { Table } = await this.#db.describeTable({ TableName });
      return Table?.TableStatus === "ACTIVE";
    });
  }

  /** Deletes a table, and waits until it is gone. */
  async deleteTable(TableName = "locks"): Promise<void> {
    const deletion = this.#db.deleteTable({ TableName });
    await within(10_000, "the end of a table", deletion);
    await until(
      `the end of the table ${TableName}`,
      async () => !(await this.tables()).includes(TableName),
    );
  }

  /** The names of all tables. */
  async tables(): Promise<string[]> {
    const list = await within(5000, "the tables", this.#db.listTables({}));
    return (list.TableNames ?? []).sort();
  }

  /** A lock's item as it is now. */
  async get(name: string, TableName = "locks"): Promise<RawItem | undefined> {
    const Key = { lockname: { S: name } };
    const reading = this.#db.getItem({ TableName, Key, ConsistentRead: true });
    const { Item } = await within(5000, "an item", reading);
    return Item as RawItem | undefined;
  }

  /** Writes an item over whatever is there. */
  async put(item: RawItem, TableName = "locks"): Promise<void> {
    // The SDK's type has exactly one member in each value.
    const Item = item as Record<string, { S: string }>;
    await within(5000, "a put", this.#db.putItem({ TableName, Item }));
  }

  /** Deletes a lock's item, if there is one. */
  async delete(name: string, TableName = "locks"): Promise<void> {
    const Key = { lockname: { S: name } };
    await within(5000, "a delete", this.#db.deleteItem({ TableName, Key }));
  }

  get #db(): DynamoDB {
    const { env } = process;
    return this.#client ??= new DynamoDB({
      endpoint: this.endpoint,
      // As the locks under test have them: some engines keep tables apart.
      region: env.AWS_REGION ?? "",
      credentials: {
        accessKeyId: env.AWS_ACCESS_KEY_ID ?? "",
        secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? "",
      },
      // As the driver is: it repeats what met a connection being closed.
    });
  }

  #program(): string[] {
    const port = String(this.port);
    if (this.engine === "dynalite") {
      return [fixture("dynalite_server.ts"), port];
    }
    return [
      ...[fixture("tied.ts"), "java", ...JAVA_FLAGS],
      ...[`-Djava.library.path=${jars}`, "-cp", `${jars}/*`],
      fixture("DynamoLocal.java"),
      ...["-inMemory", "-disableTelemetry", "-port", port],
    ];
  }

  #assertOurs(): void {
    if (this.#isOurs) return;
    throw new Error(`${this.endpoint} is not ours to start, stop and kill`);
  }
}

// It starts faster and stays smaller; nobody measures how much it can do.
const JAVA_FLAGS = ["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];

/** Whether an engine has said who it is; it is not always the child itself. */
function takePid(child: Child): boolean {
  const line = child.lines.find((line) => /^pid \d+$/.test(line));
  if (line) child.pid = Number(line.slice(4));
  return line !== undefined;
}

/** Whether somebody answers, be it that the request makes no sense. */
function answers(endpoint: string): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(endpoint, { agent: false, timeout: 1000 }, (answer) => {
      answer.resume();
      answer.on("end", () => resolve(true));
    });
    request.on("timeout", () => request.destroy());
    request.on("error", () => resolve(false));
  });
}

/** Declares a test, skipped where there is no engine or something else. */
export function dynamoTest(
  name: string,
  run: () => Promise<void>,
  skip: string | false = noDynalite(),
): void {
  it(name, { skip }, run);
}

/**
 * An engine with a table `locks` for all tests of a file; call it once for
 * each, at the top of one.
 */
export function fileDynamo(engine: Engine): { readonly own: DynamoServer } {
  const missing = noEngine(engine);
  let server: DynamoServer | undefined;
  before(async () => {
    if (missing) return;
    server = await DynamoServer.find(engine);
    await server.createTable();
  });
  after(() => server?.end());
  return {
    get own(): DynamoServer {
      if (!server) throw new Error("No engine: skip the test");
      server.assertAlive();
      return server;
    },
  };
}
