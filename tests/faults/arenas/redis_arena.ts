/** RedisLock on servers that keep what they know, unless they are made forget. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { Proxy, type ProxyMode } from "../../_proxy.ts";
import { Random } from "../../_random.ts";
import { RedisProcess } from "../../_redis.ts";
import { until } from "../../_time.ts";
import type { Arena, ArenaOptions } from "../arena.ts";
import type { Drawn, FaultKind, Undo } from "../fault.ts";
import { openWays } from "./far_ways.ts";

const TTL_MS = 1000;
const HEARTBEAT_MS = 300;
/** A dead holder's time to live, and the time until clients are there again. */
const RECOVERY_MS = TTL_MS + 3000;
const KEEPING = [
  ...["--appendonly", "yes", "--appendfsync", "always"],
  // A replica is served at once, not after five seconds.
  ...["--repl-diskless-sync-delay", "0"],
];

/** Sets RedisLocks on one server up. */
export function openRedisArena(options: ArenaOptions): Promise<Arena> {
  return openArena(options, 1);
}

/** Sets RedisLocks on a quorum of three servers up. */
export function openQuorumArena(options: ArenaOptions): Promise<Arena> {
  return openArena(options, 3);
}

async function openArena(
  { names }: ArenaOptions,
  count: number,
): Promise<Arena> {
  const starting = Array.from({ length: count }, () => Seat.open());
  const seats = await Promise.all(starting);
  const ways = await openWays(
    (address) => Promise.all(seats.map((seat) => seat.proxy(address))),
    RECOVERY_MS,
  );
  return {
    promised: { ...PROMISED, ...(count === 1 ? ONE_SERVER : QUORUM) },
    ttlMs: TTL_MS,
    recoveryMs: RECOVERY_MS,
    faults: [
      ...serverFaults(({ choice }) => pick(seats, choice)),
      ...networkFaults(({ choice, slot }) =>
        pick(ways.choose(choice), slot / SLOTS)
      ),
      ways.cutApart,
    ],
    locks: (slot) =>
      names.map((name) => ({
        kind: "RedisLock",
        name,
        options: {
          hosts: ways.of(slot).map((proxy) => proxy.host),
          ttlMs: TTL_MS,
          heartbeatIntervalMs: HEARTBEAT_MS,
        },
      })),
    wrap: ways.wrap,
    left: async () => (await Promise.all(seats.map(keysLeft))).flat(),
    end: async () => {
      await Promise.all(seats.map((seat) => seat.end()));
      ways.end();
    },
  };
}

/** A slot's number is less; it chooses among a way's servers. */
const SLOTS = 64;

const PROMISED = {
  kind: "RedisLock",
  lease: true,
  fenced: true,
  mostOvertaking: 0,
  newcomerMs: 0,
  mostMisordered: 0,
  orderSlackMs: 100,
  toldWithinMs: TTL_MS + 100,
} as const;

const ONE_SERVER = {
  fifo: true,
  longestWaitMs: 5000,
  longestIdleMs: 500,
};

const QUORUM = {
  fifo: false,
  longestWaitMs: 30_000,
  longestIdleMs: 3000,
};

function pick<T>(values: readonly T[], choice: number): T {
  return values[Math.floor(choice * values.length)]!;
}

/** A server that is asked through proxies; a promotion changes the server. */
class Seat {
  server: RedisProcess;
  readonly proxies: Proxy[] = [];

  private constructor(server: RedisProcess) {
    this.server = server;
  }

  static async open(): Promise<Seat> {
    return new Seat(await RedisProcess.start(...KEEPING));
  }

  async proxy(address: string): Promise<Proxy> {
    const proxy = await Proxy.start(this.server.port, address);
    this.proxies.push(proxy);
    return proxy;
  }

  /** Has another server asked from now on. */
  move(server: RedisProcess): void {
    this.server = server;
    for (const proxy of this.proxies) {
      proxy.port = server.port;
      proxy.reset();
    }
  }

  async end(): Promise<void> {
    await Promise.all(this.proxies.map((proxy) => proxy.end()));
    await this.server.end();
  }
}

/** What is done to a server that goes on knowing what it knew. */
const OUTAGE = {
  suspends: ["order", "progress"],
  recoveryMs: RECOVERY_MS,
} as const;

/** What is done to a server that forgets: only the fence holds. */
const AMNESIA = {
  suspends: ["exclusion", "order", "progress"],
  recoveryMs: RECOVERY_MS,
} as const;

function serverFaults(seatOf: (drawn: Drawn) => Seat): FaultKind[] {
  return [
    {
      ...OUTAGE,
      kind: "restart",
      lastsMs: [0, 1500],
      begin: async (drawn) => {
        const { server } = seatOf(drawn);
        await server.kill();
        return () => server.start();
      },
    },
    {
      ...AMNESIA,
      kind: "restart, forgotten",
      lastsMs: [0, 1500],
      begin: async (drawn) => {
        const { server } = seatOf(drawn);
        await server.kill();
        rmSync(join(server.directory, "appendonlydir"), { recursive: true });
        return () => server.start();
      },
    },
    {
      ...OUTAGE,
      kind: "server stopped",
      lastsMs: [50, 2 * TTL_MS],
      begin: (drawn) => {
        const { server } = seatOf(drawn);
        server.signal("SIGSTOP");
        return () => server.signal("SIGCONT");
      },
    },
    {
      ...AMNESIA,
      kind: "flush",
      lastsMs: [0, 0],
      begin: async (drawn) => {
        await seatOf(drawn).server.command("FLUSHALL");
      },
    },
    {
      kind: "scripts forgotten",
      suspends: [],
      recoveryMs: 0,
      lastsMs: [0, 0],
      begin: async (drawn) => {
        await seatOf(drawn).server.command("SCRIPT", "FLUSH");
      },
    },
    {
      ...AMNESIA,
      kind: "promotion",
      lastsMs: [0, 500],
      begin: (drawn) => promote(seatOf(drawn)),
    },
  ];
}

/** A replica takes over; what it was not yet told of is lost. */
async function promote(seat: Seat): Promise<Undo> {
  const { server } = seat;
  const replica = await RedisProcess.start(...KEEPING);
  await replica.command("REPLICAOF", "127.0.0.1", String(server.port));
  await until("a replica", async () => {
    const info = String(await replica.command("INFO", "replication"));
    return info.includes("master_link_status:up");
  }, 20_000);
  await server.end();
  return async () => {
    await replica.command("REPLICAOF", "NO", "ONE");
    seat.move(replica);
  };
}

/** Faults of one way to the server. */
export function networkFaults(wayOf: (drawn: Drawn) => Proxy): FaultKind[] {
  const mode = (kind: string, mode: ProxyMode): FaultKind => ({
    ...OUTAGE,
    kind,
    lastsMs: [20, 3 * TTL_MS],
    begin: (drawn) => {
      const way = wayOf(drawn);
      way.mode = mode;
      if (mode === "refuse") way.reset();
      return () => {
        // TCP loses nothing in the middle of a connection that goes on.
        way.reset();
        way.mode = "pass";
      };
    },
  });
  return [
    mode("connections broken", "refuse"),
    mode("all lost", "cut"),
    mode("answers lost", "drop"),
    mode("requests lost", "deaf"),
    delay("delay", ({ choice }) => () => choice * 400),
    // The answers of one connection come in order, those of several do not.
    delay("reordered", ({ choice }) => {
      const random = new Random(choice * 2 ** 32);
      return () => random.next() * 300;
    }),
  ];

  function delay(
    kind: string,
    delayOf: (drawn: Drawn) => () => number,
  ): FaultKind {
    return {
      ...OUTAGE,
      kind,
      lastsMs: [200, 3 * TTL_MS],
      begin: (drawn) => {
        const way = wayOf(drawn);
        way.delay = delayOf(drawn);
        return () => {
          way.delay = () => 0;
        };
      },
    };
  }
}

/** Locks that outlast their leases, and keys that stay for ever. */
async function keysLeft({ server }: Seat): Promise<string[]> {
  const isLock = (key: string): boolean => key.endsWith("}");
  await until(
    "the end of leases",
    async () => !(await server.keys()).some(isLock),
    2 * TTL_MS,
  ).catch(() => {});
  const found: string[] = [];
  for (const key of await server.keys()) {
    const ms = Number(await server.command("PTTL", key));
    // It may have gone since it was listed.
    if (ms === -1) found.push(`the key ${key}, for ever`);
    else if (isLock(key) && ms > 0) found.push(`the key ${key}, ${ms} ms`);
  }
  return found;
}
