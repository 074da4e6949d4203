/**
 * What a lock cannot do without: the drivers' own commands, and round trips
 * with nothing around them.
 *
 * @module
 */
import type { DynamoDB } from "@aws-sdk/client-dynamodb";
import { connect } from "node:net";
import type { Contender, Places } from "./peers.ts";

/** The table of the bare writes. */
export const BARE_TABLE = "bare-locks";

const TTL_MS = "5000";

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
  "client-dynamodb: PutItem, DeleteItem": async ({ dynamo }) => {
    const client = await createDynamo(dynamo);
    const owner = { S: crypto.randomUUID() };
    return {
      acquire: async (name) => {
        const Key = { lockname: { S: name } };
        await client.putItem({
          TableName: BARE_TABLE,
          Item: { ...Key, owner },
          ConditionExpression: "attribute_not_exists(lockname)",
        });
        return () =>
          client.deleteItem({
            TableName: BARE_TABLE,
            Key,
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
