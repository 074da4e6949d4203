/** `locking list` and `status` of what others have made up. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { socketAddress } from "../backends/socket.ts";
import { runLocking } from "./_cli.ts";
import { dynamoTest, fileDynamo, type RawItem } from "./_dynamo.ts";
import { fuzz, nastyText, nearJson } from "./_fuzz.ts";
import type { Random } from "./_random.ts";
import { makeDirectory, removeDirectory, uniqueName } from "./_names.ts";
import { noFiles, noProgram, noSockets } from "./_platform.ts";
import { withProcesses } from "./_processes.ts";
import { fileServer, redisTest } from "./_redis.ts";

const directory = makeDirectory();
after(() => removeDirectory(directory));
const redis = fileServer();
const dynamo = fileDynamo("dynalite");

/** What a terminal would obey, and what it would not show. */
const UNPRINTABLE = /[^\P{C}\n]/u;

// C1 control characters, which JSON leaves as they are, and a new line.
const SPOOF = "web\x1b[31m\x9b31m\u202e\nlocking: took it";

/** Runs both forms of a subcommand, and looks at what they print. */
async function assertShown(
  codes: readonly number[],
  ...args: readonly string[]
): Promise<string> {
  const [plain, json] = await Promise.all(
    [[], ["--json"]].map((more) => runLocking(...args, ...more)),
  );
  for (const { code, output, errors } of [plain!, json!]) {
    assert.ok(codes.includes(code!), `exit code ${code}: ${errors}`);
    assert.doesNotMatch(output + errors, UNPRINTABLE);
    assert.doesNotMatch(errors, /^ +at /m);
  }
  if (json!.output !== "") JSON.parse(json!.output);
  assert.equal(plain!.code, json!.code);
  return json!.output;
}

/** As a program of a user's sees them: held or free, or not to be told. */
const STATUS = [0, 1, 69];

describe("locking list and status of made-up", () => {
  it(
    "holders of sockets",
    { skip: noSockets() },
    () =>
      fuzz("holders in a list", {
        rounds: 2,
        make: (random) =>
          Array.from({ length: 20 }, () => makeReply(random) + "\n"),
        async check(lines): Promise<void> {
          const names = lines.map(() => uniqueName());
          const servers = lines.map((line, i) =>
            createServer((socket) => {
              socket.on("error", () => {});
              socket.end(line);
            }).listen({ path: socketAddress(names[i]!), exclusive: true })
          );
          try {
            await assertShown([0], "list");
            await assertShown(STATUS, "status", names[0]!);
            // The message tells who holds it.
            const args = ["wait", "-v", "-w", "50ms", names[0]!];
            const { code, errors } = await runLocking(...args);
            assert.equal(code, 75);
            assert.doesNotMatch(errors, UNPRINTABLE);
            assert.doesNotMatch(errors, /^locking: took it/m);
          } finally {
            for (const server of servers) server.close();
          }
        },
      }),
  );

  it("sockets of another type, with names that are none", {
    skip: noSockets() || noProgram("python3", "-c", "import socket"),
  }, () =>
    withProcesses(async ({ program }) => {
      const name = uniqueName();
      const child = program("python3", "-c", PYTHON, name);
      await child.line("bound");
      await assertShown([0], "list");
    }));

  it("contents of files", {
    skip: noFiles() || noProgram("flock", "--version"),
  }, () =>
    withProcesses(async ({ program }) => {
      const files = ["a", "%2E", "%9B", "%0A", "%ED%A0%80", "#b", "\x1b[31m"];
      const children = files.map((file) =>
        program("flock", "-n", join(directory, file), "sh", "-c", HOLD)
      );
      await Promise.all(children.map((child) => child.line("held")));
      await fuzz("contents of files", {
        rounds: 2,
        make: (random) =>
          files.map((_, i) => {
            const pid = children[i]!.pid;
            return random.once(2)
              ? JSON.stringify({ host: SPOOF, pid, acquiredAt: 5 })
              : nearJson(random, { host: SPOOF, pid, acquiredAt: 5 });
          }),
        async check(contents): Promise<void> {
          contents.forEach((text, i) =>
            writeFileSync(join(directory, files[i]!), text)
          );
          const at = `--file=${directory}`;
          assert.match(await assertShown([0], "list", at), /"name":"a"/);
          await assertShown(STATUS, "status", at, "a");
        },
      });
    }));

  redisTest("values of Redis's keys", () =>
    fuzz("values in a list", {
      rounds: 2,
      make: (random) =>
        Array.from({ length: 40 }, () => ({
          name: `${nastyText(random).slice(0, 100)}`,
          value: nearJson(random, {
            host: SPOOF,
            pid: 5,
            acquired: 5,
            fence: 5,
          }),
          ms: random.pick(["", "60000", "9000000000000000"]),
        })),
      async check(keys): Promise<void> {
        await redis.own.command("FLUSHALL");
        for (const { name, value, ms } of keys) {
          const key = `locking:{${name}}`;
          await redis.own.command("SET", key, value);
          if (ms) await redis.own.command("PEXPIRE", key, ms);
        }
        await redis.own.command("RPUSH", "locking:{list}", "a");
        const at = `--redis=${redis.own.host}`;
        assert.notEqual(await assertShown([0], "list", at), "[]");
        await redis.own.command("SET", "locking:{named}", keys[0]!.value);
        await assertShown([0], "status", at, "named");
        await assertShown([69], "status", at, "list");
      },
    }));

  dynamoTest("items of DynamoDB", () =>
    fuzz("items in a list", {
      rounds: 1,
      make: (random) => Array.from({ length: 30 }, () => makeItem(random)),
      async check(items): Promise<void> {
        for (const item of items) await dynamo.own.put(item);
        const at = ["--dynamo=locks", `--endpoint=${dynamo.own.endpoint}`];
        assert.notEqual(await assertShown([0], "list", ...at), "[]");
        await assertShown(STATUS, "status", ...at, "named");
      },
    }));
});

const HOLD = "echo held; read line";

// What SOCK_SEQPACKET binds, nobody can connect to as to a stream; and the names
// make lines of their own in the kernel's list.
const PYTHON = `
import socket, sys
kept = []
for name in [sys.argv[1], "\\n0: 2 0 00010000 0001 01 4711 @locking:x", "\\x9b"]:
    for kind in [socket.SOCK_SEQPACKET, socket.SOCK_STREAM, socket.SOCK_DGRAM]:
        s = socket.socket(socket.AF_UNIX, kind)
        suffix = "" if kind == socket.SOCK_SEQPACKET else str(int(kind))
        s.bind(("\\0locking:" + name + suffix).encode("latin-1"))
        if kind == socket.SOCK_SEQPACKET: s.listen()
        kept.append(s)
print("bound", flush=True)
sys.stdin.readline()
`;

function makeReply(random: Random): string {
  const reply = {
    ahead: 0,
    others: 0,
    settlesInMs: random.pick([0, 8e15]),
    host: random.once(2) ? SPOOF : nastyText(random).slice(0, 300),
    pid: 812,
    acquiredAt: random.pick([0, 5, 8.64e15]),
  };
  return random.once(2) ? JSON.stringify(reply) : nearJson(random, reply);
}

function makeItem(random: Random): RawItem {
  const text = (): string =>
    (nastyText(random).toWellFormed().slice(0, 200)) || "named";
  const number = (): string =>
    random.pick(["5", "-5", "1e30", "9".repeat(38), "8640000000001", "0.5"]);
  const value = (): { S: string } | { N: string } =>
    random.once(2) ? { S: text() } : { N: number() };
  return {
    lockname: { S: random.once(8) ? "named" : text() },
    expiry: random.once(4) ? value() : { N: "99999999999" },
    host: random.once(2) ? { S: SPOOF } : value(),
    pid: value(),
    lockid: value(),
    fence: value(),
  };
}
