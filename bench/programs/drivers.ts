/**
 * What a lock cannot do without: the drivers' own commands, and round trips
 * with nothing around them.
 *
 * @module
 */
import type { DynamoDB, UpdateItemInput } from "@aws-sdk/client-dynamodb";
import { connect } from "node:net";
import type { Contender, Places } from "./peers.ts";

/**
 * The tables of the bare writes: a PutItem wants no item there, and an
 * UpdateItem leaves one behind.
 */
export const BARE_TABLES = { put: "bare-puts", update: "bare-updates" };

const TTL_MS = "5000";

// The least that a lock with a fencing token and an owner can do.
const SMALLEST_TAKE =
  "return redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) " +
  "and redis.call('INCR', KEYS[2])";
const SMALLEST_FREE = "return redis.call('GET', KEYS[1]) == ARGV[1] " +
  "and redis.call('DEL', KEYS[1])";

/**
 * Opens a driver.
 *
 * @param name Which commands of it, as in {@linkcode driverNames}.
 * @param places Where the locks are kept.
 * @returns The driver, in a lock's place.
 */
export async function openDriver(
  name: string,
  places: Places,
): Promise<Contender> {
  return { name, ...await openers[name]!(places) };
}

type Opened = Omit<Contender, "name">;

const openers: Record<string, (places: Places) => Promise<Opened>> = {
  "redis: SET NX PX, DEL": async ({ redis }) => {
    const client = await connectRedis(redis);
    const token = crypto.randomUUID();
    return {
      acquire: async (name) => {
        await client.sendCommand(["SET", name, token, "NX", "PX", TTL_MS]);
        return () => client.sendCommand(["DEL", name]);
      },
      close: () => client.destroy(),
    };
  },
  "redis: PING": async ({ redis }) => {
    const client = await connectRedis(redis);
    return {
      acquire: async () => {
        await client.sendCommand(["PING"]);
        return nothing;
      },
      close: () => client.destroy(),
    };
  },
  "TCP: PING": ({ redis }) => {
    const [host, port] = redis.split(":");
    const socket = connect({ host: host!, port: Number(port), noDelay: true });
    let answered = nothing as () => unknown;
    socket.on("data", () => answered());
    return Promise.resolve({
      acquire: () =>
        new Promise((resolve) => {
          answered = () => resolve(nothing);
          socket.write("PING\r\n");
        }),
      close: () => void socket.destroy(),
    });
  },
  "redis: 2 small scripts": async ({ redis }) => {
    const client = await connectRedis(redis);
    const token = crypto.randomUUID();
    const [take, free] = await Promise.all(
      [SMALLEST_TAKE, SMALLEST_FREE].map((script) =>
        client.sendCommand<string>(["SCRIPT", "LOAD", script])
      ),
    );
    return {
      acquire: async (name) => {
        const keys = ["2", name, `${name}:fence`];
        await client.sendCommand(["EVALSHA", take!, ...keys, token, TTL_MS]);
        return () => client.sendCommand(["EVALSHA", free!, "1", name, token]);
      },
      close: () => client.destroy(),
    };
  },
  "client-dynamodb: PutItem, DeleteItem": async ({ dynamo }) => {
    const client = await createDynamo(dynamo);
    const owner = { S: crypto.randomUUID() };
    return {
      acquire: async (name) => {
        const Key = { lockname: { S: name } };
        await client.putItem({
          TableName: BARE_TABLES.put,
          Item: { ...Key, owner },
          ConditionExpression: "attribute_not_exists(lockname)",
        });
        return () =>
          client.deleteItem({
            TableName: BARE_TABLES.put,
            Key,
            ConditionExpression: "#owner = :owner",
            ExpressionAttributeNames: { "#owner": "owner" },
            ExpressionAttributeValues: { ":owner": owner },
          });
      },
      close: () => client.destroy(),
    };
  },
  "client-dynamodb: the same 2 writes": async ({ dynamo }) => {
    const client = await createDynamo(dynamo);
    // What DynamoLock itself sends, so that the engine has the same to do.
    const { acquire, release } = await import(
      "../../backends/dynamo/requests.ts"
    );
    let owner = 2n ** 120n;
    return {
      acquire: async (key) => {
        const place = { table: BARE_TABLES.update, key };
        const claim = {
          owner: String(owner++),
          expiry: { N: String((Date.now() + 5000) / 1000) },
          ...{ ttlMs: 5000, host: "bench", pid: 1, base: 1n, dead: null },
        };
        const taking = acquire(place, claim).input;
        await client.updateItem(taking as unknown as UpdateItemInput);
        const freeing = release(place, claim.owner).input;
        return () => client.updateItem(freeing as unknown as UpdateItemInput);
      },
      close: () => client.destroy(),
    };
  },
  "client-dynamodb: 2 x UpdateItem": async ({ dynamo }) => {
    const client = await createDynamo(dynamo);
    const owner = { S: crypto.randomUUID() };
    return {
      acquire: async (name) => {
        const place = {
          TableName: BARE_TABLES.update,
          Key: { lockname: { S: name } },
        };
        await client.updateItem({
          ...place,
          UpdateExpression: "SET #owner = :owner, " +
            "fence = if_not_exists(fence, :none) + :one",
          ConditionExpression: "attribute_not_exists(#owner)",
          ExpressionAttributeNames: { "#owner": "owner" },
          ExpressionAttributeValues: {
            ":owner": owner,
            ":none": { N: "0" },
            ":one": { N: "1" },
          },
          ReturnValues: "UPDATED_NEW",
        });
        return () =>
          client.updateItem({
            ...place,
            UpdateExpression: "REMOVE #owner",
            ConditionExpression: "#owner = :owner",
            ExpressionAttributeNames: { "#owner": "owner" },
            ExpressionAttributeValues: { ":owner": owner },
          });
      },
      close: () => client.destroy(),
    };
  },
};

/** The drivers' names, each with its commands. */
export const driverNames: readonly string[] = Object.keys(openers);

function nothing(): Promise<void> {
  return Promise.resolve();
}

async function connectRedis(host: string) {
  const { createClient } = await import("redis");
  const client = createClient({ url: `redis://${host}` });
  client.on("error", () => {});
  return await client.connect();
}

/**
 * Creates a client of DynamoDB, for the region and the access key of the
 * environment.
 *
 * @param endpoint Where DynamoDB is.
 * @returns The client.
 */
export async function createDynamo(endpoint: string): Promise<DynamoDB> {
  const { DynamoDB } = await import("@aws-sdk/client-dynamodb");
  return new DynamoDB({ endpoint });
}
