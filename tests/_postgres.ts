/** A PostgreSQL server that a test starts on a free port and ends. */
import { spawnSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import pg from "pg";
import { Child } from "./_child.ts";
import { noProgram } from "./_platform.ts";
import { freePort } from "./_redis.ts";
import { until, within } from "./_time.ts";

/** Where Debian keeps the servers, each version in a folder of its own. */
const VERSIONS = "/usr/lib/postgresql";

/** The user that Debian's package makes. */
const USER = "postgres";

// What is waited for is a line of its log.
const VARIABLES = ["LC_ALL=C"];

/** Why there is no PostgreSQL here, or false. */
export function noPostgres(): string | false {
  const [program = "", ...args] = command("postgres", "--version");
  return noProgram(program, ...args) &&
    "PostgreSQL is not installed: apt-get install postgresql";
}

/** A `postgres` process, with an empty database. */
export class PostgresProcess {
  /** Its address, as `DATABASE_URL` takes it. */
  readonly url: string;
  readonly #directory: string;
  readonly #child: Child;

  private constructor(directory: string, port: number) {
    this.url = `postgres://${USER}@127.0.0.1:${port}/postgres`;
    this.#directory = directory;
    this.#child = new Child(command(
      "postgres",
      ...["-D", directory, "-p", String(port)],
      ...["-c", "listen_addresses=127.0.0.1"],
      ...["-c", "unix_socket_directories=", "-c", "fsync=off"],
    ));
  }

  /** Starts a server that keeps what it has in a temporary directory. */
  static async start(): Promise<PostgresProcess> {
    const directory = makeDirectory();
    try {
      await initialize(directory);
      const server = new PostgresProcess(directory, await freePort());
      await server.#ready();
      return server;
    } catch (error) {
      rmSync(directory, { recursive: true, force: true });
      throw error;
    }
  }

  /** Asks it, and gives the rows. */
  async query(sql: string): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({ connectionString: this.url });
    await within(5000, "a connection", client.connect());
    try {
      return (await client.query(sql)).rows;
    } finally {
      await client.end();
    }
  }

  /** Ends the process, and removes what it kept. */
  async end(): Promise<void> {
    // Not SIGKILL at first: it has processes of its own to end.
    this.#child.signal("SIGQUIT");
    const ended = within(10_000, "the server's end", this.#child.exited);
    await ended.catch(() => this.#child.end());
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #ready(): Promise<void> {
    const child = this.#child;
    const isReady = (): boolean => child.errors.includes("ready to accept");
    await until(
      `a server: ${child.describe()}`,
      () => isReady() || child.over,
      20_000,
    ).catch(async (error) => {
      await child.end();
      throw error;
    });
    if (!isReady()) throw new Error(child.describe());
  }
}

/** Runs a test with a server, and ends it, however it goes. */
export async function withPostgres<T>(
  run: (server: PostgresProcess) => Promise<T>,
): Promise<T> {
  const server = await PostgresProcess.start();
  try {
    return await run(server);
  } finally {
    await server.end();
  }
}

function makeDirectory(): string {
  const template = join(tmpdir(), "locking-postgres-XXXXXX");
  const [program = "", ...args] = asUser("mktemp", "-d", template);
  const { stdout } = spawnSync(program, args, { encoding: "utf8" });
  return stdout.trim();
}

async function initialize(directory: string): Promise<void> {
  const child = new Child(command(
    "initdb",
    ...["-D", directory, "-U", USER, "--auth=trust"],
    ...["--encoding=UTF8", "--no-locale", "--no-sync"],
  ));
  try {
    const { code } = await within(60_000, "initdb", child.exited);
    if (code !== 0) throw new Error(child.describe());
  } finally {
    await child.end();
  }
}

/** The command that runs one of the newest server's programs. */
function command(program: string, ...args: string[]): string[] {
  return asUser(join(VERSIONS, newest(), "bin", program), ...args);
}

function newest(): string {
  try {
    const versions = readdirSync(VERSIONS);
    return versions.sort((a, b) => Number(b) - Number(a))[0] ?? "";
  } catch {
    return "";
  }
}

/**
 * PostgreSQL refuses to run as root, and to start in a folder that its user
 * may not enter. Each program becomes the next one, so the pid stays.
 */
function asUser(...command: string[]): string[] {
  const away = ["env", "--chdir=/", ...VARIABLES];
  if (process.getuid?.() !== 0) return [...away, ...command];
  const rights = [`--reuid=${USER}`, `--regid=${USER}`, "--init-groups"];
  return [...away, "setpriv", ...rights, ...command];
}
