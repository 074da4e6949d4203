/** A Redis server, or whoever listens at its port, that answers anything. */
import assert from "node:assert/strict";
import { createServer, type Socket } from "node:net";
import { describe, it } from "node:test";
import { type Holder, RedisLock } from "../mod.ts";
import { fuzz, mutate, nastyText, nearJson } from "./_fuzz.ts";
import { Random } from "./_random.ts";
import { uniqueName } from "./_names.ts";
import { within } from "./_time.ts";

const TERMS = { ttlMs: 300, heartbeatIntervalMs: 100 };

/** Answers to the stamp of a call. */
type Answer = (stamp: string) => string | Uint8Array;

const VALUES: readonly string[] = [
  "$-1\r\n",
  "*-1\r\n",
  ":0\r\n",
  ":-1\r\n",
  ":9223372036854775807\r\n",
  "$7\r\ngranted\r\n",
  "$7\r\nwaiting\r\n",
  "$4\r\nheld\r\n",
  "$1\r\n5\r\n",
  "$3\r\nabc\r\n",
  `$400\r\n${"9".repeat(400)}\r\n`,
  "+OK\r\n",
  "-ERR no\r\n",
  "*0\r\n",
  "*1\r\n$1\r\na\r\n",
  "*1\r\n".repeat(20_000) + ":1\r\n",
];

/** Answers that begin as they should, and go on as they like. */
function makeAnswer(random: Random): Answer {
  const json = nearJson(random, { token: "a-1", host: "web-3", pid: 812 });
  const bulk = `$${new TextEncoder().encode(json).length}\r\n${json}\r\n`;
  const values = Array.from(
    { length: random.below(5) },
    () => random.once(3) ? bulk : random.pick(VALUES),
  );
  const first = random.once(5) ? random.pick(VALUES) : null;
  const raw = random.pick([
    ...["", "\r\n", "HTTP/1.1 400 Bad Request\r\n\r\n", "-NOSCRIPT no\r\n"],
    ...["-\r\n", "$-5\r\nx\r\n", "$999999999\r\nx", "*999999999\r\n", "*x\r\n"],
    ...["-ERR \x1b[31m\r\n", "-lower case\r\n", "%1\r\n+a\r\n+b\r\n", "_\r\n"],
    ...["+OK\r\n".repeat(50), ">2\r\n+message\r\n+a\r\n", "!3\r\nabc\r\n"],
    nastyText(random),
  ]);
  const manner = random.below(4);
  const seed = random.below(2 ** 31);
  return Object.assign((stamp: string) => {
    if (manner === 0) return raw;
    const head = first ?? `$${stamp.length}\r\n${stamp}\r\n`;
    const text = `*${values.length + 1}\r\n${head}${values.join("")}`;
    return manner === 1 ? mutate(new Random(seed), text) : text;
  }, { values, first, raw, manner });
}

/** The stamp of a script's call, which is its first argument. */
function stampOf(command: string): string {
  const words = [...command.matchAll(/\$\d+\r\n([^\r]*)\r\n/g)]
    .map(([, word = ""]) => word);
  const isScript = words[0] === "EVALSHA";
  return isScript ? words[3 + Number(words[2])] ?? "" : "";
}

async function withServer(
  answer: Answer,
  run: (hosts: string) => Promise<void>,
): Promise<void> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => {}));
    socket.on("data", (data) => socket.write(answer(stampOf(String(data)))));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as { port: number };
  try {
    await run(`127.0.0.1:${port}`);
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}

async function outcome<T>(
  what: string,
  run: () => Promise<T>,
): Promise<unknown> {
  try {
    return await within(20_000, what, run());
  } catch (error) {
    const { code = "", message } = error as Error & { code?: string };
    assert.match(code, /^LOCK_(BACKEND|TIMEOUT|LOST)$/, message);
    return null;
  }
}

describe("RedisLock of a server that answers anything", () => {
  it("takes what it can for an answer, and the rest for LOCK_BACKEND", () =>
    fuzz("answers of a server", {
      rounds: 40,
      atOnce: 20,
      make: makeAnswer,
      check: (answer) =>
        withServer(answer, async (hosts) => {
          const lock = new RedisLock(uniqueName(), { hosts, ...TERMS });
          const holder = await outcome("holder()", () => lock.holder());
          if (holder !== null) {
            const { pid, acquiredAt, expiresAt } = holder as Holder;
            assert.ok(Number.isSafeInteger(pid) && pid >= 0, `pid ${pid}`);
            for (const date of [acquiredAt, expiresAt]) {
              if (date) assert.ok(Number.isFinite(date.getTime()));
            }
          }
          // What the server grants is granted, whatever it is.
          const work = (): Promise<void> =>
            lock.withLock(() => {}, { timeoutMs: 400 });
          await outcome("a critical section", work);
        }),
    }));

  it("that says after a right answer what is nested without an end: nothing escapes", async () => {
    const deep = "*1\r\n".repeat(3000) + ":1\r\n";
    for (const second of [deep, "$7\r\ngranted\r\n", "$7\r\nwaiting\r\n"]) {
      let calls = 0;
      const over = new AbortController();
      const answer = (stamp: string): string => {
        // Nobody subscribes here, nor is anything else done.
        if (stamp === "") return "";
        if (calls > 3) over.abort({ code: "LOCK_TIMEOUT", message: "over" });
        const first = `$${stamp.length}\r\n${stamp}\r\n`;
        if (calls++ === 0) {
          return `*6\r\n${first}$7\r\nwaiting\r\n$2\r\n{}\r\n:99\r\n:0\r\n$1\r\n5\r\n`;
        }
        return `*4\r\n${first}${second}${deep}${deep}`;
      };
      await withServer(answer, async (hosts) => {
        const lock = new RedisLock(uniqueName(), { hosts, ttlMs: 1500 });
        const { signal } = over;
        const wait = (): Promise<unknown> => lock.acquire({ signal });
        assert.equal(await outcome("a wait", wait), null);
        assert.ok(calls > 1, "no refresh");
        await outcome("holder()", () => lock.holder());
      });
    }
  });

  it("with others, so that there is no majority: LOCK_BACKEND or a timeout", () =>
    fuzz("answers of servers", {
      rounds: 10,
      atOnce: 10,
      make: (random) => [makeAnswer(random), makeAnswer(random)] as const,
      check: ([one, other]) =>
        withServer(one, (first) =>
          withServer(other, async (second) => {
            const hosts = [first, second];
            const lock = new RedisLock(uniqueName(), { hosts, ...TERMS });
            const work = (): Promise<void> =>
              lock.withLock(() => {}, { timeoutMs: 400 });
            await outcome("a critical section", work);
            await outcome("holder()", () => lock.holder());
          })),
    }));
});
