/**
 * A table that refuses what a holder writes too late. Whoever has the lock
 * writes each line of its input to one row, together with its fencing token,
 * and PostgreSQL refuses a token that is smaller than the row's.
 *
 * See it with two terminals: write a line in the first, and stop it by Ctrl-Z.
 * Start it in the second, wait for five seconds, until the lease of the first
 * is over, and write a line there. Then `fg` in the first, and another line.
 *
 *     export REDIS_URL=redis://localhost DATABASE_URL=postgres://localhost/shop
 *     deno run -A examples/fenced_postgres.ts
 *     bun examples/fenced_postgres.ts
 *     node examples/fenced_postgres.ts
 *
 * Without `DATABASE_URL`, the usual `PGHOST`, `PGUSER` and so on are used.
 */
import process from "node:process";
import { createInterface } from "node:readline";
import pg from "pg";
import { type Lease, RedisLock } from "../mod.ts";

const url = process.env.REDIS_URL ?? "redis://localhost:6379";
const lock = new RedisLock("notice", { hosts: url });

const database = new pg.Client({
  connectionString: process.env.DATABASE_URL,
});

// A row that is deleted forgets its token: empty it instead.
const CREATE = `
  CREATE TABLE IF NOT EXISTS notices (
    id text PRIMARY KEY, body text NOT NULL, fence bigint NOT NULL
  )`;

// One statement, so that nobody comes between the look and the write. Equal is
// fine: a holder may write more than once.
const WRITE = `
  INSERT INTO notices (id, body, fence) VALUES ($1, $2, $3)
  ON CONFLICT (id) DO UPDATE SET body = excluded.body, fence = excluded.fence
  WHERE notices.fence <= excluded.fence`;

/** Writes the notice, and tells whether it was accepted. */
async function write(body: string, lease: Lease): Promise<boolean> {
  // No `assertHeld()` would do: a holder can be stopped right after it.
  const values = ["front door", body, lease.fencingToken];
  return (await database.query(WRITE, values)).rowCount === 1;
}

/** Writes what comes in, as long as it is accepted. */
async function writeLines(lease: Lease): Promise<boolean> {
  for await (const line of createInterface({ input: process.stdin })) {
    if (!await write(line, lease)) {
      console.log(`refused, a later holder has written: ${line}`);
      return false;
    }
    console.log(`written: ${line}`);
  }
  return true;
}

await database.connect();
const lease = await lock.acquire();
let isFine = false;
try {
  console.log(`holds the lock, with token ${lease.fencingToken}`);
  // Under the lock: of two that create it at once, one may fail.
  await database.query(CREATE);
  isFine = await writeLines(lease);
} finally {
  await lease.release();
  await database.end();
}
process.exit(isFine ? 0 : 1);
