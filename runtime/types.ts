/**
 * What the library asks of a JavaScript runtime: sockets, lock files, timers,
 * clocks and identity. Everything above `runtime/` is written against these
 * interfaces alone.
 *
 * @module
 */

/** A JavaScript runtime, as far as a lock needs one. */
export interface Runtime {
  /** Which runtime this is. */
  readonly name: "deno" | "bun" | "node";
  /** Who this process is. */
  readonly identity: Identity;
  /** The clocks. */
  readonly clock: Clock;
  /** Timers and turns of the event loop. */
  readonly timers: Timers;
  /** Abstract unix sockets. */
  readonly sockets: Sockets;
  /** Files locked with flock(2). */
  readonly files: LockFiles;
  /**
   * A digest of some bytes, in lower-case hexadecimal.
   *
   * @param algorithm How to hash.
   * @param bytes What to hash.
   * @returns Two hexadecimal digits a byte.
   */
  digest(algorithm: "sha1" | "sha256", bytes: Uint8Array): string;
  /**
   * A variable of the environment, without asking the user for anything.
   *
   * @param name The variable's name.
   * @returns Its value; undefined where it is unset, empty or not to be read.
   */
  environment(name: string): string | undefined;
  /**
   * Opens a channel on which others can follow what happens.
   *
   * @typeParam C What its events tell.
   * @param name The channel's name.
   * @returns The channel; the same for all who name it.
   */
  openChannel<C extends object>(name: string): Channel<C>;
}

/**
 * A tracing channel of the kind that `node:diagnostics_channel` describes: of
 * each operation it tells the start, the end, and what came of it.
 *
 * @typeParam C What its events tell.
 */
export interface Channel<C extends object> {
  /** Whether anybody follows it: if not, spare the effort. */
  readonly hasSubscribers: boolean;
  /**
   * Tells of an operation that takes time. What subscribers throw is none of
   * its business.
   *
   * @typeParam T What comes of it.
   * @param run The operation.
   * @param event What is told of it; `result` or `error` is added.
   * @returns What came of it.
   */
  trace<T>(run: () => Promise<T>, event: C): Promise<T>;
  /**
   * Tells of an operation that is over at once.
   *
   * @typeParam T What comes of it.
   * @param run The operation.
   * @param event What is told of it.
   * @returns What came of it.
   */
  traceSync<T>(run: () => T, event: C): T;
  /**
   * Follows the channel.
   *
   * @param subscribers What to call.
   * @returns Ends that.
   */
  subscribe(subscribers: Subscribers<C>): () => void;
}

/**
 * Who follows a {@linkcode Channel}.
 *
 * @typeParam C What its events tell.
 */
export interface Subscribers<C> {
  /** An operation starts. */
  start?(event: C): void;
  /** It is over, and its caller is about to be told. */
  asyncEnd?(event: C): void;
}

/** Who this process is, to others. */
export interface Identity {
  /**
   * The host's name; a random id, the same for the whole process, where the
   * runtime may not tell it.
   */
  host(): string;
  /** This process's id. */
  readonly pid: number;
  /** A new random id of 128 bits, in hexadecimal. */
  randomId(): string;
}

/** The clocks. Their difference tells that a machine slept. */
export interface Clock {
  /** Milliseconds since some fixed moment; never steps, stops in suspend. */
  monotonic(): number;
  /** Milliseconds since the epoch; steps when somebody sets it. */
  wall(): number;
}

/** A timer that has not fired yet. */
export interface Timer {
  /** Stops the timer; does nothing once it has fired. */
  cancel(): void;
  /**
   * Sets whether the process stays alive until the timer fires.
   *
   * @param alive Whether it does.
   */
  keepAlive(alive: boolean): void;
}

/** Timers and turns of the event loop. */
export interface Timers {
  /**
   * Calls back once after some milliseconds.
   *
   * @param ms From 0 to Infinity; longer than 2^31−1 works.
   * @param callback What to call.
   * @param options Whether the timer keeps the process alive.
   * @returns The timer.
   */
  after(ms: number, callback: () => void, options?: TimerOptions): Timer;
  /**
   * Calls back in the next turn of the event loop.
   *
   * @param callback What to call.
   */
  soon(callback: () => void): void;
}

/** Options of {@linkcode Timers.after}. */
export interface TimerOptions {
  /**
   * Whether the process stays alive until the timer fires.
   *
   * @default {false}
   */
  keepAlive?: boolean;
}

/**
 * Stream sockets in Linux's abstract namespace. No socket keeps the process
 * alive.
 */
export interface Sockets {
  /**
   * Whether a turn of the event loop may pass without a look at what has come.
   * Then only the answer to a knock of one's own shows that those who knocked
   * before have been let in.
   */
  readonly overlooks: boolean;
  /**
   * Whether sockets can be used here, without asking the user for anything.
   *
   * @returns False where they cannot, or the permission is missing.
   */
  available(): boolean;
  /**
   * Binds an abstract address exclusively and listens on it. The kernel lets
   * one socket of the whole network namespace have it.
   *
   * @param address The address, its leading NUL included.
   * @param onConnection Called for each connection; returns its handlers.
   * @returns The listener, or null when the address is taken.
   * @throws {RuntimeFault} If the runtime or the system refuses.
   */
  listen(
    address: string,
    onConnection: (connection: Connection) => ConnectionHandlers,
  ): MaybePromise<Listener | null>;
  /**
   * Connects to an abstract address.
   *
   * @param address The address, its leading NUL included.
   * @param handlers What to call for this connection.
   * @returns The connection, or null when nobody listens there.
   * @throws {RuntimeFault} If the runtime or the system refuses.
   */
  connect(
    address: string,
    handlers: ConnectionHandlers,
  ): Promise<Connection | null>;
}

/** A bound, listening socket. */
export interface Listener {
  /**
   * Starts to take connections. Until then they wait in the kernel, which
   * costs this process nothing.
   */
  open(): void;
  /**
   * Gives the address back. Connections already taken stay open.
   *
   * @returns A promise where the address is free only once it has settled.
   */
  close(): MaybePromise<void>;
}

/** How much of what is sent may wait for a peer to take it, in bytes. */
export const MOST_UNTAKEN = 65_536;

/** One end of a connection. */
export interface Connection {
  /**
   * Sends a short text. Failures are not reported: the close tells. A peer that
   * leaves more than some kilobytes untaken is hung up on.
   *
   * @param text What to send, at most a few hundred bytes.
   */
  send(text: string): void;
  /** Closes both directions; the peer sees the end of the stream. */
  close(): void;
}

/** What a connection reports. */
export interface ConnectionHandlers {
  /**
   * Some bytes have come.
   *
   * @param bytes The bytes, valid only during the call.
   */
  onData(bytes: Uint8Array): void;
  /** The connection has ended, for whatever reason; called exactly once. */
  onClose(): void;
}

/** Files locked with flock(2). */
export interface LockFiles {
  /** The directory for lock files on this system where none is given. */
  defaultDirectory(): string;
  /**
   * Joins a directory, made absolute, and a file's name.
   *
   * @param directory The directory.
   * @param fileName The file's name, without separators.
   * @returns The absolute path.
   */
  resolve(directory: string, fileName: string): string;
  /**
   * Opens a lock file for reading and writing, creating it if need be; never
   * truncates, never follows a symbolic link.
   *
   * @param path The file's path.
   * @returns The open file.
   * @throws {RuntimeFault} If it is a link or no file, or cannot be opened.
   */
  open(path: string): LockFile;
  /**
   * Opens a lock file that was one a moment ago, sooner than
   * {@linkcode LockFiles.open} where that has to look first. If somebody has
   * put a link in its place since, this may open what that leads to: whoever
   * locks it compares inodes anyway.
   *
   * @param path The file's path.
   * @returns The open file; null where it has to be opened with a look.
   */
  reopen(path: string): LockFile | null;
  /**
   * The identity of the file that a path names now.
   *
   * @param path The file's path.
   * @returns Its identity, or null where nothing is.
   * @throws {RuntimeFault} If the system refuses to tell.
   */
  inode(path: string): Inode | null;
  /**
   * The beginning of a regular file, or null where it cannot be read. What others
   * have put there instead, such as a FIFO without a writer, keeps nobody
   * waiting.
   *
   * @param path The file's path.
   * @returns The text or null.
   */
  read(path: string): string | null;
}

/** What file this is, on this host. */
export interface Inode {
  /** The device that the file is on. */
  readonly device: number;
  /** The file's number on that device. */
  readonly number: number;
}

/** An open lock file. */
export interface LockFile {
  /** The file's identity. */
  readonly inode: Inode;
  /**
   * Takes `flock(LOCK_EX | LOCK_NB)`.
   *
   * @returns Whether it was taken; false means that another holds it.
   * @throws {RuntimeFault} On any error other than contention.
   */
  tryLock(): boolean;
  /**
   * Replaces the file's content. Only for who holds the lock.
   *
   * @param text The new content.
   * @throws {RuntimeFault} If it cannot be written.
   */
  write(text: string): void;
  /** Closes the file, and gives the lock back with it. */
  close(): void;
}

/** A value, at once or later. Kernel calls take microseconds; a promise more. */
export type MaybePromise<T> = T | Promise<T>;
