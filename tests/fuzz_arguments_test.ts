/** Made-up names, options and command lines: they work, or are told at once. */
import assert from "node:assert/strict";
import process from "node:process";
import { describe, it } from "node:test";
import { parseHosts } from "../backends/redis/hosts.ts";
import { splitArguments } from "../cli/arguments.ts";
import { parseDuration, showDuration } from "../cli/durations.ts";
import { Failure } from "../cli/failure.ts";
import { kindOf, openLock } from "../cli/open_lock.ts";
import {
  DynamoLock,
  FileLock,
  type Lock,
  RedisLock,
  SocketLock,
} from "../mod.ts";
import { runLocking } from "./_cli.ts";
import {
  fuzz,
  nastyNumber,
  nastyText,
  nastyValue,
  show,
  Trap,
} from "./_fuzz.ts";
import type { Random } from "./_random.ts";
import { uniqueName } from "./_names.ts";
import { noDescriptors, openDescriptors } from "./_spies.ts";

/** The options whose members are read. */
const READ = ["hosts", "client"];

type Make = (name: string, options: object) => Lock;

/** The locks, with the options that they have. */
const LOCKS: readonly [string, Make, readonly string[]][] = [
  ["SocketLock", (name, options) => new SocketLock(name, options), []],
  ["FileLock", (name, options) => new FileLock(name, options), ["directory"]],
  ["RedisLock", (name, options) => new RedisLock(name, options), [
    ...["hosts", "ttlMs", "heartbeatIntervalMs", "keyPrefix", "client"],
    "createClient",
  ]],
  ["DynamoLock", (name, options) => new DynamoLock(name, options), [
    ...["table", "ttlMs", "heartbeatIntervalMs", "createTable", "region"],
    ...["endpoint", "client"],
  ]],
];

/**
 * Runs something; it may refuse an argument, and name it, and nothing else. What
 * an object of the caller's throws when its members are read is the caller's.
 */
function assertRefusal(
  run: () => unknown,
  named: RegExp,
  ...read: readonly unknown[]
): void {
  try {
    run();
  } catch (error) {
    if (!read.some(isHostile)) assertNamed(error, named);
  }
}

/** Whether a value throws when it is looked at. */
function isHostile(value: unknown): boolean {
  try {
    if (typeof value === "function") Object.keys(value);
    if (typeof value !== "object" || value === null) return false;
    Object.keys(value);
    return Array.isArray(value) && [...value].some(isHostile);
  } catch {
    return true;
  }
}

function assertNamed(error: unknown, named: RegExp): void {
  const refused = error instanceof TypeError || error instanceof RangeError;
  assert.ok(refused, `not refused, but ${show(error)}`);
  assert.match((error as Error).message, named);
  assert.ok((error as Error).message.length < 600, "a message without an end");
}

/** What a library must not leave changed. */
function globals(): unknown[] {
  return [
    Error.stackTraceLimit,
    ...Object.getOwnPropertyNames(Object.prototype),
    ...Object.getOwnPropertyNames(Array.prototype),
    ...Object.getOwnPropertyNames(globalThis),
    process.env.REDIS_URL,
    process.env.AWS_REGION,
  ];
}

describe("a made-up", () => {
  it("name is taken or refused at once, by each lock", () =>
    fuzz("names", {
      rounds: 300,
      make: nastyValue,
      check(name): void {
        for (const [, create] of LOCKS) {
          // Without one, there is a default.
          if (name === undefined) continue;
          let lock: Lock | undefined;
          assertRefusal(() => lock = create(name as string, {}), /name/);
          assert.equal(lock !== undefined, typeof name === "string" && !!name);
          if (lock) assert.equal(lock.name, name);
          if (lock) assert.equal(typeof String(lock), "string");
        }
      },
    }));

  for (const [title, create, known] of LOCKS) {
    it(`option of ${title} is taken or refused at once, and named`, () =>
      fuzz(`options of ${title}`, {
        rounds: known.length === 0 ? 30 : 500,
        make: (random) => ({
          key: random.once(5) ? nastyText(random) : random.pick(known) ?? "ttl",
          value: random.once(4) ? nastyNumber(random) : nastyValue(random),
        }),
        check({ key, value }): void {
          const options = Object.fromEntries([[key, value]]);
          const isKnown = known.includes(key);
          const named = isKnown
            ? new RegExp(`${title}('s)? .*${key}|${title} takes either`)
            : /^Unknown .* option ".*": it has /s;
          const read = READ.includes(key) ? [value] : [];
          assertRefusal(() => create("report", options), named, ...read);
          if (!isKnown) assert.throws(() => create("report", options));
        },
      }));

    it(`options object of ${title} is taken or refused at once`, () =>
      fuzz(`option objects of ${title}`, {
        rounds: 200,
        make: nastyValue,
        check(options): void {
          if (options === undefined) return;
          const make = (): unknown => create("report", options as object);
          assertRefusal(make, new RegExp(title), options);
        },
      }));
  }

  it("option of acquire() and tryAcquire() is refused, and nothing is taken", () =>
    fuzz("options of acquire", {
      rounds: 400,
      make: (random) => ({
        key: random.pick(["timeoutMs", "signal", "ttl", nastyText(random)]),
        value: nastyValue(random),
      }),
      async check({ key, value }): Promise<void> {
        // Valid: it would wait, or take the lock.
        if (value === undefined) return;
        if (typeof value === "number" && value >= 0) return;
        const lock = new SocketLock(uniqueName());
        const options = Object.fromEntries([[key, value]]);
        for (
          const refused of [
            lock.acquire(options),
            lock.tryAcquire(options),
            lock.withLock(() => {}, options),
          ]
        ) {
          const error = await refused.then(() => null, (error) => error);
          if (key === "signal" && isHostile(value)) continue;
          assertNamed(error, /timeoutMs|signal|option/);
        }
        assert.equal(lock.locked, false);
      },
    }));

  it("signal that is none is refused, however much of one it looks like", () =>
    fuzz("signals", {
      rounds: 100,
      make: (random) => {
        const members: Record<string, unknown> = {
          aborted: false,
          addEventListener: () => {},
          removeEventListener: () => {},
        };
        const key = random.pick(Object.keys(members));
        if (random.once(2)) delete members[key];
        else members[key] = random.pick([undefined, null, 5, "x", {}, []]);
        return members;
      },
      async check(signal): Promise<void> {
        const options = { signal } as unknown as { signal: AbortSignal };
        const lock = new SocketLock(uniqueName());
        await assert.rejects(lock.acquire(options), TypeError);
        await assert.rejects(lock.tryAcquire(options), TypeError);
      },
    }));

  it("constructor call asks nobody for anything, and changes no global", {
    skip: noDescriptors(),
  }, async () => {
    const before = globals();
    const open = openDescriptors();
    await fuzz("constructors", {
      rounds: 300,
      make: (random) => ({
        name: nastyText(random) || "a",
        options: random.pick<object>([
          { hosts: nearHost(random) },
          { keyPrefix: nastyText(random) },
          { table: nastyText(random), region: nastyText(random) },
          { endpoint: `http://${nastyText(random)}` },
          { directory: nastyText(random) },
        ]),
      }),
      check({ name, options }): void {
        for (const [, create] of LOCKS) {
          assertRefusal(() => create(name, options), /./);
        }
      },
    });
    assert.deepEqual(globals(), before);
    assert.ok(openDescriptors() <= open + 1, `${open} descriptors before`);
  });

  it("prepareStackTrace leaves an unnamed lock a name or a TypeError", () => {
    const holder = Error as unknown as Record<string, unknown>;
    const { prepareStackTrace, stackTraceLimit } = holder;
    const unnamed = (): unknown => new SocketLock();
    try {
      for (
        const prepare of [
          (_: unknown, sites: unknown) => sites,
          () => undefined,
          () => 5,
          () => {
            throw new Trap("in prepareStackTrace");
          },
        ]
      ) {
        holder.prepareStackTrace = prepare;
        try {
          unnamed();
        } catch (error) {
          holder.prepareStackTrace = prepareStackTrace;
          if (!(error instanceof Trap)) assertNamed(error, /needs a name/);
        }
        assert.equal(holder.stackTraceLimit, stackTraceLimit);
      }
    } finally {
      holder.prepareStackTrace = prepareStackTrace;
      holder.stackTraceLimit = stackTraceLimit;
    }
  });
});

/** What is nearly the address of a Redis server. */
function nearHost(random: Random): string {
  const part = (likely: string): string =>
    random.once(3) ? nastyText(random).slice(0, 200) : likely;
  const { once } = random;
  const chance = once.bind(random);
  const scheme = chance(2)
    ? `${part(random.pick(["redis", "rediss"]))}://`
    : "";
  const user = chance(3) ? `${part("user")}:${part("hidden")}@` : "";
  const port = chance(2) ? `:${part(String(random.below(70_000)))}` : "";
  const path = chance(3) ? `/${part(String(random.below(16)))}` : "";
  return scheme + user + part("web-3") + port + path;
}

describe("a made-up address of a Redis server", () => {
  it("is refused, or means one server whose label means the same one", () =>
    fuzz("hosts", {
      rounds: 3000,
      make: nearHost,
      check(host): void {
        let servers: ReturnType<typeof parseHosts>;
        try {
          servers = parseHosts(host);
        } catch (error) {
          return assertNamed(error, /^RedisLock hosts must be like /);
        }
        const [{ url, label } = { url: "", label: "" }] = servers;
        assert.match(label, /^rediss?:\/\/[^\s/]+:\d+(\/\d+)?$/);
        // deno-lint-ignore no-control-regex
        assert.doesNotMatch(url + label, /[\x00-\x20\x7f-\x9f\u202a-\u202e]/);
        assert.equal(parseHosts(label)[0]?.label, label);
        assert.equal(parseHosts(url)[0]?.url, url);
      },
    }));

  it("shows no password in any message", () =>
    fuzz("passwords", {
      rounds: 1000,
      make: (random) => {
        const [before, after] = [nastyText(random), nastyText(random)]
          .map((text) => text.replaceAll(/[^!-~]|@/g, "").slice(0, 30));
        return `${
          random.pick(["redis://", "http://", ""])
        }user:${before}hidden${after}@${nearHost(random)}`;
      },
      check(hosts): void {
        try {
          new RedisLock("report", { hosts });
        } catch (error) {
          assert.doesNotMatch((error as Error).message, /hidden/);
        }
      },
    }));

  it("in a list with holes and strange things is refused, and named", () =>
    fuzz("lists of hosts", {
      rounds: 300,
      make: (random) => {
        const list = Array.from(
          { length: random.below(4) },
          () => random.once(2) ? nearHost(random) : nastyValue(random),
        );
        if (random.once(3)) list.length += 1 + random.below(3);
        return list;
      },
      check(hosts): void {
        const options = { hosts: hosts as string[] };
        const make = (): unknown => new RedisLock("report", options);
        assertRefusal(make, /RedisLock hosts/, hosts);
      },
    }));
});

describe("a made-up command line", () => {
  it("has durations that are read or refused in no time", () =>
    fuzz("durations", {
      rounds: 2000,
      make: (random) => {
        let text = "";
        for (let i = random.below(5); i >= 0; i--) {
          text += random.pick(["1", "09", "1.5", ".", "1e3", "-1", "0"]) +
            random.pick(["ms", "s", "m", "h", "d", "", "S", nastyText(random)]);
        }
        return random.once(200) ? "9".repeat(100_000) + text : text;
      },
      check(text): void {
        const start = performance.now();
        const ms = parseDuration(text);
        const took = performance.now() - start;
        assert.ok(took < 500, `${took} ms`);
        if (ms === null) return;
        assert.ok(ms >= 0, `${ms}`);
        assert.match(text, /^(0|(\d+(\.\d+)?(ms|[smhd]))+)$/);
        assert.equal(typeof showDuration(ms), "string");
      },
    }));

  it("is taken apart at its first --, and nothing of it is lost", () =>
    fuzz("arguments", {
      rounds: 1000,
      make: (random) =>
        Array.from(
          { length: random.below(6) },
          () =>
            random.once(3)
              ? random.pick(["--", "--file", "--file=", "-n", "run"])
              : nastyText(random),
        ),
      check(args): void {
        try {
          const { own, command } = splitArguments(args);
          const rest = command === null ? [] : ["--", ...command];
          const given = own.map((arg) => arg === "--file=" ? "--file" : arg);
          assert.deepEqual(
            [...given, ...rest],
            args.map((arg, i) =>
              arg === "--file=" && i < own.length ? "--file" : arg
            ),
          );
        } catch (error) {
          if (!(error instanceof Failure)) throw error;
          assert.equal(error.exitCode, 64);
          assert.ok(args.some((arg) => arg.includes("\ufffd")));
        }
      },
    }));

  it("has options that mean a lock, or are refused with 64", () =>
    fuzz("options of the command", {
      rounds: 1000,
      make: (random) => {
        const maybe = (text: string): string | undefined =>
          random.once(3)
            ? random.once(2) ? nastyText(random) : text
            : undefined;
        const options = {
          file: maybe("/run"),
          redis: maybe("redis://web-3"),
          dynamo: maybe("locks"),
          region: maybe("eu-central-1"),
          endpoint: maybe("http://localhost:8000"),
        };
        const given = Object.entries(options).filter(([, v]) =>
          v !== undefined
        );
        return {
          name: nastyText(random),
          options: Object.fromEntries(given),
          ttlMs: random.once(2) ? nastyNumber(random) : undefined,
        };
      },
      check({ name, options, ttlMs }): void {
        try {
          openLock(name, options, ttlMs);
          assert.equal(typeof kindOf(options), "string");
        } catch (error) {
          if (!(error instanceof Failure)) throw error;
          assert.equal(error.exitCode, 64);
          assert.notEqual(error.message, "");
        }
      },
    }));

  // A process each: few of them, of what only the whole program does.
  it("ends with 64 and a message without control characters", () =>
    fuzz("command lines", {
      rounds: 5,
      make: (random) => [
        random.pick(["run", "status", "list", "wait"]),
        `--${random.pick(["timeout", "ttl", "redis", "region", "on-lost"])}=` +
        random.pick(["5", "\x1b[31m", "\x9b31m", "\u202e5s", "1e9", "http://"]),
        ...random.once(2) ? ["--socket", "--file=/run"] : ["--region=a"],
        "\x1b]0;name\x07",
      ],
      async check(args): Promise<void> {
        const { code, output, errors } = await runLocking(...args);
        assert.equal(code, 64, errors);
        const raw = /[^\P{C}\n]/u;
        assert.doesNotMatch(output + errors, raw);
      },
    }));
});
