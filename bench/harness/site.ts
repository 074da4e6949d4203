/**
 * Where measurements take place: servers, the packages of others, and ours,
 * each fetched or started when something asks for it.
 *
 * @module
 */
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureDynamoDbLocal } from "../../scripts/dynamodb_local.ts";
import {
  drivers,
  makeProject,
  packPackage,
} from "../../scripts/npm_project.ts";
import { run } from "../../scripts/run.ts";
import type { RuntimeCommand } from "../../scripts/runtimes.ts";
import { DynamoServer } from "../../tests/_dynamo.ts";
import { RedisProcess } from "../../tests/_redis.ts";
import type { ContenderSpec } from "../programs/contender.ts";
import { BARE_TABLES } from "../programs/drivers.ts";
import { PEER_TABLE } from "../programs/peers.ts";
import { backendOf, PEER_PACKAGES, PEERS } from "./contenders.ts";
import { Program } from "./program.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Where the packages of others are installed. */
const peersFolder = `${root}.runtimes/peers`;

/** Options of {@linkcode Site.start}. */
export interface StartOptions {
  /** Whether the process can be asked to collect its garbage. */
  readonly gc?: boolean;
}

/** Servers and packages, to be ended after use. */
export class Site {
  readonly #programs = new Set<Program>();
  readonly #endings: (() => Promise<unknown>)[] = [];
  readonly #directory = once(async () => {
    // Where FileLock keeps its files, too.
    const dir = await isFolder("/dev/shm") ? "/dev/shm" : null;
    const path = await Deno.makeTempDir({
      ...dir ? { dir } : {},
      prefix: "locking-bench-",
    });
    this.#endings.push(() => Deno.remove(path, { recursive: true }));
    return path;
  });
  readonly #redis = once(async () => {
    const server = await RedisProcess.start();
    this.#endings.push(() => server.end());
    return server;
  });
  readonly #dynamo = once(async () => {
    await ensureDynamoDbLocal();
    const server = await DynamoServer.start("local");
    this.#endings.push(() => server.end());
    await server.createTable();
    for (const name of Object.values(BARE_TABLES)) {
      await server.createTable(name);
    }
    await server.createTable(PEER_TABLE, "id");
    return server;
  });
  readonly #packed = once(async () => {
    const tarball = await packPackage();
    const folder = dirname(tarball);
    this.#endings.push(() => Deno.remove(folder, { recursive: true }));
    return await makeProject("bench", tarball, { packages: drivers });
  });
  readonly #limits = once(async () => {
    const folder = await this.#directory();
    const file = `${folder}/limits`;
    const source = `${root}bench/programs/limits.c`;
    await run("cc", { args: ["-O2", "-o", file, source] });
    return file;
  });
  readonly #peers = once(installPeers);

  /** The Redis server, for what a scenario itself asks of it. */
  get redis(): () => Promise<RedisProcess> {
    return this.#redis;
  }

  /**
   * Starts a process that takes locks.
   *
   * @param runtime What it runs on.
   * @param name Whose locks.
   * @param options What it has to be able to do.
   * @returns The process, which is ready.
   */
  async start(
    { id, command }: RuntimeCommand,
    name: string,
    options: StartOptions = {},
  ): Promise<Program> {
    const backend = backendOf(name);
    if (name in PEERS) await this.#peers();
    const isOfNode = id.startsWith("node");
    const spec: ContenderSpec = {
      name,
      module: isOfNode
        ? `${await this.#packed()}/node_modules/@x/locking/esm/mod.js`
        : `${root}mod.ts`,
      places: {
        peers: peersFolder,
        redis: backend === "redis" ? (await this.#redis()).host : "",
        dynamo: backend === "dynamo" ? (await this.#dynamo()).endpoint : "",
        directory: await this.#directory(),
      },
    };
    const family = id.slice(0, 4);
    const flags = [
      ...options.gc ? GC_FLAGS[family] ?? [] : [],
      // Elsewhere, what their packages import is looked for in ours.
      ...name in PEERS && family === "deno"
        ? ["--node-modules-dir=manual"]
        : [],
    ];
    const file = `${root}bench/programs/contender.ts`;
    return await this.#add(
      new Program(name, [...command, ...flags, file, JSON.stringify(spec)]),
    );
  }

  /**
   * Starts the program that makes the system calls of a lock and no others.
   *
   * @param kind Of which lock.
   * @param name What it goes by.
   * @returns The process.
   */
  async startLimit(kind: "socket" | "file", name: string): Promise<Program> {
    const place = kind === "file"
      ? `${await this.#directory()}/limit`
      : `locking-bench-${crypto.randomUUID()}`;
    return await this.#add(
      new Program(name, [await this.#limits(), kind, place]),
    );
  }

  /** Ends programs. */
  async end(programs: Iterable<Program>): Promise<void> {
    await Promise.all(
      [...programs].map(async (program) => {
        this.#programs.delete(program);
        await program.end();
      }),
    );
  }

  /** Ends everything. */
  async close(): Promise<void> {
    await this.end(this.#programs);
    for (const end of this.#endings.reverse()) await end();
  }

  async #add(program: Program): Promise<Program> {
    this.#programs.add(program);
    try {
      await program.ready();
      return program;
    } catch (error) {
      await this.end([program]);
      throw error;
    }
  }
}

const GC_FLAGS: Readonly<Record<string, readonly string[]>> = {
  deno: ["--v8-flags=--expose-gc"],
  node: ["--expose-gc"],
};

/** Does something when first asked, and once. */
function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => result ??= work();
}

async function isFolder(path: string): Promise<boolean> {
  return await Deno.stat(path).then((stat) => stat.isDirectory, () => false);
}

async function installPeers(): Promise<void> {
  const manifest = `${peersFolder}/package.json`;
  const dependencies = Object.fromEntries(
    PEER_PACKAGES.map((spec) => {
      const at = spec.lastIndexOf("@");
      return [spec.slice(0, at), spec.slice(at + 1)];
    }),
  );
  const text = JSON.stringify({ private: true, dependencies });
  const installed = `${peersFolder}/node_modules`;
  const known = await Deno.readTextFile(manifest).catch(() => "");
  if (known === text && await isFolder(installed)) return;
  console.log("installing the other libraries");
  await Deno.mkdir(peersFolder, { recursive: true });
  await Deno.writeTextFile(manifest, text);
  await run("npm", {
    args: [
      ...["install", "--ignore-scripts", "--no-package-lock"],
      // Some ask for older clients than those that they run with.
      ...["--legacy-peer-deps", "--no-audit", "--no-fund", "--loglevel=error"],
    ],
    cwd: peersFolder,
  });
}
