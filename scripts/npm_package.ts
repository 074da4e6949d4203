/**
 * What the npm package says of itself: one place for whichever tool builds it.
 *
 * @module
 */
import config from "../deno.json" with { type: "json" };

/** A module of the package that can be imported. */
export interface EntryPoint {
  /** Its name, such as `"."` and `"./redis"`. */
  readonly name: string;
  /** Its source, from the project's root, without the extension. */
  readonly path: string;
}

/** The package's modules, as `deno.json` names them. */
export const entryPoints: readonly EntryPoint[] = Object
  .entries(config.exports)
  .map(([name, path]) => ({ name, path: path.replace(/^\.\/|\.ts$/g, "") }));

/** The module that is the command `locking`. */
export const program = "cli";

/** The module that needs OpenTelemetry, and so is bundled by itself. */
export const telemetry = "otel";

/**
 * The drivers and OpenTelemetry: whoever uses their locks, or `./otel`, installs
 * them.
 */
export const peers = [
  "@aws-sdk/client-dynamodb",
  "@opentelemetry/api",
  "redis",
] as const;

const REPOSITORY = "https://github.com/x/locking";

/**
 * The package's manifest. It has no CommonJS form: two copies of one module
 * would be two queues for one lock in one process. `require()` takes the
 * modules as they are since Node 22.12.
 *
 * @returns The content of `package.json`.
 */
export function manifest(): Record<string, unknown> & {
  name: string;
  version: string;
} {
  return {
    name: config.name,
    version: config.version,
    description:
      "Mutual exclusion between processes, on one host or many: locks kept " +
      "by a unix socket, a file, Redis or DynamoDB",
    keywords: [
      ...["lock", "mutex", "distributed-lock", "mutual-exclusion", "lease"],
      ...["fencing-token", "flock", "unix-socket", "redis", "dynamodb"],
      ...["deno", "bun", "node"],
    ],
    license: config.license,
    homepage: `${REPOSITORY}#readme`,
    bugs: `${REPOSITORY}/issues`,
    repository: { type: "git", url: `git+${REPOSITORY}.git` },
    type: "module",
    sideEffects: false,
    engines: { node: ">=22.12" },
    main: "./esm/mod.js",
    types: "./esm/mod.d.ts",
    exports: exportsOf(entryPoints),
    bin: { locking: `./esm/${program}.js` },
    files: ["esm/", "CHANGES.md"],
    dependencies: versionsOf(["commander"]),
    peerDependencies: versionsOf(peers),
    peerDependenciesMeta: Object.fromEntries(
      peers.map((name) => [name, { optional: true }]),
    ),
    optionalDependencies: versionsOf(["koffi"]),
  };
}

function exportsOf(entries: readonly EntryPoint[]): Record<string, unknown> {
  const modules = entries.map(({ name, path }) => [name, {
    types: `./esm/${path}.d.ts`,
    default: `./esm/${path}.js`,
  }]);
  return {
    ...Object.fromEntries(modules),
    "./package.json": "./package.json",
  };
}

function versionsOf(
  names: readonly (keyof typeof config.imports)[],
): Record<string, string> {
  return Object.fromEntries(names.map((name) => {
    const version = config.imports[name].slice(`npm:${name}@`.length);
    return [name, version];
  }));
}
