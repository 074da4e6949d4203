/** That a program which imports the library loads no driver before its use. */
import assert from "node:assert/strict";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { Child } from "./_child.ts";
import { makeDirectory, removeDirectory } from "./_names.ts";
import { currentRuntime } from "./_runtimes.ts";

const DRIVERS = ["redis", "@aws-sdk/client-dynamodb"];

const root = fileURLToPath(new URL("..", import.meta.url));
const directory = makeDirectory();
after(() => removeDirectory(directory));

const PROGRAM = `
import { DynamoLock, FileLock, RedisLock, SocketLock } from "./mod.ts";
for (const Lock of [SocketLock, FileLock, RedisLock, DynamoLock]) {
  new Lock("report");
}
console.log("made");
await new RedisLock("report").tryAcquire().catch(() => {});
await new DynamoLock("report").tryAcquire().catch(() => {});
console.log("used");
`;

function write(path: string, text: string): void {
  mkdirSync(dirname(join(directory, path)), { recursive: true });
  writeFileSync(join(directory, path), text);
}

/** Installs a package that tells when it is loaded. */
function install(name: string): void {
  const folder = `node_modules/${name}`;
  const manifest = { name, version: "9.0.0", type: "module", main: "main.js" };
  write(`${folder}/package.json`, JSON.stringify(manifest));
  write(`${folder}/main.js`, `console.log("loaded ${name}");\n`);
}

describe("the drivers", () => {
  it("are loaded by the first use of their lock, and not by an import", async () => {
    for (const name of ["mod.ts", "backends", "runtime"]) {
      cpSync(join(root, name), join(directory, name), { recursive: true });
    }
    DRIVERS.forEach(install);
    const dependencies = Object.fromEntries(
      DRIVERS.map((name) => [name, "9.0.0"]),
    );
    const manifest = { type: "module", private: true, dependencies };
    write("package.json", JSON.stringify(manifest));
    write("main.ts", PROGRAM);
    const { command } = currentRuntime();
    const child = new Child([...command, join(directory, "main.ts")]);
    assert.equal((await child.exited).code, 0, child.describe());
    assert.deepEqual(child.lines, [
      "made",
      ...DRIVERS.map((name) => `loaded ${name}`),
      "used",
    ]);
  });
});
