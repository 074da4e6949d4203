/**
 * What DynamoLock uses of the package `@aws-sdk/client-dynamodb`. Only these
 * members are declared, so that no type of the driver shows in ours.
 *
 * @module
 */

/** A client of the package `@aws-sdk/client-dynamodb`. */
export interface DynamoClient {
  /**
   * Sends one of the package's commands.
   *
   * @param command The command.
   * @param options What ends it early.
   * @returns What the table's service answered.
   */
  send(
    command: object,
    options?: { abortSignal?: AbortSignal },
  ): Promise<object>;
}

/** What is asked of the service. */
export type Operation =
  | "GetItem"
  | "BatchGetItem"
  | "Scan"
  | "UpdateItem"
  | "CreateTable"
  | "DescribeTable"
  | "UpdateTimeToLive";

/** One request. */
export interface Request {
  /** What is asked. */
  readonly operation: Operation;
  /** With what, as the service's reference describes it. */
  readonly input: object;
}

/** A response as it came, before it was understood. */
export interface RawResponse {
  /** Its headers. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
}

/** How a client of our own is made. */
export interface ClientConfig {
  /** The region; the driver's own chain finds one where there is none. */
  readonly region?: string;
  /** The service's address, where it is not the region's. */
  readonly endpoint?: string;
}

/** The package, as far as it is used. */
export interface Driver {
  /**
   * Makes a client.
   *
   * @param config Where to.
   * @returns The client; nothing is connected yet.
   */
  connect(config: ClientConfig): DynamoClient;
  /**
   * Makes a command.
   *
   * @param request What is asked.
   * @param onResponse Called with the response, whatever it says.
   * @returns The command.
   */
  command(
    request: Request,
    onResponse?: (response: RawResponse) => void,
  ): object;
}

type Handler = (args: object) => Promise<{ response: unknown }>;

interface Command {
  readonly middlewareStack: {
    add(middleware: (next: Handler) => Handler, options: object): void;
  };
}

interface Package {
  readonly DynamoDBClient: new (config: object) => DynamoClient;
  readonly [command: string]: new (input: object) => object;
}

let loading: Promise<Driver> | undefined;

/**
 * Loads the driver, on first use only.
 *
 * @returns The driver.
 * @throws {Error} If the package is not installed; says how to install it.
 */
export function loadDriver(): Promise<Driver> {
  return loading ??= load().catch((error) => {
    loading = undefined;
    throw error;
  });
}

async function load(): Promise<Driver> {
  try {
    const loaded = await import("@aws-sdk/client-dynamodb");
    return wrap(loaded as unknown as Package);
  } catch (error) {
    const { name, message } = error as Error;
    const reason = name === "NotCapable"
      ? message
      : "run `npm install @aws-sdk/client-dynamodb`";
    throw new Error(
      `the package @aws-sdk/client-dynamodb cannot be loaded: ${reason}`,
      { cause: error },
    );
  }
}

function wrap(loaded: Package): Driver {
  return {
    connect: (config) =>
      new loaded.DynamoDBClient({
        ...config,
        // DynamoLock itself asks again, and knows then what it has asked.
        maxAttempts: 1,
        // The driver's own tells of the operating system, for which Deno wants
        // a permission.
        defaultUserAgentProvider: () => Promise.resolve([["x-locking"]]),
        // Requests that hang are not to keep others from being sent.
        requestHandler: {
          httpAgent: { maxSockets: Infinity },
          httpsAgent: { maxSockets: Infinity },
        },
      }),
    command({ operation, input }, onResponse) {
      const command = new loaded[`${operation}Command`]!(input);
      if (onResponse) listen(command as Command, onResponse);
      return command;
    },
  };
}

function listen(
  command: Command,
  onResponse: (response: RawResponse) => void,
): void {
  const middleware = (next: Handler): Handler => async (args) => {
    const result = await next(args);
    onResponse(result.response as RawResponse);
    return result;
  };
  command.middlewareStack.add(middleware, {
    step: "deserialize",
    priority: "low",
  });
}
