/** Names: the default one, what they are stored as, and that none collide. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { lockFileName } from "../backends/file.ts";
import { socketAddress } from "../backends/socket.ts";
import { FileLock, type Lease, type Lock, SocketLock } from "../mod.ts";
import { GOLDEN_VECTORS } from "./_golden.ts";
import { makeDirectory, removeDirectory, uniqueName } from "./_names.ts";
import { generateNames, NASTY_NAMES } from "./_nasty_names.ts";
import { noFiles, noSockets } from "./_platform.ts";
import { fixture } from "./_fixture.ts";
import { runScript, withProcesses } from "./_processes.ts";
import { testRuntimes } from "./_runtimes.ts";

const here = fileURLToPath(import.meta.url);
const directory = makeDirectory();
after(() => removeDirectory(directory));

class Implicit extends SocketLock {}

class Explicit extends FileLock {
  constructor() {
    super(undefined, { directory });
  }
}

describe("default name", () => {
  // The Python original takes the library's own file and line.
  it("new SocketLock() is named after its caller's file and line", () => {
    const lock = new SocketLock(); // line: socket
    assert.equal(lock.name, `${here}:${lineOf(here, "// line: socket")}`);
  });

  it("new FileLock() is named after its caller's file and line", () => {
    const lock = new FileLock(undefined, { directory }); // line: file
    assert.equal(lock.name, `${here}:${lineOf(here, "// line: file")}`);
  });

  it("a subclass without a constructor is named after its caller's file and line", () => {
    const lock = new Implicit(); // line: implicit
    assert.equal(lock.name, `${here}:${lineOf(here, "// line: implicit")}`);
  });

  it("a subclass with a constructor is named after its caller's file and line", () => {
    const lock = new Explicit(); // line: explicit
    assert.equal(lock.name, `${here}:${lineOf(here, "// line: explicit")}`);
  });

  it("each caller has its own, and each turn of a loop the same", () => {
    const names = [1, 2].map(() => new SocketLock().name);
    assert.equal(names[0], names[1]);
    const other = new SocketLock().name;
    assert.notEqual(other, names[0]);
  });
});

function lineOf(path: string, mark: string): number {
  const lines = readFileSync(path, "utf8").split("\n");
  return 1 + lines.findIndex((line) => line.includes(mark));
}

describe("stored names", () => {
  for (const { name, address, fileName } of GOLDEN_VECTORS) {
    const shown = JSON.stringify(name).slice(0, 30);
    it(`${shown} (${name.length}) has its golden address and file name`, () => {
      assert.equal(socketAddress(name), address);
      assert.equal(lockFileName(name), fileName);
    });
  }

  for (const runtime of testRuntimes()) {
    it(`${runtime.id} stores the golden names the same`, async () => {
      const { output, code } = await runScript(runtime, "addresses.ts");
      assert.equal(code, 0);
      const { addresses, fileNames, defaults } = JSON.parse(output);
      assert.deepEqual(addresses, GOLDEN_VECTORS.map((each) => each.address));
      assert.deepEqual(fileNames, GOLDEN_VECTORS.map((each) => each.fileName));
      const path = fixture("addresses.ts");
      const name = `${path}:${lineOf(path, "new SocketLock()")}`;
      assert.deepEqual(defaults, [name, name]);
    });
  }
});

describe("name fuzz", () => {
  const names = generateNames(5000);

  it("no two names share an address, and none is longer than 100 bytes", () => {
    const addresses = new Set(names.map(socketAddress));
    assert.equal(addresses.size, names.length);
    for (const address of addresses) {
      assert.ok(address.length <= 100);
      // deno-lint-ignore no-control-regex
      assert.match(address, /^\x00locking[:#][\x21-\x7e]+$/);
    }
  });

  it("no two names share a file, and none is longer than 200 bytes", () => {
    const fileNames = new Set(names.map(lockFileName));
    assert.equal(fileNames.size, names.length);
    for (const fileName of fileNames) {
      assert.ok(fileName.length <= 200);
      assert.match(fileName, /^[A-Za-z0-9._:@%#-]+$/);
      assert.doesNotMatch(fileName, /^\.\.?$/);
    }
  });
});

const KINDS = [
  {
    kind: "SocketLock",
    skip: noSockets(),
    prefix: uniqueName("nasty"),
    create: (name: string): Lock => new SocketLock(name),
  },
  {
    kind: "FileLock",
    skip: noFiles(),
    // The directory is this run's own: the names can be left as they are.
    prefix: "",
    create: (name: string): Lock => new FileLock(name, { directory }),
  },
] as const;

for (const { kind, skip, prefix, create } of KINDS) {
  describe(`${kind} of nasty names`, () => {
    const names = NASTY_NAMES.map((name) => prefix + name);

    it("are all held at once, each excluding itself in another process", {
      skip,
    }, async () => {
      const leases: Lease[] = [];
      for (const name of names) {
        const lease = await create(name).tryAcquire();
        assert.ok(lease, `"${name}" is another one's lock`);
        leases.push(lease);
      }
      await assertOthersGet(kind, names, false);
      await Promise.all(leases.map((lease) => lease.release()));
      await assertOthersGet(kind, names, true);
    });
  });
}

async function assertOthersGet(
  kind: "SocketLock" | "FileLock",
  names: readonly string[],
  free: boolean,
): Promise<void> {
  await withProcesses(async (processes) => {
    const worker = await processes.worker();
    for (const name of names) {
      const lock = await worker.create({
        kind,
        name,
        options: kind === "FileLock" ? { directory } : {},
      });
      assert.equal(await lock.tryAcquire(), free, JSON.stringify(name));
    }
  });
}
