/** The kinds of lock, as tests between processes use them. */
import { after, before } from "node:test";
import type { Lock } from "../mod.ts";
import { fileDynamo, noDynalite } from "./_dynamo.ts";
import { makeDirectory, removeDirectory, uniqueName } from "./_names.ts";
import { noFiles, noSockets } from "./_platform.ts";
import { noRedis, RedisProcess } from "./_redis.ts";
import { createLock } from "./fixtures/create.ts";
import type { LockSpec } from "./fixtures/protocol.ts";

/** A kind of lock. */
export interface Kind {
  /** The lock's class. */
  kind: LockSpec["kind"];
  /** Why it cannot run here, or false. */
  missing: string | false;
  /** Whether processes are served in the order in which they came. */
  fifo: boolean;
  /** Whether it is a lease: a dead holder's lock is free after a while only. */
  lease: boolean;
  /**
   * Within how many milliseconds a waiter gets what is released, on a machine
   * that others use, too.
   */
  wakeMs: number;
  /**
   * Whether each step out of the process takes milliseconds: then what others
   * do a thousand times is done less often.
   */
  slow: boolean;
  /** A lock that nobody else uses. */
  fresh(): LockSpec;
  /** That lock in this process. */
  create(spec: LockSpec): Lock;
}

/**
 * The kinds, with a directory for the files of this test file; call it once,
 * at the top of one.
 */
export function hostKinds(): Kind[] {
  const directory = makeDirectory();
  after(() => removeDirectory(directory));
  return [
    {
      kind: "SocketLock",
      missing: noSockets(),
      fifo: true,
      lease: false,
      wakeMs: 200,
      slow: false,
      fresh: () => ({ kind: "SocketLock", name: uniqueName() }),
      create: createLock,
    },
    {
      kind: "FileLock",
      missing: noFiles(),
      fifo: false,
      lease: false,
      wakeMs: 200,
      slow: false,
      fresh: () => ({
        kind: "FileLock",
        name: uniqueName(),
        options: { directory },
      }),
      create: createLock,
    },
  ];
}

/**
 * RedisLock, with a server for this test file; call it once, at the top of one.
 */
export function redisKind(): Kind {
  const missing = noRedis();
  let server: RedisProcess | undefined;
  before(async () => {
    if (!missing) server = await RedisProcess.start();
  });
  after(() => server?.end());
  return {
    kind: "RedisLock",
    missing,
    fifo: true,
    lease: true,
    wakeMs: 200,
    slow: false,
    fresh: () => ({
      kind: "RedisLock",
      name: uniqueName(),
      options: { hosts: server?.host },
    }),
    create: createLock,
  };
}

/**
 * DynamoLock, with an engine for this test file; call it once, at the top of
 * one.
 */
export function dynamoKind(): Kind {
  const file = fileDynamo("dynalite");
  return {
    kind: "DynamoLock",
    missing: noDynalite(),
    fifo: false,
    lease: true,
    // It polls, after a second at the latest.
    wakeMs: 1500,
    slow: true,
    fresh: () => ({
      kind: "DynamoLock",
      name: uniqueName(),
      // A dead holder's time to live is waited for; a busy machine's is not
      // to run out.
      options: { endpoint: file.own.endpoint, ttlMs: 3000 },
    }),
    create: createLock,
  };
}
