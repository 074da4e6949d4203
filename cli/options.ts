/** Where a lock is kept, as the options say it. */
export interface BackendOptions {
  /** A SocketLock. */
  readonly socket?: boolean;
  /** A FileLock in this directory; empty for the default one. */
  readonly file?: string;
  /** A RedisLock on these servers; empty for those of the environment. */
  readonly redis?: string;
  /** A DynamoLock in this table. */
  readonly dynamo?: string;
  /** The table's region. */
  readonly region?: string;
  /** The table's address. */
  readonly endpoint?: string;
}

/** How a lock is taken. */
export interface TakeOptions extends BackendOptions {
  /** False where nothing is to be waited for. */
  readonly wait: boolean;
  /** How long to wait, in milliseconds. */
  readonly timeout?: number;
  /** What to exit with when the lock is not had. */
  readonly conflictExitCode: number;
  /** Whether to say what is going on. */
  readonly verbose?: boolean;
}

/** What becomes of a command whose lock is lost. */
export type OnLost = "term" | "kill" | "ignore";

/** Options of `locking run`. */
export interface RunOptions extends TakeOptions {
  /** The lease's time to live, in milliseconds. */
  readonly ttl?: number;
  /** What becomes of a command whose lock is lost. */
  readonly onLost: OnLost;
  /** How long the command has to end by itself, in milliseconds. */
  readonly grace?: number;
}

/** Options of `locking status` and `locking list`. */
export interface ShowOptions extends BackendOptions {
  /** Whether to write JSON. */
  readonly json?: boolean;
}
