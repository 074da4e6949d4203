/** DynamoLock on an engine behind proxies that throttle, fail and delay. */
import { DynamoServer, type Engine, noEngine } from "../../_dynamo.ts";
import { type Fault, HttpProxy, type OnRequest } from "../../_http_proxy.ts";
import { Proxy } from "../../_proxy.ts";
import { Random } from "../../_random.ts";
import type { Arena, ArenaOptions } from "../arena.ts";
import type { Drawn, FaultKind } from "../fault.ts";
import { openWays } from "./far_ways.ts";

const TTL_MS = 1500;
const HEARTBEAT_MS = 400;
const RECOVERY_MS = TTL_MS + 3500;

/** Sets DynamoLocks up. */
export async function openDynamoArena({ names }: ArenaOptions): Promise<Arena> {
  const engine: Engine = noEngine("local") ? "dynalite" : "local";
  const server = await DynamoServer.start(engine);
  await server.createTable();
  const ways = await openWays(
    (address) => openWay(server, address),
    RECOVERY_MS,
  );
  return {
    promised: {
      kind: "DynamoLock",
      lease: true,
      fenced: true,
      fifo: false,
      mostOvertaking: 0,
      newcomerMs: 0,
      mostMisordered: 0,
      orderSlackMs: 0,
      toldWithinMs: 0,
      // Who polls may find it held again and again.
      longestWaitMs: 60_000,
      longestIdleMs: 3000,
    },
    ttlMs: TTL_MS,
    recoveryMs: RECOVERY_MS,
    faults: [
      ...requestFaults(({ choice }) => ways.choose(choice).http),
      stopped(server),
      ways.cutApart,
    ],
    locks: (slot) =>
      names.map((name) => ({
        kind: "DynamoLock",
        name,
        options: {
          endpoint: ways.of(slot).endpoint,
          ttlMs: TTL_MS,
          heartbeatIntervalMs: HEARTBEAT_MS,
        },
      })),
    wrap: ways.wrap,
    left: () => Promise.resolve([]),
    end: async () => {
      await Promise.all(ways.all.map((way) => way.end()));
      ways.end();
      await server.end();
    },
  };
}

/** A way to the engine; a second host's goes over its cable first. */
interface Way {
  readonly endpoint: string;
  readonly http: HttpProxy;
  end(): Promise<void>;
}

async function openWay(server: DynamoServer, address: string): Promise<Way> {
  const http = await HttpProxy.start(server.port);
  const port = Number(new URL(http.endpoint).port);
  const cable = await Proxy.start(port, address);
  const endpoint = `http://${cable.host}`;
  const end = async (): Promise<void> => {
    await cable.end();
    await http.end();
  };
  return { endpoint, http, end };
}

const OUTAGE = {
  suspends: ["order", "progress"],
  recoveryMs: RECOVERY_MS,
  lastsMs: [200, 3 * TTL_MS],
} as const;

function requestFaults(wayOf: (drawn: Drawn) => HttpProxy): FaultKind[] {
  const some = (
    kind: string,
    faultOf: (random: Random) => Fault,
    share = 1,
  ): FaultKind => ({
    ...OUTAGE,
    kind,
    begin: (drawn) => {
      const way = wayOf(drawn);
      const random = new Random(drawn.choice * 2 ** 32);
      const onRequest: OnRequest = () =>
        random.chance(share) ? faultOf(random) : null;
      way.onRequest = onRequest;
      return () => way.heal();
    },
  });
  return [
    some("throttled", () => throttle, 0.5),
    some("all throttled", () => throttle),
    some("server errors", () => failure, 0.5),
    some("answers lost", () => ({ kind: "lost" }), 0.5),
    some("silent", () => ({ kind: "silent" }), 0.5),
    some("all lost", () => ({ kind: "cut" })),
    some("delay", (random) => ({ kind: "delay", ms: random.next() * 800 })),
    some("reordered", (random) => ({ kind: "late", ms: random.next() * 800 })),
    some("twice", () => ({ kind: "twice" }), 0.5),
  ];
}

const throttle: Fault = {
  kind: "error",
  status: 400,
  type: "ProvisionedThroughputExceededException",
  message: "Throttled by the fault suite",
};

const failure: Fault = {
  kind: "error",
  status: 500,
  type: "InternalServerError",
  message: "Failed by the fault suite",
};

function stopped(server: DynamoServer): FaultKind {
  return {
    ...OUTAGE,
    kind: "server stopped",
    begin: () => {
      server.signal("SIGSTOP");
      return () => server.signal("SIGCONT");
    },
  };
}
