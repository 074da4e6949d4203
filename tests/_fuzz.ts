/**
 * Made-up input: a repeatable source of chance, nasty values, and messages that
 * are nearly right.
 */
import process from "node:process";
import { inspect } from "node:util";
import { Random } from "./_random.ts";
import { longRun } from "./_runtimes.ts";

// What a run begins with unless it is told: CI is to be repeatable.
const DEFAULT_SEED = 20_261_124;

// How many times more rounds a long run has.
const LONG_FACTOR = 10;

/** The seed of this run: `LOCKING_FUZZ_SEED`, or always the same. */
export function fuzzSeed(): number {
  const given = Number(process.env.LOCKING_FUZZ_SEED || DEFAULT_SEED);
  if (Number.isSafeInteger(given)) return given;
  throw new RangeError("LOCKING_FUZZ_SEED must be an integer");
}

/** What {@linkcode fuzz} does. */
export interface FuzzOptions<T> {
  /** How often; a long run does it many times more often. */
  rounds: number;
  /**
   * How many rounds go on at once, where each of them lets time pass.
   *
   * @default {1}
   */
  atOnce?: number;
  /** Makes the input of a round. */
  make(random: Random, round: number): T;
  /** Throws, or rejects, where something is wrong. */
  check(input: T): unknown;
}

/**
 * Tries something with made-up inputs. Each round has a source of its own, so
 * that it meets the same input however the rounds before it went.
 */
export async function fuzz<T>(
  what: string,
  { rounds, atOnce = 1, make, check }: FuzzOptions<T>,
): Promise<void> {
  const seed = fuzzSeed();
  const count = longRun() ? rounds * LONG_FACTOR : rounds;
  const run = async (round: number): Promise<void> => {
    const input = make(new Random(seed + hash(what) + round * 7919), round);
    try {
      await check(input);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(
        `${what}: LOCKING_FUZZ_SEED=${seed}, round ${round}, ` +
          `${show(input)}\n${reason}`,
        { cause: error },
      );
    }
  };
  for (let round = 0; round < count; round += atOnce) {
    const length = Math.min(atOnce, count - round);
    await Promise.all(Array.from({ length }, (_, i) => run(round + i)));
  }
}

function hash(text: string): number {
  let sum = 0;
  for (const char of text) sum = Math.imul(sum, 31) + char.codePointAt(0)! | 0;
  return sum;
}

/** Any value in a message, whatever it does to who looks at it. */
export function show(value: unknown): string {
  try {
    const options = { showProxy: true, maxStringLength: 400, depth: 5 };
    return inspect(value, { ...options, maxArrayLength: 400 });
  } catch {
    return `a ${typeof value} that cannot be shown`;
  }
}

/** What a hostile value throws at who touches it. */
export class Trap extends Error {
  override name = "Trap";
}

function spring(): never {
  throw new Trap("touched");
}

const TEXTS: readonly string[] = [
  "",
  " ",
  "a",
  "a\0b",
  "\n",
  "\x1b[31m\x1b]0;title\x07",
  "\x9b31m",
  "\x7f",
  "\u202egnirts",
  "\u2066a\u2069",
  "\ufeff",
  "\ud800",
  "a\udfff",
  "\ufffd",
  "\u{1f512}",
  "__proto__",
  "constructor",
  "toString",
  "../../etc/passwd",
  "%",
  "%zz",
  "{",
  "}",
  "{}",
  "*",
  "NaN",
  "-0",
  "1e309",
  "0x10",
  "9".repeat(400),
  "[".repeat(2000),
  "${x}",
  "'; DROP TABLE locks; --",
  "-",
  "--",
  "--help",
];

const PIECES: readonly string[] = [
  ..."aZ09 ._:/@-%#?&=+[]{}()<>|\\\"'`~*$!,;",
  "\0",
  "\n",
  "\t",
  "\x1b",
  "\x85",
  "\x9b",
  "\u00e9",
  "\u0301",
  "\u202e",
  "\u{1f512}",
  "\ud800",
  "\udfff",
];

/** A nasty text, now and then of 64 KB. */
export function nastyText(random: Random): string {
  if (random.once(3)) return random.pick(TEXTS);
  let text = "";
  const length = random.below(12);
  for (let i = 0; i <= length; i++) text += random.pick(PIECES);
  return random.once(40) ? text.repeat(65_536 / text.length) : text;
}

const NUMBERS: readonly number[] = [
  0,
  -0,
  1,
  -1,
  0.5,
  1e-320,
  99,
  99.999,
  100,
  255,
  256,
  65_536,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 53 - 1,
  2 ** 53,
  8.64e15,
  8.64e15 + 1,
  1e21,
  1e308,
  -1e308,
  NaN,
  Infinity,
  -Infinity,
];

/** A nasty number. */
export function nastyNumber(random: Random): number {
  if (random.once(4)) return random.below(2 ** 32) - 2 ** 31;
  return random.pick(NUMBERS);
}

function cyclic(): object {
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  return cycle;
}

function revoked(target: object): object {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

const all = {
  get: spring,
  has: spring,
  ownKeys: spring,
  getPrototypeOf: spring,
  getOwnPropertyDescriptor: spring,
  apply: spring,
};

const OBJECTS: readonly (() => unknown)[] = [
  () => ({}),
  () => [],
  () => [undefined],
  () => new Array(3),
  () => Object.create(null),
  () => JSON.parse('{"__proto__": {"timeoutMs": 5}, "a": 1}'),
  cyclic,
  () => new Date(NaN),
  () => new Map([["hosts", 5]]),
  () => new Uint8Array(4),
  () => Promise.resolve("host"),
  () => /x/g,
  () => new Error("a value"),
  () => new String("boxed"),
  () => Object(5n),
  () => () => {},
  () => class Some {},
  () => Object.assign(() => {}, { toString: spring }),
  () => ({ toString: spring, valueOf: spring, toJSON: spring }),
  () => ({ toString: () => "host", valueOf: () => 5 }),
  () => Object.defineProperty({}, Symbol.toStringTag, { get: spring }),
  () => Object.defineProperty({}, Symbol.toPrimitive, { get: spring }),
  () => ({ length: 2 ** 53 - 1 }),
  () => new Proxy({}, {}),
  () => new Proxy({}, all),
  () => new Proxy([], all),
  () => new Proxy(() => {}, all),
  () => revoked({}),
  () => revoked([]),
  () => revoked(() => {}),
  () => Object.freeze({ a: Object.freeze({}) }),
];

/** Any value of the language, and preferably what is rarely thought of. */
export function nastyValue(random: Random): unknown {
  switch (random.below(8)) {
    case 0:
      return nastyText(random);
    case 1:
      return nastyNumber(random);
    case 2:
      return random.pick([undefined, null, true, false]);
    case 3:
      return random.pick([0n, -1n, 2n ** 64n, Symbol("a"), Symbol.iterator]);
    case 4:
      return [nastyText(random), nastyNumber(random), random.pick(OBJECTS)()];
    default:
      return random.pick(OBJECTS)();
  }
}

const encoder = new TextEncoder();

/** Some random bytes. */
export function randomBytes(random: Random, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => random.below(256));
}

/** Bytes that are nearly those of a valid message; sometimes megabytes. */
export function mutate(random: Random, text: string | Uint8Array): Uint8Array {
  let bytes = typeof text === "string" ? encoder.encode(text) : text;
  for (let i = random.below(4); i >= 0; i--) bytes = mutateOnce(random, bytes);
  return random.once(100) ? repeat(bytes, 1 << 20) : bytes;
}

function mutateOnce(random: Random, bytes: Uint8Array): Uint8Array {
  const at = random.below(bytes.length + 1);
  const to = at + random.below(bytes.length + 1 - at);
  const [head, part, tail] = [
    bytes.subarray(0, at),
    bytes.subarray(at, to),
    bytes.subarray(to),
  ];
  switch (random.below(6)) {
    case 0: // Flip a bit.
      return join(
        head,
        part.map((byte, i) => i === 0 ? byte ^ 1 << random.below(8) : byte),
        tail,
      );
    case 1: // Cut short.
      return head;
    case 2: // Leave out.
      return join(head, tail);
    case 3: // Say twice.
      return join(head, part, part, tail);
    case 4: // Change places.
      return join(tail, head, part);
    default:
      return join(head, randomBytes(random, 1 + random.below(16)), tail);
  }
}

function repeat(bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.length === 0) return new Uint8Array(length);
  return Uint8Array.from({ length }, (_, i) => bytes[i % bytes.length]!);
}

function join(...parts: Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** Values as JSON writes them, and as it should not. */
const RAW: readonly string[] = [
  "null",
  "true",
  "0",
  "-0",
  "-1",
  "1.5",
  "1e308",
  "-1e308",
  "1e999",
  "8.64e15",
  "8640000000000001",
  "9007199254740993",
  "9".repeat(400),
  '""',
  '"0"',
  '"\\u001b[31m\\u009b31m\\u202e\\u0007"',
  '"\\ud800"',
  JSON.stringify("x".repeat(20_000)),
  "{}",
  "[]",
  "[[5]]",
  // A number cannot be made of these.
  '{"toString":0,"valueOf":0}',
  "[".repeat(20_000) + "]".repeat(20_000),
  '{"a":'.repeat(5000) + "1" + "}".repeat(5000),
  "NaN",
  "Infinity",
  "undefined",
  "01",
  "'a'",
];

/** A text that is nearly the JSON of a valid record. */
export function nearJson(random: Random, record: object): string {
  const members = Object.entries(record)
    .map(([key, value]) => [JSON.stringify(key), JSON.stringify(value)]);
  for (let i = random.below(3); i >= 0; i--) {
    const at = random.below(members.length);
    const member = members[at] ?? ['"a"', "1"];
    switch (random.below(5)) {
      case 0:
        members.splice(at, 1);
        break;
      case 1:
        members.push([member[0]!, random.pick(RAW)]);
        break;
      case 2:
        members.push(['"__proto__"', random.pick(RAW)]);
        break;
      default:
        members[at] = [member[0]!, random.pick(RAW)];
    }
  }
  const text = `{${members.map((member) => member.join(":")).join(",")}}`;
  switch (random.below(10)) {
    case 0:
      return random.pick(RAW);
    case 1:
      return new TextDecoder().decode(mutate(random, text));
    case 2:
      return `[${text}]`;
    default:
      return text;
  }
}
