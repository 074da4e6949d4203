/**
 * The requests that keep a lock: each a single write with a condition, or a
 * read, and each safe to be sent again.
 *
 * @module
 */
import { type Attribute, FREE, type Sighting } from "./item.ts";
import type { Request } from "./driver.ts";

/** Which item of which table. */
export interface Place {
  /** The table's name. */
  readonly table: string;
  /** The item's hash key. */
  readonly key: string;
}

/** What an acquire writes, and what it may replace. */
export interface Claim {
  /** Who takes the lock. */
  readonly owner: string;
  /** Until when. */
  readonly expiry: Attribute;
  /** For how long, in milliseconds, from each heartbeat on. */
  readonly ttlMs: number;
  /** The taker's host. */
  readonly host: string;
  /** The taker's process id. */
  readonly pid: number;
  /** What to count the fencing token from where none stands in the table. */
  readonly base: bigint;
  /** The lease that is dead, and may be replaced as it was seen; or null. */
  readonly dead: Sighting | null;
}

/** What a heartbeat writes. */
export interface Renewal {
  /** Who holds the lock. */
  readonly owner: string;
  /** Until when. */
  readonly expiry: Attribute;
  /**
   * How many fencing tokens to set aside for the holder's process.
   *
   * @default {0}
   */
  readonly tokens?: number;
}

/**
 * Takes the lock if it is free, or if the lease that stands there is the dead
 * one. Where the same owner has taken it in an earlier try, it is refused, and
 * what stands there tells.
 *
 * @param place The lock's item.
 * @param claim Who takes it.
 * @returns The request.
 */
export function acquire(place: Place, claim: Claim): Request {
  const { dead } = claim;
  const taken = dead === null
    ? ""
    : dead.lockid
    ? " OR (#lockid = :deadId AND #expiry = :dead)"
    : " OR (attribute_not_exists(#lockid) AND #expiry = :dead)";
  return update(place, {
    UpdateExpression: "SET #expiry = :expiry, #host = :host, #pid = :pid, " +
      "#lockid = :owner, #ttl = :ttl, " +
      "#fence = if_not_exists(#fence, :base) + :one",
    // A lock that the owner has freed is not taken again by a copy of its
    // request, however late that arrives; nor one that it holds.
    ConditionExpression: "attribute_not_exists(#expiry) OR " +
      `(#expiry = :free AND NOT #lockid = :owner)${taken}`,
    ExpressionAttributeNames: names(
      ...["expiry", "host", "pid", "lockid", "ttl", "fence"],
    ),
    ExpressionAttributeValues: {
      ":expiry": claim.expiry,
      ":host": { S: claim.host },
      ":pid": { N: String(claim.pid) },
      ":owner": { N: claim.owner },
      ":ttl": { N: String(claim.ttlMs) },
      ":base": { N: String(claim.base) },
      ":one": { N: "1" },
      ":free": FREE,
      ...dead && { ":dead": dead.expiry },
      ...dead?.lockid && { ":deadId": dead.lockid },
    },
    ReturnValues: "UPDATED_NEW",
  });
}

/**
 * Renews a lease that is still the owner's. Its expiry only grows: so who sees
 * one twice knows that there was no heartbeat between, however late a copy of
 * an earlier request arrives.
 *
 * @param place The lock's item.
 * @param renewal What is written.
 * @returns The request.
 */
export function renew(
  place: Place,
  { owner, expiry, tokens = 0 }: Renewal,
): Request {
  const stocks = tokens > 0;
  return update(place, {
    UpdateExpression: "SET #expiry = :expiry" +
      (stocks ? ", #fence = #fence + :tokens" : ""),
    ConditionExpression:
      "#lockid = :owner AND #expiry > :free AND #expiry < :expiry",
    ExpressionAttributeNames: names(
      ...["expiry", "lockid", ...stocks ? ["fence"] : []],
    ),
    ExpressionAttributeValues: {
      ":expiry": expiry,
      ":owner": { N: owner },
      ":free": FREE,
      ...stocks && { ":tokens": { N: String(tokens) } },
    },
    ReturnValues: "ALL_NEW",
  });
}

/**
 * Marks a lock free that is still the owner's, or that the owner has freed in
 * an earlier try. The item stays, so that its fencing token goes on: the
 * table's own TTL leaves it alone, since it ignores what expired more than five
 * years ago.
 *
 * @param place The lock's item.
 * @param owner Who holds it.
 * @returns The request.
 */
export function release(place: Place, owner: string): Request {
  return update(place, {
    UpdateExpression: "SET #expiry = :free REMOVE #host, #pid, #ttl",
    ConditionExpression: "#lockid = :owner",
    ExpressionAttributeNames: names("expiry", "lockid", "host", "pid", "ttl"),
    ExpressionAttributeValues: { ":free": FREE, ":owner": { N: owner } },
  });
}

/**
 * Frees a lock that the owner may have taken without knowing; or, where it is
 * free, keeps the owner's requests from taking it that are still on their way.
 *
 * @param place The lock's item.
 * @param owner Who may have taken it.
 * @returns The request.
 */
export function renounce(place: Place, owner: string): Request {
  return update(place, {
    UpdateExpression: "SET #expiry = :free, #lockid = :owner " +
      "REMOVE #host, #pid, #ttl",
    ConditionExpression: "#lockid = :owner OR #expiry = :free OR " +
      "attribute_not_exists(#expiry)",
    ExpressionAttributeNames: names("expiry", "lockid", "host", "pid", "ttl"),
    ExpressionAttributeValues: { ":free": FREE, ":owner": { N: owner } },
  });
}

/**
 * Looks at a lock.
 *
 * @param place The lock's item.
 * @param consistent Whether it must be the newest state, at twice the price.
 * @returns The request.
 */
export function look({ table, key }: Place, consistent: boolean): Request {
  return {
    operation: "GetItem",
    input: {
      TableName: table,
      Key: { lockname: { S: key } },
      ConsistentRead: consistent,
    },
  };
}

/**
 * Looks at many locks of one table: a little old, perhaps, at half the price.
 *
 * @param table The table.
 * @param keys The locks, a hundred at the most.
 * @returns The request.
 */
export function lookAtMany(table: string, keys: readonly string[]): Request {
  const Keys = keys.map((key) => ({ lockname: { S: key } }));
  const input = { RequestItems: { [table]: { Keys, ConsistentRead: false } } };
  return { operation: "BatchGetItem", input };
}

// What stands there when a condition fails comes with the refusal, for nothing.
function update({ table, key }: Place, input: object): Request {
  return {
    operation: "UpdateItem",
    input: {
      TableName: table,
      Key: { lockname: { S: key } },
      ReturnValuesOnConditionCheckFailure: "ALL_OLD",
      ...input,
    },
  };
}

function names(...attributes: string[]): Record<string, string> {
  return Object.fromEntries(attributes.map((name) => [`#${name}`, name]));
}
