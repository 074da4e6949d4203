/** The npm package's types in strict projects, without the drivers' types. */
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { describe } from "node:test";
import ts from "typescript";
import config from "../../deno.json" with { type: "json" };
import { report } from "../../scripts/compile.ts";
import { manifest } from "../../scripts/npm_package.ts";
import { beforePackageTests, packageTest, Project } from "./_project.ts";

const { name: PACKAGE } = manifest();

const USE = `
const locks: Lock[] = [
  new SocketLock(),
  new FileLock("a", { directory: "/tmp" }),
  new RedisLock("a", { hosts: ["a", "b"], ttlMs: 1000, heartbeatIntervalMs: 300 }),
  new DynamoLock("a", { table: "locks", createTable: true }),
];
export async function use(signal: AbortSignal): Promise<number> {
  for (const lock of locks) {
    const lease: Lease = await lock.acquire({ timeoutMs: 1, signal });
    const token: bigint | null = lease.fencingToken;
    await lease.release();
    if (token === null) continue;
  }
  const holder: Holder | null = await locks[0]!.holder();
  return await locks[0]!.withLock((lease) => lease.lockName.length + (holder?.pid ?? 0));
}
// @ts-expect-error: durations have their unit in the name
new RedisLock("a", { ttl: 5 });
// @ts-expect-error: the option is a number
void locks[0]!.acquire({ timeoutMs: "5s" });
`;

const NAMES = "DynamoLock, FileLock, RedisLock, SocketLock";
const TYPES = "Holder, Lease, Lock";

// The bodies are the same; the ways in are not.
const CONSUMERS: Record<string, string> = {
  "module.mts": `import { ${NAMES} } from "${PACKAGE}";
import type { ${TYPES} } from "${PACKAGE}";
import { RedisLock as Sub } from "${PACKAGE}/redis";
import { type Instrumentation, instrumentLocks } from "${PACKAGE}/otel";
const same: typeof RedisLock = Sub; void same;
const instrumentation: Instrumentation = instrumentLocks({
  lockName: (name) => name.slice(0, 3),
});
instrumentation.disable();
// @ts-expect-error: a tracer is no provider of tracers
instrumentLocks({ tracerProvider: { startSpan: () => null } });
${USE}
export async function scoped(): Promise<void> {
  await using lease = await new SocketLock("a").acquire();
  lease.assertHeld();
}`,
  "common.cts": `import locking = require("${PACKAGE}");
import type { ${TYPES} } from "${PACKAGE}";
const { ${NAMES} } = locking;
${USE}`,
};

const RESOLUTIONS = {
  nodenext: {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
  },
  bundler: {
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
  },
};

const PLATFORMS = {
  "the types of Node": { lib: ["lib.es2022.d.ts"], types: ["node"] },
  "the types of browsers": {
    lib: ["lib.es2022.d.ts", "lib.dom.d.ts", "lib.esnext.disposable.d.ts"],
    types: [],
  },
};

describe("the npm package's types", () => {
  let project: Project;

  beforePackageTests(async () => {
    const node = config.imports["@types/node"].slice("npm:".length);
    project = await Project.make("typed", { packages: [node] });
    for (const [name, text] of Object.entries(CONSUMERS)) {
      await project.write(name, text);
    }
  });

  for (const [name, resolution] of Object.entries(RESOLUTIONS)) {
    for (const [platform, options] of Object.entries(PLATFORMS)) {
      for (const file of Object.keys(CONSUMERS)) {
        if (name === "bundler" && file.endsWith(".cts")) continue;
        packageTest(`suit ${file} under "${name}" with ${platform}`, () => {
          const path = `${project.folder}/${file}`;
          check(path, { ...resolution, ...options });
        });
      }
    }
  }

  packageTest("do not let anything pass", async () => {
    const text = CONSUMERS["module.mts"]!.replace("ttlMs: 1000", "ttl: 1000");
    await project.write("wrong.mts", text);
    const options = {
      ...RESOLUTIONS.nodenext,
      ...PLATFORMS["the types of Node"],
    };
    assert.throws(
      () => check(`${project.folder}/wrong.mts`, options),
      /'ttl' does not exist/,
    );
  });
});

function check(path: string, options: ts.CompilerOptions): void {
  const program = ts.createProgram([path], {
    ...options,
    target: ts.ScriptTarget.ES2022,
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noEmit: true,
    skipLibCheck: false,
    typeRoots: [join(dirname(path), "node_modules/@types")],
  });
  report(ts.getPreEmitDiagnostics(program));
}
