/** Redis servers that a test starts on free ports and ends. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, it } from "node:test";
import { createClient } from "redis";
import { Child } from "./_child.ts";
import { noProgram } from "./_platform.ts";
import { until, within } from "./_time.ts";

/** Why RedisLock cannot be tested here, or false. */
export function noRedis(): string | false {
  return noProgram("redis-server", "--version") &&
    "redis-server is not installed: apt-get install redis-server";
}

/** A connection to a server for what the test itself does. */
interface Client {
  sendCommand(args: string[]): Promise<unknown>;
  destroy(): void;
}

/** A `redis-server` process. */
export class RedisProcess {
  /** Where it listens. */
  readonly port: number;
  /** Its address, as `hosts` takes it. */
  readonly host: string;
  /** Where it keeps what it keeps. */
  readonly directory: string;
  readonly #options: readonly string[];
  #child: Child | null = null;
  #client: Client | null = null;

  private constructor(port: number, options: readonly string[]) {
    this.port = port;
    this.host = `127.0.0.1:${port}`;
    this.directory = mkdtempSync(join(tmpdir(), "locking-redis-"));
    this.#options = options;
  }

  /** Starts a server that keeps nothing, unless the options say so. */
  static async start(...options: string[]): Promise<RedisProcess> {
    const server = new RedisProcess(await freePort(), options);
    await server.start();
    return server;
  }

  /** Starts it, again on the same port. */
  async start(...options: string[]): Promise<void> {
    const child = new Child([
      "redis-server",
      ...["--port", String(this.port), "--bind", "127.0.0.1"],
      ...["--dir", this.directory, "--save", "", "--appendonly", "no"],
      ...["--loglevel", "notice", ...this.#options, ...options],
    ]);
    this.#child = child;
    const ready = until(
      `a redis-server: ${child.describe()}`,
      () => child.lines.some((line) => /Ready to accept/.test(line)),
      10_000,
    );
    await Promise.race([
      ready,
      child.exited.then(() => {
        throw new Error(child.describe());
      }),
    ]);
  }

  /** Ends the process, and starts it again. */
  async restart(...options: string[]): Promise<void> {
    await this.kill();
    await this.start(...options);
  }

  /** Kills the process; what it kept in files stays. */
  async kill(): Promise<void> {
    this.#client?.destroy();
    this.#client = null;
    await this.#child?.end();
  }

  /** Stops the process or lets it go on. */
  signal(name: "SIGSTOP" | "SIGCONT"): void {
    this.#child?.signal(name);
  }

  /** Ends the process for good. */
  async end(): Promise<void> {
    await this.kill();
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** Sends a command; numbers and texts as the server gives them. */
  async command(...args: string[]): Promise<unknown> {
    return await (await this.#connect()).sendCommand(args);
  }

  /** The names of all keys. */
  async keys(pattern = "*"): Promise<string[]> {
    return (await this.command("KEYS", pattern) as string[]).sort();
  }

  /** How often commands were called by clients, by the server's own count. */
  async calls(...names: string[]): Promise<number> {
    const info = String(await this.command("INFO", "commandstats"));
    return names.reduce((sum, name) => {
      const match = new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(info);
      return sum + Number(match?.[1] ?? 0);
    }, 0);
  }

  async #connect(): Promise<Client> {
    if (this.#client) return this.#client;
    const client = createClient({
      url: `redis://${this.host}`,
      socket: { reconnectStrategy: false },
    });
    client.on("error", () => this.#client = null);
    await within(5000, "a connection", client.connect());
    client.unref();
    return this.#client = client;
  }
}

/** A port on which nobody listens. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

const missing = noRedis();

/** Declares a test, skipped where there is no server or something else. */
export function redisTest(
  name: string,
  run: () => Promise<void>,
  skip: string | false = missing,
): void {
  it(name, { skip }, run);
}

/** A server for all tests of a file; call it once, at the top of one. */
export function fileServer(): { readonly own: RedisProcess } {
  let server: RedisProcess | undefined;
  before(async () => {
    if (!missing) server = await RedisProcess.start();
  });
  after(() => server?.end());
  return {
    get own(): RedisProcess {
      if (!server) throw new Error("No server: skip the test");
      return server;
    },
  };
}

/** Runs a test with servers, and ends them, however it goes. */
export async function withRedis<T>(
  count: number,
  run: (servers: RedisProcess[]) => Promise<T>,
): Promise<T> {
  const servers = await Promise.all(
    Array.from({ length: count }, () => RedisProcess.start()),
  );
  try {
    return await run(servers);
  } finally {
    await Promise.all(servers.map((server) => server.end()));
  }
}
