import { Fault, reasonOf, systemCode } from "../../runtime/fault.ts";
import type { Operation } from "./driver.ts";

/**
 * What went wrong with a table:
 * - `unreachable`: there is no connection, so nothing was asked;
 * - `silent`: no answer came, and what was asked may have been done;
 * - `busy`: the service answered that it cannot now;
 * - `missing`: there is no such table;
 * - `refused`: anything else; asking again is of no use.
 */
export type TableFaultKind =
  | "unreachable"
  | "silent"
  | "busy"
  | "missing"
  | "refused";

/** A failure of a table. */
export class TableFault extends Fault<TableFaultKind> {
  override name = "TableFault";
}

/** What the driver throws. */
interface DriverError {
  readonly name?: string;
  readonly message?: string;
  readonly $metadata?: {
    readonly httpStatusCode?: number;
    readonly clockSkewCorrected?: boolean;
  };
}

/** What was tried. */
export interface Trial {
  /** The table's name. */
  readonly table: string;
  /** The table, for messages. */
  readonly label: string;
  /** What was asked, if anything. */
  readonly operation?: Operation;
}

/**
 * Turns what the driver threw into a {@linkcode TableFault}.
 *
 * @param trial What was tried.
 * @param error What was thrown.
 * @returns The fault.
 */
export function toTableFault(trial: Trial, error: unknown): TableFault {
  if (error instanceof TableFault) return error;
  const kind = kindOf(error);
  const reason = describe(error);
  const help = kind === "missing"
    ? creation(trial.table)
    : advice(reason, trial);
  const message = `${trial.label}: ${reason}${help && `; ${help}`}`;
  return new TableFault(kind, message, error);
}

/**
 * Whether the service refused a write because its condition did not hold.
 *
 * @param error What the driver threw.
 * @returns Whether it did.
 */
export function isConditionFailed(error: unknown): boolean {
  return (error as DriverError | null)?.name ===
    "ConditionalCheckFailedException";
}

const UNREACHABLE =
  /ECONNREFUSED|ConnectionRefused|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ENETDOWN|Unable to connect|failed to lookup/;
const BROKEN =
  /ECONNRESET|ECONNABORTED|ECONNCLOSED|ConnectionReset|ConnectionClosed|EPIPE|ETIMEDOUT|TimeoutError|AbortError|socket hang up|socket connection was closed|connection closed|error reading a body|network error/i;
const THROTTLED =
  /Throttl|ProvisionedThroughputExceeded|RequestLimitExceeded|LimitExceededException|TooManyRequests|SlowDown/;

function kindOf(error: unknown): TableFaultKind {
  const { name = "", $metadata } = error as DriverError ?? {};
  if (name === "ResourceNotFoundException") return "missing";
  const text = `${name} ${systemCode(error)} ${describe(error)}`;
  const status = $metadata?.httpStatusCode ?? 0;
  if (status >= 500 || status === 429 || THROTTLED.test(name)) return "busy";
  // The driver has set its clock by the answer: the next one will do.
  if ($metadata?.clockSkewCorrected) return "busy";
  if (status >= 400) return "refused";
  if (UNREACHABLE.test(text)) return "unreachable";
  return BROKEN.test(text) ? "silent" : "refused";
}

// What the service's own errors mean is in their names.
function describe(error: unknown): string {
  const { name, message, $metadata } = (error ?? {}) as DriverError;
  if (!$metadata || !name || name === "Error") {
    return reasonOf(error) || String(name);
  }
  return message && message !== "UnknownError" ? `${name}: ${message}` : name;
}

function creation(table: string): string {
  return "create it, or set `createTable: true`: aws dynamodb create-table " +
    `--table-name ${table} --billing-mode PAY_PER_REQUEST ` +
    "--attribute-definitions AttributeName=lockname,AttributeType=S " +
    "--key-schema AttributeName=lockname,KeyType=HASH";
}

const ADVICE: readonly (readonly [RegExp, string])[] = [
  [
    /UnrecognizedClient|InvalidSignature|security token|ExpiredToken|IncompleteSignature|InvalidClientTokenId|MissingAuthentication/,
    "check the credentials",
  ],
  [
    /Region is missing/,
    "set the option `region` or the variable AWS_REGION",
  ],
  [
    /[Cc]redential/,
    "set the variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a " +
    "profile, or a role",
  ],
  [
    /key element|required keys|Type mismatch for key|conditions on the keys/,
    "the table needs a string hash key `lockname` and no sort key",
  ],
  [
    /operand in the update expression has an incorrect data type/,
    "something else keeps an item of that name: use another table",
  ],
  [UNREACHABLE, "is the endpoint right, and can it be reached from here?"],
  [/Requires env access/, "run with --allow-env"],
  [/NotCapable|Requires net access/, "run with --allow-net"],
];

function advice(reason: string, { operation }: Trial): string {
  if (/AccessDenied|not authorized/.test(reason)) {
    return `allow this user dynamodb:${operation} on the table, see ` +
      "docs/dynamo.md for all that is needed";
  }
  return ADVICE.find(([pattern]) => pattern.test(reason))?.[1] ?? "";
}
