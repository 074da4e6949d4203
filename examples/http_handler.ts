/**
 * An HTTP handler that changes an account, one request at a time for each
 * account, in however many servers on however many runtimes. Who would wait for
 * too long is told to come back; who hangs up waits no longer.
 */
import { readFile, writeFile } from "node:fs/promises";
import process from "node:process";
import { type LockError, SocketLock } from "../mod.ts";

const folder = process.env.ACCOUNTS ?? ".";

// Reads, and writes what it makes of it: two at once would lose a change.
async function withdraw(account: string): Promise<number> {
  const path = `${folder}/${account}.balance`;
  const balance = Number(await readFile(path, "utf8")) - 1;
  await writeFile(path, String(balance));
  return balance;
}

/**
 * Answers `POST /ACCOUNT` with what is left in the account.
 *
 * @param request The request.
 * @returns 200 with the balance, or 503 while others are at it.
 */
export async function handle(request: Request): Promise<Response> {
  const [, account = ""] = new URL(request.url).pathname.split("/");
  if (request.method !== "POST" || !/^\w+$/.test(account)) {
    return new Response("POST /ACCOUNT\n", { status: 404 });
  }
  const lock = new SocketLock(`account/${account}`);
  const limits = { timeoutMs: 2_000, signal: request.signal };
  try {
    const balance = await lock.withLock(() => withdraw(account), limits);
    return Response.json({ balance });
  } catch (error) {
    if (request.signal.aborted) return new Response(null, { status: 499 });
    if ((error as LockError).code !== "LOCK_TIMEOUT") throw error;
    const headers = { "retry-after": "1" };
    return new Response("busy\n", { status: 503, headers });
  }
}
