/**
 * A process that takes locks when it is told to, and says how that went: a line
 * of JSON for each, in and out. It runs on each runtime.
 *
 *     contender.ts '{"name": "RedisLock", "module": "…/mod.ts", "places": {…}}'
 *
 * @module
 */
import process from "node:process";
import { eachLine } from "../../tests/faults/lines.ts";
import { monotonicMs } from "../../tests/faults/clock.ts";
import { sleep } from "../../tests/_time.ts";
import { createDynamo, driverNames, openDriver } from "./drivers.ts";
import {
  type Contender,
  openPeer,
  type Places,
  type Release,
} from "./peers.ts";

/** What a contender is started with. */
export interface ContenderSpec {
  /** One of our locks, a peer's package, or one of {@linkcode driverNames}. */
  readonly name: string;
  /** What to import our locks from. */
  readonly module: string;
  /** Where the locks are kept. */
  readonly places: Places;
}

/** What a contender can be told to do, by name. */
export interface Orders {
  /** Takes and frees a lock for a time; the microseconds of one cycle. */
  cycles(order: { lock: string; ms: number }): Promise<{ us: number }>;
  /** Has many tasks take and free one lock, once each, for a time at most. */
  tasks(order: { lock: string; count: number; ms: number }): Promise<Grants>;
  /** Has one task hold a lock and others wait for it, for a time. */
  waiters(order: { lock: string; count: number; ms: number }): Promise<Grants>;
  /** Takes and frees a lock from one time on, for a time. */
  contend(order: { lock: string; at: number; ms: number }): Promise<
    Grants & { longestMs: number }
  >;
  /** Takes a lock, and says when that was. */
  take(order: { lock: string }): Promise<{ at: number }>;
  /** Frees what was taken last, and says when that began. */
  free(order: Record<never, never>): Promise<{ at: number }>;
  /** Takes many locks; the bytes of heap of each. */
  hold(order: { lock: string; count: number }): Promise<{ bytes: number }>;
  /** Does nothing for a time; the milliseconds of a core that were used. */
  idle(order: { ms: number }): Promise<{ cpuMs: number }>;
}

/** How many leases were got, in what time. */
export interface Grants {
  readonly grants: number;
  readonly ms: number;
}

const LEASE = { ttlMs: 5000, heartbeatIntervalMs: 1000 };

/** How many locks are asked for at once, where many are taken. */
const AT_ONCE = 100;

/** How long a process that holds locks is left alone before it is measured. */
const SETTLE_MS = 2000;

const spec = JSON.parse(process.argv[2] ?? "") as ContenderSpec;
const { acquire } = await open(spec);
const held: Release[] = [];

const orders: Orders = {
  async cycles({ lock, ms }) {
    const from = performance.now();
    let cycles = 0;
    let now = from;
    while (now < from + ms) {
      await (await acquire(lock))();
      cycles++;
      now = performance.now();
    }
    return { us: (now - from) * 1000 / cycles };
  },
  async tasks({ lock, count, ms }) {
    let grants = 0;
    async function task(): Promise<void> {
      const release = await acquire(lock);
      grants++;
      await release();
    }
    const from = performance.now();
    const all = Array.from({ length: count }, task);
    await Promise.race([Promise.all(all), sleep(ms)]);
    return { grants, ms: performance.now() - from };
  },
  async waiters({ lock, count, ms }) {
    let grants = 0;
    const from = performance.now();
    async function task(): Promise<void> {
      while (performance.now() < from + ms) {
        const release = await acquire(lock);
        grants++;
        await release();
      }
    }
    await Promise.all(Array.from({ length: count + 1 }, task));
    return { grants, ms: performance.now() - from };
  },
  async contend({ lock, at, ms }) {
    let grants = 0;
    let longestMs = 0;
    await sleep(at - monotonicMs());
    let now = monotonicMs();
    const from = now;
    while (now < at + ms) {
      const release = await acquire(lock);
      const got = monotonicMs();
      longestMs = Math.max(longestMs, got - now);
      grants++;
      await release();
      now = monotonicMs();
    }
    return { grants, longestMs, ms: now - from };
  },
  async take({ lock }) {
    held.push(await acquire(lock));
    return { at: monotonicMs() };
  },
  async free() {
    const release = held.pop();
    const at = monotonicMs();
    await release?.();
    return { at };
  },
  async hold({ lock, count }) {
    const before = await heapBytes();
    for (let i = 0; i < count; i += AT_ONCE) {
      const some = Math.min(AT_ONCE, count - i);
      const names = Array.from({ length: some }, (_, j) => `${lock}/${i + j}`);
      held.push(...await Promise.all(names.map(acquire)));
    }
    await sleep(SETTLE_MS);
    return { bytes: (await heapBytes() - before) / count };
  },
  async idle({ ms }) {
    const before = process.cpuUsage();
    await sleep(ms);
    const { user, system } = process.cpuUsage(before);
    return { cpuMs: (user + system) / 1000 };
  },
};

/** Opens what takes locks. */
async function open({ name, module, places }: ContenderSpec) {
  if (driverNames.includes(name)) return await openDriver(name, places);
  if (/^[a-z@]/.test(name)) return await openPeer(name, places);
  return await openOurs(name, module, places);
}

async function openOurs(
  kind: string,
  module: string,
  { redis, dynamo, directory }: Places,
): Promise<Pick<Contender, "acquire">> {
  // The packed locks on Node, the sources elsewhere.
  const locks = await import(module) as typeof import("../../mod.ts");
  const client = kind === "DynamoLock" ? await createDynamo(dynamo) : undefined;
  const create: Record<string, (name: string) => import("../../mod.ts").Lock> =
    {
      SocketLock: (name) => new locks.SocketLock(name),
      FileLock: (name) => new locks.FileLock(name, { directory }),
      RedisLock: (name) =>
        new locks.RedisLock(name, { hosts: [redis], ...LEASE }),
      DynamoLock: (name) =>
        new locks.DynamoLock(name, { client: client!, ...LEASE }),
    };
  let last = create[kind]!("bench");
  return {
    acquire: async (name) => {
      if (last.name !== name) last = create[kind]!(name);
      const lease = await last.acquire();
      return () => lease.release();
    },
  };
}

/** What is on the heap once what nobody uses is gone. */
async function heapBytes(): Promise<number> {
  if ("Bun" in globalThis) {
    const jsc = "bun:jsc";
    const { fullGC, heapStats } = await import(jsc);
    fullGC();
    return heapStats().heapSize;
  }
  // There is a `gc` since it is asked for when this is started.
  const { gc } = globalThis as unknown as { gc(): void };
  gc();
  await sleep(0);
  gc();
  return process.memoryUsage().heapUsed;
}

async function obey(line: string): Promise<void> {
  const { order, ...what } = JSON.parse(line);
  const answer = await orders[order as keyof Orders](what as never).catch(
    (error: Error) => ({ error: error.stack ?? String(error) }),
  );
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

eachLine(process.stdin, (line) => void obey(line));
process.stdin.on("end", () => process.exit());
process.stdout.write('{"ready":true}\n');
