/**
 * Made-up bytes at the sockets of SocketLock, and at those by which FileLock
 * wakes waiters: any local user may connect, listen there, and say anything.
 */
import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { after, describe, it } from "node:test";
import { lockFileName } from "../backends/file.ts";
import { socketAddress } from "../backends/socket.ts";
import type { Holder, Lease, Lock } from "../mod.ts";
import { runtime } from "../runtime/mod.ts";
import type { Connection } from "../runtime/types.ts";
import { fuzz, mutate, nastyText, nearJson, randomBytes } from "./_fuzz.ts";
import type { Random } from "./_random.ts";
import { hostKinds, type Kind } from "./_kinds.ts";
import { noSockets } from "./_platform.ts";
import { withProcesses } from "./_processes.ts";
import { nthRuntime } from "./_runtimes.ts";
import { noDescriptors, openDescriptors } from "./_spies.ts";
import { pendingAfter, sleep, until, within } from "./_time.ts";
import type { LockSpec } from "./fixtures/protocol.ts";

const skip = noSockets() || noDescriptors();

// A waiter looks for itself once a second, where a liar keeps it from knowing.
const LIED_TO_MS = 2500;

const HELLO = { want: "turn", waitedMs: 0, claim: false };
const REPLY = {
  ahead: 0,
  others: 0,
  settlesInMs: 0,
  host: "web-3",
  pid: 812,
  acquiredAt: 1_795_542_588_000,
};

/** What a stranger does with a connection. */
interface Deed {
  /** What it sends. */
  readonly bytes: Uint8Array;
  /** What it does then. */
  readonly then: "stay" | "leave" | "half-close" | "send in pieces";
}

function makeDeeds(random: Random, record: object): Deed[] {
  return Array.from({ length: 1 + random.below(4) }, () => {
    const line = random.once(4)
      ? JSON.stringify({ ...record, waitedMs: 8e15, claim: true })
      : nearJson(random, record);
    const bytes = random.once(5)
      ? randomBytes(random, random.below(3000))
      : mutate(random, `${line}\n`.repeat(1 + random.below(3)));
    const then = random.pick(
      ["stay", "leave", "half-close", "send in pieces"] as const,
    );
    return { bytes: random.once(3) ? encode(line + "\n") : bytes, then };
  });
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function act(socket: Socket, { bytes, then }: Deed): void {
  if (then === "send in pieces") {
    const middle = bytes.length >> 1;
    socket.write(bytes.subarray(0, middle));
    setTimeout(() => socket.write(bytes.subarray(middle)), 1).unref();
  } else if (then === "half-close") socket.end(bytes);
  else socket.write(bytes, () => then === "leave" && socket.destroy());
}

/** Strangers with connections to an address, which end with the test. */
class Strangers {
  readonly #sockets = new Set<Socket>();

  /** Connects; null where the holder's queue is full, or nobody is there. */
  connect(path: string): Promise<Socket | null> {
    return new Promise((resolve) => {
      const socket = connect({ path });
      this.#sockets.add(socket);
      socket.on("connect", () => resolve(socket));
      socket.on("error", () => resolve(null));
      socket.on("close", () => this.#sockets.delete(socket));
      // Nobody reads what is said to them, and the end has to be seen.
      socket.resume();
    });
  }

  /** Takes an address, and answers everybody; returns how to leave it. */
  async squat(
    path: string,
    answer: (socket: Socket) => void,
  ): Promise<() => void> {
    const taken = new Set<Socket>();
    const server = createServer((socket) => {
      taken.add(socket.on("error", () => {}).resume());
      socket.on("close", () => taken.delete(socket));
      answer(socket);
    });
    const listening = (): Promise<boolean> =>
      new Promise((resolve) => {
        server.once("error", () => resolve(false));
        server.listen({ path, exclusive: true }, () => resolve(true));
      });
    // A lobby outlasts a lock by a turn or so.
    await until("the address", listening);
    return () => {
      if (server.listening) server.close();
      for (const socket of taken) socket.destroy();
    };
  }

  leave(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

async function withStrangers(
  run: (strangers: Strangers) => Promise<void>,
): Promise<void> {
  const strangers = new Strangers();
  const before = openDescriptors();
  try {
    await run(strangers);
  } finally {
    strangers.leave();
  }
  await until(
    `${openDescriptors()} descriptors instead of ${before}`,
    () => openDescriptors() <= before + 1,
  );
}

/** Where a lock lets waiters in; made by taking the lock once. */
async function addressOf(spec: LockSpec, create: Kind["create"]): Promise<{
  readonly door: string;
  readonly lobby: string;
}> {
  if (spec.kind === "SocketLock") {
    const door = socketAddress(spec.name);
    return { door, lobby: door.replace("locking", "locking!") };
  }
  await create(spec).withLock(() => {});
  const { directory } = spec.options as { directory: string };
  const { dev, ino } = statSync(join(directory, lockFileName(spec.name)));
  const lobby = `\0locking-file:${dev}:${ino}`;
  return { door: lobby, lobby };
}

function assertHolder(holder: Holder | null): void {
  if (holder === null) return;
  const { host, pid, acquiredAt } = holder;
  assert.equal(typeof host, "string");
  assert.ok(Number.isSafeInteger(pid) && pid >= 0, `pid ${pid}`);
  if (acquiredAt) assert.ok(Number.isFinite(acquiredAt.getTime()));
}

function testHolder(kind: Kind, skip: string | false): void {
  it(
    "that say anything to a holder: it keeps the lock, and hands it on",
    { skip },
    () =>
      withProcesses(async ({ worker }) => {
        const spec = kind.fresh();
        const other = await worker(nthRuntime(1));
        const theirs = await other.create(spec);
        const ours = kind.create(spec);
        const { door } = await addressOf(spec, kind.create);
        let lease: Lease = await ours.acquire();
        await withStrangers(async (strangers) => {
          await fuzz(`strangers of a ${kind.kind}'s holder`, {
            rounds: 60,
            make: (random, round) => ({
              deeds: makeDeeds(random, HELLO),
              handsOn: round % 10 === 9,
            }),
            async check({ deeds, handsOn }): Promise<void> {
              await Promise.all(deeds.map(async (deed) => {
                const socket = await strangers.connect(door);
                if (socket) act(socket, deed);
              }));
              lease.assertHeld();
              if (!handsOn) return;
              assert.equal(await theirs.tryAcquire(), false);
              const holder = await theirs.holder();
              assert.equal(holder?.pid, process.pid);
              const wait = await theirs.queue();
              await lease.release();
              await within(1000, "the other's turn", wait.granted);
              const next = ours.acquire();
              await theirs.release();
              lease = await within(1000, "our turn", next);
            },
          });
        });
        await lease.release();
      }),
  );
}

/** Answers of who only pretends to hold a lock, or to know who does. */
function makeLies(random: Random): (socket: Socket) => void {
  const lie = (): object => ({
    ...REPLY,
    ahead: random.pick([0, 1, 5, 1e15]),
    settlesInMs: random.pick([0, 1, 500, 8e15]),
  });
  const lines = Array.from(
    { length: 1 + random.below(4) },
    () =>
      random.once(2) ? JSON.stringify(lie()) : nearJson(random, {
        ...lie(),
        host: nastyText(random),
      }),
  );
  const bytes = random.once(3)
    ? mutate(random, lines.join("\n") + "\n")
    : encode(lines.join("\n") + "\n");
  const manner = random.below(4);
  return Object.assign((socket: Socket): void => {
    if (manner === 0) return void socket.end(bytes);
    socket.write(bytes);
    if (manner === 1) setTimeout(() => socket.destroy(), 2).unref();
    if (manner !== 2) return;
    const again = setInterval(() => socket.write(bytes), 100);
    socket.on("close", () => clearInterval(again));
  }, { lines, manner });
}

/** The liars that cost most: each once held a waiter up for ever. */
const LIES: Record<string, (socket: Socket) => void> = {
  "that newcomers may overtake for ever": says({ settlesInMs: 8e15 }),
  "that others come first, and hangs up": (socket) => {
    socket.end(JSON.stringify({ ...REPLY, ahead: 1 }) + "\n");
  },
  "who it is, again and again": (socket) => {
    says({})(socket);
    const again = setInterval(() => says({})(socket), 100);
    socket.on("close", () => clearInterval(again));
  },
  "who it is, and stays": says({}),
};

function says(lie: object): (socket: Socket) => void {
  const line = JSON.stringify({ ...REPLY, ...lie }) + "\n";
  return (socket) => void socket.write(line);
}

function testLobby(kind: Kind, skip: string | false): void {
  it(
    "in its lobby that lie as it is worst: a waiter gets its turn",
    { skip },
    () =>
      withProcesses(async ({ worker }) => {
        const other = await worker(nthRuntime(1));
        const waitFor = async (
          strangers: Strangers,
          [title, answer]: [string, (socket: Socket) => void],
        ): Promise<void> => {
          const spec = kind.fresh();
          const { lobby } = await addressOf(spec, kind.create);
          const leave = await strangers.squat(lobby, answer);
          try {
            const theirs = await other.create(spec);
            await theirs.take();
            const next = kind.create(spec).acquire();
            assert.ok(await pendingAfter(100, next), `${title}: granted`);
            await theirs.release();
            await (await within(LIED_TO_MS, title, next)).release();
          } finally {
            leave();
          }
        };
        await withStrangers(async (strangers) => {
          const lies = Object.entries(LIES);
          await Promise.all(lies.map((lie) => waitFor(strangers, lie)));
        });
      }),
  );

  it(
    "in its lobby that say anything: a waiter gets its turn",
    {
      skip,
    },
    () =>
      withStrangers((strangers) =>
        fuzz(`liars in a ${kind.kind}'s lobby`, {
          rounds: 8,
          make: makeLies,
          async check(answer): Promise<void> {
            const spec = kind.fresh();
            const { lobby } = await addressOf(spec, kind.create);
            const leave = await strangers.squat(lobby, answer);
            try {
              await takeInTurn(kind.create(spec), kind.create(spec));
            } finally {
              leave();
            }
          },
        })
      ),
  );
}

async function takeInTurn(first: Lock, second: Lock): Promise<void> {
  const lease = await first.acquire();
  assertHolder(await second.holder());
  const next = second.acquire();
  assert.ok(await pendingAfter(5, next), "granted");
  await lease.release();
  await (await within(LIED_TO_MS, "the turn", next)).release();
}

function testClaims(kind: Kind, skip: string | false): void {
  it(
    "that claim again and again to have waited longer: a waiter gets its turn",
    { skip },
    () =>
      withProcesses(async ({ worker }) => {
        const spec = kind.fresh();
        const other = await worker(nthRuntime(1));
        const { door, lobby } = await addressOf(spec, kind.create);
        const theirs = await other.create(spec);
        await theirs.take();
        await withStrangers(async (strangers) => {
          let over = false;
          const claim = async (path: string): Promise<void> => {
            const hello = { want: "turn", waitedMs: 8e15, claim: true };
            while (!over) {
              const socket = await strangers.connect(path);
              socket?.write(JSON.stringify(hello) + "\n");
              await sleep(socket ? 5 : 0.2);
              if (socket && Math.random() < 0.5) socket.destroy();
            }
          };
          const claims = [door, door, lobby].map(claim);
          try {
            const next = kind.create(spec).acquire();
            await pendingAfter(100, next);
            await theirs.release();
            await (await within(LIED_TO_MS, "our turn", next)).release();
          } finally {
            over = true;
            await Promise.all(claims);
          }
        });
      }),
  );
}

for (const kind of hostKinds()) {
  const missing = skip || kind.missing;
  describe(`${kind.kind} and strangers`, () => {
    testHolder(kind, missing);
    testLobby(kind, missing);
    testClaims(kind, missing);
  });
}

describe("SocketLock whose address a liar has", () => {
  const [{ fresh, create }] = hostKinds() as [Kind];
  const strangers = new Strangers();
  after(() => strangers.leave());

  async function meet(answer: (socket: Socket) => void): Promise<void> {
    const spec = fresh();
    const lock = create(spec);
    const leave = await strangers.squat(socketAddress(spec.name), answer);
    try {
      assert.equal(await lock.tryAcquire(), null);
      const waiting = lock.acquire({ timeoutMs: 60 });
      await assert.rejects(waiting, (error: Error) => {
        assert.equal((error as { code?: string }).code, "LOCK_TIMEOUT");
        assert.doesNotMatch(error.message, /\p{C}/u);
        assert.ok(error.message.length < 600);
        return true;
      });
      assertHolder(await within(2000, "holder()", lock.holder()));
      const next = lock.acquire();
      assert.ok(await pendingAfter(20, next), "granted");
      leave();
      await (await within(LIED_TO_MS, "our turn", next)).release();
    } finally {
      leave();
    }
  }

  it("is never granted, whatever it says, and had soon when it leaves", {
    skip,
  }, () =>
    fuzz("liars at a door", {
      rounds: 16,
      atOnce: 8,
      make: makeLies,
      check: meet,
    }));

  it("does not keep holder() waiting by what it says", { skip }, async () => {
    for (const answer of Object.values(LIES)) {
      const spec = fresh();
      const leave = await strangers.squat(socketAddress(spec.name), answer);
      const { host, pid } = REPLY;
      const holder = await within(500, "it", create(spec).holder());
      leave();
      const acquiredAt = new Date(REPLY.acquiredAt);
      assert.deepEqual(holder, { host, pid, acquiredAt });
    }
  });
});

describe("A holder of a SocketLock", () => {
  const [kind] = hostKinds() as [Kind];

  it(
    "answers a stranger that asks again and again once",
    { skip },
    () =>
      withStrangers(async (strangers) => {
        const spec = kind.fresh();
        const lease = await kind.create(spec).acquire();
        const socket = await strangers.connect(socketAddress(spec.name));
        let heard = "";
        socket!.on("data", (data) => heard += String(data));
        const ask = JSON.stringify({ ...HELLO, want: "holder" }) + "\n";
        for (let i = 0; i < 200; i++) {
          socket!.write(ask);
          if (i % 10 === 0) await sleep(1);
        }
        await sleep(20);
        assert.equal(heard.split("\n").length - 1, 1);
        await lease.release();
      }),
  );

  it(
    "hangs up on a line that is too long, whether it ends or not",
    { skip },
    () =>
      withStrangers(async (strangers) => {
        const spec = kind.fresh();
        const lease = await kind.create(spec).acquire();
        const long = JSON.stringify({ ...HELLO, more: "x".repeat(1500) });
        for (const text of ["x".repeat(2000), long + "\n", long]) {
          const socket = await strangers.connect(socketAddress(spec.name));
          const closed = new Promise((resolve) => socket!.on("close", resolve));
          socket!.write(text);
          await within(1000, `the end after ${text.length}`, closed);
        }
        lease.assertHeld();
        await lease.release();
      }),
  );

  it(
    "hangs up on who does not take what it is told",
    { skip },
    () =>
      withStrangers(async (strangers) => {
        const { name } = kind.fresh();
        const guest = Promise.withResolvers<Connection>();
        const closed = Promise.withResolvers<void>();
        const address = socketAddress(name);
        const listener = await runtime.sockets.listen(address, (connection) => {
          guest.resolve(connection);
          return { onData: () => {}, onClose: closed.resolve };
        });
        listener!.open();
        const socket = await strangers.connect(address);
        socket!.pause();
        const connection = await guest.promise;
        const text = "x".repeat(1000) + "\n";
        let over = false;
        void closed.promise.then(() => over = true);
        // The kernel itself keeps some 200 KB of it.
        for (let i = 0; i < 2000 && !over; i++) {
          connection.send(text);
          if (i % 100 === 0) await sleep(1);
        }
        await within(1000, "the end of the connection", closed.promise);
        await listener!.close();
      }),
  );

  const MANY = 5000;
  it(
    `keeps its lock through ${MANY} silent connections, and hands it on`,
    { skip: skip || tooFewDescriptors(MANY + 500) },
    () =>
      withProcesses(async ({ worker }) => {
        const [holder, other] = [await worker(), await worker(nthRuntime(1))];
        const spec = kind.fresh();
        const [theirs, second] = [
          await holder.create(spec),
          await other.create(spec),
        ];
        const count = async (): Promise<number> =>
          await holder.ask({ do: "descriptors" }) as number;
        // What a runtime opens the first time, it keeps.
        await theirs.take();
        const first = await second.queue();
        await theirs.release();
        await first.granted;
        await second.release();
        await theirs.take();
        const before = await count();
        const memory = residentMb(holder.child.pid);
        await withStrangers(async (strangers) => {
          const path = socketAddress(spec.name);
          let taken = 0;
          // Its queue in the kernel holds only so many at once.
          for (let i = 0; i < MANY; i += 100) {
            const some = Array.from(
              { length: 100 },
              () => strangers.connect(path),
            );
            taken += (await Promise.all(some)).filter(Boolean).length;
          }
          assert.ok(taken > MANY / 10, `only ${taken} got in`);
          await theirs.assertHeld();
          assert.ok(await count() < before + 1000);
          const wait = await second.queue();
          await theirs.release();
          await within(1000, "the other's turn", wait.granted);
        });
        await until("the descriptors", async () => await count() <= before + 1);
        const grown = residentMb(holder.child.pid) - memory;
        assert.ok(grown < 100, `${grown} MB`);
      }),
  );
});

function tooFewDescriptors(wanted: number): string | false {
  try {
    const limits = readFileSync("/proc/self/limits", "utf8");
    const [, most = ""] = /^Max open files +(\w+)/m.exec(limits) ?? [];
    return Number(most) < wanted &&
      `needs ${wanted} descriptors, and ${most} are allowed: ulimit -n`;
  } catch {
    return "needs /proc/self/limits";
  }
}

function residentMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024;
}
