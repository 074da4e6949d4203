/** The npm package in its users' projects, on each runtime. */
import assert from "node:assert/strict";
import { describe } from "node:test";
import {
  entryPoints,
  manifest,
  program,
  telemetry,
} from "../../scripts/npm_package.ts";
import { testRuntimes } from "../_runtimes.ts";
import {
  beforePackageTests,
  npmRuntimes,
  packageTest,
  Project,
} from "./_project.ts";

const { name: PACKAGE } = manifest();
const modules = entryPoints
  .filter(({ path }) => path !== program && path !== telemetry)
  .map(({ name }) => PACKAGE + name.slice(1));

const README = new URL("../../README.md", import.meta.url);

const OTEL = `${PACKAGE}/${telemetry}`;

/** Prints of each module whether `require()` and `import` give the same. */
const requireAndImport = (names: readonly string[]): string => `
const names = ${JSON.stringify(names)};
for (const name of names) {
  const required = require(name);
  import(name).then((imported) => {
    const same = Object.keys(imported).every((key) => imported[key] === required[key]);
    console.log(name, Object.keys(required).length > 0 && same);
  });
}`;

// Prints what comes of each lock.
const USE = `
import process from "node:process";
import { DynamoLock, FileLock, RedisLock, SocketLock } from "${PACKAGE}";
const region = "local", endpoint = "http://127.0.0.1:1", hosts = "127.0.0.1:1";
const name = "npm-" + process.pid;
for (const lock of [
  new SocketLock(name),
  new FileLock(name),
  new RedisLock(name, { hosts }),
  new DynamoLock(name, { region, endpoint }),
]) {
  const kind = lock.constructor.name;
  try {
    await (await lock.acquire({ timeoutMs: 5000 })).release();
    console.log(kind, "ok");
  } catch ({ code, message }) {
    console.log(kind, code, message);
  }
}`;

// Prints the spans and metrics of one lock, by an SDK of the oldest API.
const TRACE = `
import process from "node:process";
import { SocketLock } from "${PACKAGE}";
import { instrumentLocks } from "${OTEL}";
import { trace } from "@opentelemetry/api";
import {
  BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
const exporter = new InMemorySpanExporter();
const spanProcessors = [new SimpleSpanProcessor(exporter)];
instrumentLocks();
trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors }));
await new SocketLock("npm-" + process.pid).withLock(() => {});
console.log(exporter.getFinishedSpans().map(({ name }) => name).join());`;

const LOUD = {
  "package.json":
    `{ "version": "1.0.0", "type": "module", "exports": "./mod.js" }`,
  "mod.js": `console.log("a driver is loaded");
export const createClient = () => { throw new Error("no driver") };`,
};

describe("the npm package, installed alone", () => {
  let project: Project;

  beforePackageTests(async () => {
    project = await Project.make("alone");
    await project.write("require.cjs", requireAndImport(modules));
    await project.write("use.mjs", USE);
    await project.write("readme.mjs", await nodeExample());
    await project.write("trace.mjs", `import "${OTEL}";`);
  });

  for (const runtime of npmRuntimes()) {
    packageTest(`runs the README's example on ${runtime.id}`, async () => {
      const { code, stdout, stderr } = await project.run(runtime, "readme.mjs");
      assert.equal(code, 0, stderr);
      assert.match(stdout, /\S/);
    });

    packageTest(
      `gives require() and import the same on ${runtime.id}`,
      async () => {
        const { stdout, stderr } = await project.run(runtime, "require.cjs");
        const lines = stdout.trim().split("\n").sort();
        const expected = modules.map((name) => `${name} true`).sort();
        assert.deepEqual(lines, expected, stderr);
      },
    );

    packageTest(`brings a command on ${runtime.id}`, async () => {
      const command = ["node_modules/.bin/locking", "run", "npm-command"];
      const program = ["sh", "-c", "echo $LOCKING_NAME; exit 3"];
      const { code, stdout } = await project.run(
        runtime,
        ...[...command, "--", ...program],
      );
      assert.deepEqual({ code, stdout }, { code: 3, stdout: "npm-command\n" });
      const told = await project.run(runtime, command[0]!, "--version");
      assert.equal(told.stdout.trim(), manifest().version);
    });

    packageTest(
      `needs OpenTelemetry for nothing but ./otel on ${runtime.id}`,
      async () => {
        const { code, stderr } = await project.run(runtime, "trace.mjs");
        assert.notEqual(code, 0);
        assert.match(
          stderr,
          /annot find (?:package|module) '@opentelemetry\/api'/,
        );
      },
    );

    packageTest(
      `works without the drivers, or names them, on ${runtime.id}`,
      async () => {
        const { stdout } = await project.run(runtime, "use.mjs");
        const [socket, file, redis, dynamo] = stdout.split("\n");
        assert.equal(socket, "SocketLock ok");
        assert.equal(file, "FileLock ok");
        assert.match(redis!, /^RedisLock LOCK_BACKEND .*`npm install redis`/);
        assert.match(
          dynamo!,
          /^DynamoLock LOCK_BACKEND .*`npm install @aws-sdk\/client-dynamodb`/,
        );
      },
    );
  }
});

describe("the npm package beside OpenTelemetry", () => {
  let project: Project;

  beforePackageTests(async () => {
    const packages = ["api@1.9.0", "sdk-trace-base@^2.0.0"];
    project = await Project.make("traced", {
      packages: packages.map((name) => `@opentelemetry/${name}`),
    });
    await project.write("require.cjs", requireAndImport([OTEL]));
    await project.write("trace.mjs", TRACE);
  });

  for (const runtime of npmRuntimes()) {
    packageTest(`traces locks on ${runtime.id}`, async () => {
      const { stdout, stderr } = await project.run(runtime, "trace.mjs");
      assert.equal(stdout, "lock.acquire,lock.release\n", stderr);
      const required = await project.run(runtime, "require.cjs");
      assert.equal(required.stdout, `${OTEL} true\n`, required.stderr);
    });
  }
});

describe("the npm package, installed without optional packages", () => {
  let project: Project;

  beforePackageTests(async () => {
    project = await Project.make("least", { flags: ["--omit=optional"] });
    await project.write("use.mjs", USE);
  });

  for (const runtime of npmRuntimes()) {
    const isNode = runtime.id.startsWith("node");
    packageTest(
      `FileLock ${isNode ? "names koffi" : "works"} on ${runtime.id}`,
      async () => {
        const { stdout } = await project.run(runtime, "use.mjs");
        const [socket, file] = stdout.split("\n");
        assert.equal(socket, "SocketLock ok");
        const expected = isNode
          ? /^FileLock LOCK_UNSUPPORTED .*`npm install koffi`/
          : /^FileLock ok$/;
        assert.match(file!, expected);
      },
    );
  }
});

describe("the npm package beside drivers that say when they are loaded", () => {
  let project: Project;

  beforePackageTests(async () => {
    project = await Project.make("loud");
    for (const name of ["redis", "@aws-sdk/client-dynamodb"]) {
      for (const [path, text] of Object.entries(LOUD)) {
        await project.write(`node_modules/${name}/${path}`, text);
      }
    }
    const imports = modules.map((name) => `import "${name}";`).join("\n");
    const quiet = `${imports}
import { FileLock, SocketLock } from "${PACKAGE}";
for (const lock of [new SocketLock("quiet"), new FileLock("quiet")]) {
  await lock.withLock(() => {});
}`;
    await project.write("quiet.mjs", quiet);
    await project.write("use.mjs", USE);
  });

  packageTest(
    "is like the sources on Deno: they load none on their own",
    async () => {
      const root = new URL("../../", import.meta.url).href;
      const drivers = ["redis", "@aws-sdk/client-dynamodb"].map((name) => [
        name,
        `./node_modules/${name}/mod.js`,
      ]);
      const sources = entryPoints.map(({ name, path }) => [
        PACKAGE + name.slice(1),
        `${root}${path}.ts`,
      ]);
      const imports = Object.fromEntries([...drivers, ...sources]);
      await project.write("imports.json", JSON.stringify({ imports }));
      const [deno] = testRuntimes();
      const flags = ["--no-config", "--import-map=imports.json", "--no-check"];
      const quiet = await project.run(deno!, ...flags, "quiet.mjs");
      assert.deepEqual([quiet.code, quiet.stdout], [0, ""], quiet.stderr);
      const { stdout, stderr } = await project.run(
        deno!,
        ...[...flags, "use.mjs"],
      );
      const loaded = stdout.match(/a driver is loaded/g)?.length;
      assert.equal(loaded, 2, stdout + stderr);
    },
  );

  for (const runtime of npmRuntimes()) {
    packageTest(
      `loads each on the first use of its lock on ${runtime.id}`,
      async () => {
        const quiet = await project.run(runtime, "quiet.mjs");
        assert.equal(quiet.code, 0, quiet.stderr);
        assert.equal(quiet.stdout, "");
        const { stdout } = await project.run(runtime, "use.mjs");
        assert.equal(stdout.match(/a driver is loaded/g)?.length, 2);
      },
    );
  }
});

/** The README's block of JavaScript, the only one. */
async function nodeExample(): Promise<string> {
  const text = await Deno.readTextFile(README);
  const [, block] = /```js\n(.*?)```/s.exec(text) ?? [];
  assert.ok(block, "README.md has no block of JavaScript");
  return block;
}
