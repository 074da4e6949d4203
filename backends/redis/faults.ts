import { Fault, reasonOf, systemCode } from "../../runtime/fault.ts";

/**
 * What went wrong with a server:
 * - `unreachable`: there is no connection, or it broke;
 * - `silent`: the connection stands, and no answer came in time;
 * - `refused`: the server answered with an error.
 */
export type ServerFaultKind = "unreachable" | "silent" | "refused";

/** A failure of a server. */
export class ServerFault extends Fault<ServerFaultKind> {
  override name = "ServerFault";
}

/**
 * Turns what the driver threw into a {@linkcode ServerFault}.
 *
 * @param label The server, for the message.
 * @param error What was thrown.
 * @returns The fault.
 */
export function toServerFault(label: string, error: unknown): ServerFault {
  if (error instanceof ServerFault) return error;
  const message = reasonOf(error);
  const help = advice(message);
  return new ServerFault(
    isRefusal(error) ? "refused" : "unreachable",
    `${label}: ${message}${help && `; ${help}`}`,
    error,
  );
}

/**
 * Says that grants come too late to be trusted, again and again.
 *
 * @param label Who gives them, for the message.
 * @param ttlMs The time to live of the lock in question, in milliseconds.
 * @returns The fault.
 */
export function tooSlow(label: string, ttlMs: number): ServerFault {
  return new ServerFault(
    "silent",
    `${label}: it takes longer to answer than ttlMs allows ` +
      `(${ttlMs} ms)`,
  );
}

/**
 * Whether the server answered with an error. Its own errors begin with a word
 * in capitals, as `WRONGPASS …`; those of the system have a code. A server that
 * only needs time has not answered yet.
 *
 * @param error What the driver threw.
 * @returns Whether it was the server.
 */
export function isRefusal(error: unknown): boolean {
  if (error instanceof ServerFault) return error.kind === "refused";
  const message = reasonOf(error);
  return systemCode(error) === "" && /^[A-Z][A-Z0-9]+ /.test(message) &&
    !/^(?:LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|BUSY) /.test(message);
}

const USER = "check user and password";

const ADVICE: readonly (readonly [RegExp, string])[] = [
  [/ECONNREFUSED/, "is a Redis server running there?"],
  [/ENOTFOUND|EAI_AGAIN|failed to lookup/, "is the host's name right?"],
  [/^(?:NOAUTH|WRONGPASS)|^ERR.*(?:AUTH|auth|password)/, USER],
  [
    /^NOPERM|can't (?:run|publish|access)/,
    "the user needs the rights that docs/redis.md lists",
  ],
  [/READONLY|read only replica/, "this is a replica: name the master"],
  [/^CROSSSLOT/, "a cluster cannot keep names with such braces"],
  [/^OOM/, "the server is out of memory: see its maxmemory"],
  [
    /^WRONGTYPE|\bscript: |user_script/,
    "something else keeps the lock's key: use another keyPrefix",
  ],
  [/NotCapable|Requires net access/, "run with --allow-net"],
  [/client is (?:closed|offline)/, "connect the client first"],
];

function advice(message: string): string {
  return ADVICE.find(([pattern]) => pattern.test(message))?.[1] ?? "";
}

/**
 * Whether a server does not know a script that it was to run by its SHA-1.
 *
 * @param error What was thrown.
 * @returns Whether it does not.
 */
export function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("NOSCRIPT");
}
