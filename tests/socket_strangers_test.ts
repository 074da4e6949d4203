/** SocketLock and others that use its address, and what the system shows. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { connect, createServer, type Server, type Socket } from "node:net";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { socketAddress } from "../backends/socket.ts";
import { SocketLock } from "../mod.ts";
import { uniqueName } from "./_names.ts";
import { noProgram, noSockets } from "./_platform.ts";
import { runScript, withProcesses } from "./_processes.ts";
import { currentRuntime, nthRuntime, testRuntimes } from "./_runtimes.ts";
import { sleep, timed, until, within } from "./_time.ts";
import type { RemoteLock, Worker } from "./_worker.ts";

const skip = noSockets();

/** What strangers might say; the last ones lie in the library's own tongue. */
const GARBAGE: readonly (string | Uint8Array)[] = [
  "",
  "\n",
  "\0\0\0\n",
  "GET / HTTP/1.1\r\n\r\n",
  "null\n",
  "[]\n{}\n",
  '{"want":5}\n',
  '{"__proto__":{"want":"turn"}}\n',
  "[".repeat(100_000) + "\n",
  "x".repeat(1_000_000),
  Uint8Array.from({ length: 4096 }, (_, i) => i * 7919 % 256),
  '{"want":"holder","waitedMs":0,"claim":false}\n',
  '{"want":"turn","waitedMs":-1,"claim":true}\n',
  '{"want":"turn","waitedMs":1e999,"claim":true}\n',
  '{"want":"turn","waitedMs":1e15,"claim":true}\n',
];

/** Connects as a stranger; null where the holder's queue is full. */
function knock(name: string): Promise<Socket | null> {
  return new Promise((resolve) => {
    const socket = connect({ path: socketAddress(name) });
    socket.on("connect", () => resolve(socket));
    // Refused, or reset by a holder that has heard enough.
    socket.on("error", () => resolve(null));
  });
}

async function descriptors(worker: Worker): Promise<number> {
  return await worker.ask({ do: "descriptors" }) as number;
}

describe("SocketLock and strangers that connect to its socket", () => {
  // What is thrown where a socket is heard ends a process of Node.
  for (const runtime of testRuntimes()) {
    it(
      `garbage neither crashes the holder nor costs it the lock nor leaks (in ${runtime.id})`,
      {
        skip,
      },
      () =>
        withProcesses(async (processes) => {
          const worker = await processes.worker(runtime);
          const name = uniqueName();
          const theirs = await worker.create({ kind: "SocketLock", name });
          await theirs.take();
          await (await knock(name))?.destroy();
          const before = await descriptors(worker);
          const sockets: (Socket | null)[] = [];
          for (const garbage of GARBAGE) {
            const socket = await knock(name);
            socket?.write(garbage);
            sockets.push(socket);
          }
          // The holder hears them in its next turns; ask for some.
          for (let i = 0; i < 20; i++) await descriptors(worker);
          await theirs.assertHeld();
          const ours = new SocketLock(name);
          assert.equal(await ours.tryAcquire(), null);
          assert.equal((await ours.holder())?.pid, worker.child.pid);
          const waiting = ours.acquire({ timeoutMs: 5000 });
          await theirs.release();
          await (await within(1000, "the grant", waiting)).release();
          for (const socket of sockets) socket?.destroy();
          await until(
            "the descriptors",
            async () => await descriptors(worker) <= before,
          );
        }),
    );
  }

  it(
    "500 silent connections delay a waiter by less than a second and leave nothing",
    { skip },
    () =>
      withProcesses(async (processes) => {
        const worker = await processes.worker(nthRuntime(1));
        const other = await processes.worker(nthRuntime(2));
        const name = uniqueName();
        const spec = { kind: "SocketLock", name } as const;
        const theirs = await worker.create(spec);
        await theirs.take();
        await (await knock(name))?.destroy();
        const before = await descriptors(worker);
        const knocks = Array.from({ length: 500 }, () => knock(name));
        const sockets = await within(5000, "them", Promise.all(knocks));
        assert.ok(sockets.some((socket) => socket !== null));
        await until(
          "the oldest of them to go",
          async () => await descriptors(worker) <= before + 200,
        );
        const second: RemoteLock = await other.create(spec);
        const wait = await second.queue();
        await theirs.assertHeld();
        assert.equal(
          (await new SocketLock(name).holder())?.pid,
          worker.child.pid,
        );
        await theirs.release();
        await within(1000, "the grant", wait.granted);
        for (const socket of sockets) socket?.destroy();
        await until(
          "the descriptors",
          async () => await descriptors(worker) <= before,
        );
      }),
  );
});

describe("SocketLock whose address a stranger has taken", () => {
  const strangers: Record<string, (socket: Socket) => void> = {
    "says nothing": () => {},
    "hangs up": (socket) => socket.destroy(),
    "talks garbage": (socket) => socket.end("}{\n".repeat(1000)),
    "lies": (socket) =>
      socket.write(
        '{"first":true,"settlesInMs":0,"host":5,"pid":"x","acquiredAt":1e99}\n',
      ),
  };
  for (const [title, answer] of Object.entries(strangers)) {
    it(
      `that ${title} is held, never an error or an endless loop, until it is given up`,
      { skip },
      async () => {
        const name = uniqueName();
        let visits = 0;
        const server = await squat(name, (socket) => {
          visits++;
          answer(socket);
        });
        const lock = new SocketLock(name);
        try {
          await assertPatient(lock, () => visits);
          const waiting = lock.acquire({ timeoutMs: 5000 });
          await sleep(50);
          server.close();
          await (await waiting).release();
        } finally {
          server.close();
        }
      },
    );
  }
});

describe("SocketLock whose holder is stopped", () => {
  it("after it has freed the lock, and before it rings, is had by who waits", {
    skip,
  }, async () => {
    const name = uniqueName();
    const reply = {
      ...{ ahead: 0, others: 0, settlesInMs: 0 },
      ...{ host: "here", pid: 1, acquiredAt: Date.now() },
    };
    const sockets: Socket[] = [];
    const server = await listenAt(name, (socket) => {
      sockets.push(socket);
      socket.write(`${JSON.stringify(reply)}\n`);
    });
    const waiting = new SocketLock(name).acquire();
    await until("a visit", () => sockets.length > 0);
    // Its connections stay open.
    server.close();
    await (await within(20_000, "the lock", waiting)).release();
    for (const socket of sockets) socket.destroy();
  });

  it("is told as one without a pid, however many wait at its door", {
    skip,
  }, () =>
    withProcesses(async (processes) => {
      const name = uniqueName();
      const worker = await processes.worker(currentRuntime());
      const theirs = await worker.create({ kind: "SocketLock", name });
      await theirs.take();
      worker.child.signal("SIGSTOP");
      // More than fit in its queue.
      const knocks = Array.from({ length: 600 }, () => knock(name));
      const sockets = await within(20_000, "them", Promise.all(knocks));
      const lock = new SocketLock(name);
      assert.equal(await lock.tryAcquire(), null);
      assert.equal((await lock.holder())?.pid, 0);
      for (const socket of sockets) socket?.destroy();
      worker.child.signal("SIGCONT");
      await theirs.release();
    }));
});

/** A lock that somebody holds costs neither the lock nor much of the machine. */
async function assertPatient(
  lock: SocketLock,
  visits: () => number,
): Promise<void> {
  assert.equal(await lock.tryAcquire(), null);
  const before = visits();
  await assert.rejects(lock.acquire({ timeoutMs: 300 }), {
    code: "LOCK_TIMEOUT",
  });
  const seen = visits() - before;
  assert.ok(seen < 200, `${seen} visits in 300 ms`);
  // Who it is cannot be told; but asking must not hang.
  const { ms, error } = await timed(() => lock.holder());
  assert.equal(error, undefined);
  assert.ok(ms < 5000, `lock.holder() took ${ms} ms`);
}

/** Binds a lock's address as a program of another kind. */
async function squat(
  name: string,
  answer: (socket: Socket) => void,
): Promise<Server> {
  const sockets = new Set<Socket>();
  const server = await listenAt(name, (socket) => {
    sockets.add(socket);
    answer(socket);
  });
  const { close } = server;
  server.close = () => {
    for (const socket of sockets) socket.destroy();
    return server.listening ? close.call(server) : server;
  };
  return server;
}

async function listenAt(
  name: string,
  answer: (socket: Socket) => void,
): Promise<Server> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    answer(socket);
  });
  await new Promise<void>((resolve, reject) => {
    server.on("error", reject);
    server.listen({ path: socketAddress(name), exclusive: true }, resolve);
  });
  return server;
}

describe("SocketLock and the system", () => {
  it("is listed in /proc/net/unix while it is held", { skip }, async () => {
    const name = uniqueName();
    const line = new RegExp(`@locking:${name}$`, "m");
    const listed = (): boolean =>
      line.test(readFileSync("/proc/net/unix", "utf8"));
    const lease = await new SocketLock(name).acquire();
    assert.equal(listed(), true);
    await lease.release();
    assert.equal(listed(), false);
  });

  it("is listed by `ss -xl` while it is held", {
    skip: skip || noProgram("ss", "-xl"),
  }, async () => {
    const name = uniqueName();
    const list = (): string =>
      spawnSync("ss", ["-xl"], { encoding: "utf8", maxBuffer: 1 << 26 }).stdout;
    const lease = await new SocketLock(name).acquire();
    assert.ok(list().includes(`@locking:${name} `));
    await lease.release();
    assert.ok(!list().includes(`@locking:${name} `));
  });

  const noCluster = currentRuntime().id.startsWith("node")
    ? false
    : "node:cluster shares handles on Node alone";
  it("excludes workers of one Node cluster from each other", {
    skip: skip || noCluster,
  }, async () => {
    const { output, code, errors } = await runScript(
      currentRuntime(),
      "cluster.ts",
      uniqueName(),
    );
    assert.equal(code, 0, errors);
    assert.deepEqual(output.split("\n"), [
      "first: got",
      "second: refused",
      "first: released",
      "second: got",
    ]);
  });
});
