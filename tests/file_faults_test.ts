/** FileLock where the file system does not play along. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { after, describe, it } from "node:test";
import { lockFileName } from "../backends/file.ts";
import { FileLock, type LockError } from "../mod.ts";
import { makeDirectory, removeDirectory, uniqueName } from "./_names.ts";
import { noFiles, noProgram } from "./_platform.ts";
import { withProcesses } from "./_processes.ts";
import { nthRuntime } from "./_runtimes.ts";
import { assertDescriptors, openDescriptors } from "./_spies.ts";
import { pendingAfter, timed, turn, within } from "./_time.ts";

const directory = makeDirectory();
after(() => removeDirectory(directory));
const skip = noFiles();

function fresh(): { name: string; path: string; lock: FileLock } {
  const name = uniqueName();
  const path = join(directory, lockFileName(name));
  return { name, path, lock: new FileLock(name, { directory }) };
}

function twin({ name }: FileLock): FileLock {
  return new FileLock(name, { directory });
}

/** Every way to take the lock fails at once, whatever patience is asked for. */
async function assertUnusable(lock: FileLock): Promise<void> {
  const ways = [
    () => lock.tryAcquire(),
    () => lock.acquire(),
    () => lock.acquire({ timeoutMs: 60_000 }),
    () => lock.withLock(() => assert.fail("called back")),
  ];
  for (const way of ways) {
    const { ms, error } = await timed(() => within(5000, "an error", way()));
    const { code, lockName, message } = error as LockError;
    assert.equal(code, "LOCK_BACKEND", String(error));
    assert.equal(lockName, lock.name);
    assert.ok(message.includes(`"${lock.name}"`), message);
    assert.ok(ms < 500, `took ${ms} ms`);
  }
}

describe("FileLock that cannot be used fails at once with LOCK_BACKEND", () => {
  it("when its directory is missing", { skip }, async () => {
    const missing = join(directory, "missing");
    const lock = new FileLock(uniqueName(), { directory: missing });
    await assertUnusable(lock);
    assert.equal(existsSync(missing), false);
    mkdirSync(missing);
    await (await lock.acquire({ timeoutMs: 1000 })).release();
  });

  it("when its directory is a file", { skip }, async () => {
    const file = join(directory, uniqueName("file"));
    writeFileSync(file, "");
    await assertUnusable(new FileLock("a", { directory: file }));
  });

  it("when its file is a directory", { skip }, async () => {
    const { lock, path } = fresh();
    mkdirSync(path);
    await assertUnusable(lock);
  });

  it("when its file is a named pipe", {
    skip: skip || noProgram("mkfifo", "--version"),
  }, async () => {
    const { lock, path } = fresh();
    spawnSync("mkfifo", [path]);
    await assertUnusable(lock);
  });

  it("when its directory takes no files", {
    skip: skip || (existsSync("/proc/self") ? false : "needs /proc"),
  }, async () => {
    await assertUnusable(new FileLock(uniqueName(), { directory: "/proc" }));
  });

  const root = process.getuid?.() === 0 && "root may do everything";
  it(
    "when its directory may not be searched",
    { skip: skip || root },
    async () => {
      const closed = join(directory, uniqueName("closed"));
      mkdirSync(closed, { mode: 0 });
      await assertUnusable(new FileLock("a", { directory: closed }));
      chmodSync(closed, 0o700);
    },
  );

  it("when its file may not be written", { skip: skip || root }, async () => {
    const { lock, path } = fresh();
    writeFileSync(path, "", { mode: 0o400 });
    await assertUnusable(lock);
  });

  it("and leaves no descriptor behind", { skip }, async () => {
    const { lock, path } = fresh();
    mkdirSync(path);
    await assertUnusable(lock);
    const before = openDescriptors();
    for (let i = 0; i < 100; i++) await lock.tryAcquire().catch(() => {});
    await assertDescriptors(before);
  });
});

describe("FileLock refuses symbolic links", () => {
  it("to a file, which stays untouched", { skip }, async () => {
    const { lock, path } = fresh();
    const target = join(directory, uniqueName("target"));
    writeFileSync(target, "precious");
    symlinkSync(target, path);
    await assertUnusable(lock);
    assert.equal(readFileSync(target, "utf8"), "precious");
    assert.equal(lstatSync(path).isSymbolicLink(), true);
  });

  it("to nothing, which is not created", { skip }, async () => {
    const { lock, path } = fresh();
    const target = join(directory, uniqueName("target"));
    symlinkSync(target, path);
    await assertUnusable(lock);
    assert.equal(existsSync(target), false);
  });

  it(
    "but not a directory behind one: it is the same lock",
    { skip },
    async () => {
      const link = join(directory, uniqueName("link"));
      symlinkSync(directory, link);
      const { lock, name } = fresh();
      const lease = await lock.acquire();
      const other = new FileLock(name, { directory: link });
      assert.equal(await other.tryAcquire(), null);
      await lease.release();
      await (await other.acquire({ timeoutMs: 1000 })).release();
    },
  );
});

describe("FileLock keeps what is in the file", () => {
  it(
    "its own holder's, whoever contends",
    { skip },
    () =>
      withProcesses(async (processes) => {
        const worker = await processes.worker(nthRuntime(1));
        const { lock, name, path } = fresh();
        const theirs = await worker.create({
          kind: "FileLock",
          name,
          options: { directory },
        });
        const lease = await lock.acquire();
        // What the holder writes is there once it can be asked for.
        await lock.holder();
        const content = readFileSync(path, "utf8");
        assert.notEqual(content, "");
        assert.equal(await theirs.tryAcquire(), false);
        const wait = await theirs.queue();
        assert.equal(readFileSync(path, "utf8"), content);
        await wait.abort();
        await lease.release();
      }),
  );

  it("and the file itself, when it releases", { skip }, async () => {
    const { lock, path } = fresh();
    await (await lock.acquire()).release();
    const { ino } = lstatSync(path);
    await (await lock.acquire()).release();
    assert.equal(lstatSync(path).ino, ino);
  });
});

describe("FileLock whose file is unlinked or replaced", () => {
  it(
    "is lost to its holder, who cannot harm the newcomer",
    { skip },
    () =>
      withProcesses(async (processes) => {
        const worker = await processes.worker(nthRuntime(1));
        const { lock, name, path } = fresh();
        const theirs = await worker.create({
          kind: "FileLock",
          name,
          options: { directory },
        });
        const lease = await lock.acquire();
        lease.assertHeld();
        unlinkSync(path);
        await theirs.take();
        assert.throws(() => lease.assertHeld(), { code: "LOCK_LOST" });
        const reason: unknown = lease.signal.reason;
        assert.equal((reason as LockError | undefined)?.code, "LOCK_LOST");
        assert.equal(lock.locked, false);
        await lease.release();
        await theirs.assertHeld();
        assert.equal(await lock.tryAcquire(), null);
        assert.ok(existsSync(path));
      }),
  );

  // Whether its file is still there cannot be told: the system refuses to look.
  it(
    "is lost to a holder whose directory is no directory any more, and to nobody else's harm",
    { skip },
    async () => {
      const place = join(directory, uniqueName());
      mkdirSync(place);
      const options = { directory: place };
      const lock = new FileLock(uniqueName(), options);
      const lease = await lock.acquire();
      const told = new Promise((resolve) =>
        lease.signal.addEventListener("abort", resolve)
      );
      // Of this process: the lock would be passed on to it.
      const waiting = new FileLock(lock.name, options).acquire();
      const outcome = waiting.then(() => "granted", (error) => error.code);
      renameSync(place, `${place}.old`);
      writeFileSync(place, "");
      // It is looked at once a second, without anybody asking.
      await within(5000, "the loss", told);
      assert.throws(() => lease.assertHeld(), { code: "LOCK_LOST" });
      assert.equal(lock.locked, false);
      await lease.release();
      const code = await within(5000, "the other's error", outcome);
      assert.equal(code, "LOCK_BACKEND");
    },
  );

  it(
    "goes to a task of its process that waits, though nobody looks at the lease",
    { skip },
    async () => {
      const { lock, path } = fresh();
      const lease = await lock.acquire();
      const waiting = twin(lock).acquire();
      unlinkSync(path);
      // It is looked at once a second.
      const next = await within(5000, "the new file", waiting);
      next.assertHeld();
      assert.throws(() => lease.assertHeld(), { code: "LOCK_LOST" });
      await lease.release();
      next.assertHeld();
      await next.release();
    },
  );

  it("freed together with that which was there before leaves nothing behind", {
    skip,
  }, async () => {
    const { lock, path } = fresh();
    await (await lock.acquire()).release();
    const before = openDescriptors();
    for (let i = 0; i < 20; i++) {
      const first = await lock.acquire();
      // So that whoever waits is let in.
      await turn();
      renameSync(path, `${path}-${i}`);
      const second = await twin(lock).acquire({ timeoutMs: 5000 });
      await turn();
      await Promise.all([first.release(), second.release()]);
    }
    await assertDescriptors(before);
  });

  it(
    "is not passed on where its directory is no directory any more",
    { skip },
    async () => {
      const place = join(directory, uniqueName());
      mkdirSync(place);
      const options = { directory: place };
      const lock = new FileLock(uniqueName(), options);
      const lease = await lock.acquire();
      const waiting = new FileLock(lock.name, options).acquire();
      const outcome = waiting.then(() => "granted", (error) => error.code);
      renameSync(place, `${place}.old`);
      writeFileSync(place, "");
      await within(5000, "the release", lease.release());
      const code = await within(5000, "the other's error", outcome);
      assert.equal(code, "LOCK_BACKEND");
    },
  );

  it(
    "is lost to a holder whose file was replaced by a rename",
    { skip },
    async () => {
      const { lock, path } = fresh();
      const lease = await lock.acquire();
      writeFileSync(`${path}.new`, "");
      renameSync(`${path}.new`, path);
      assert.throws(() => lease.assertHeld(), { code: "LOCK_LOST" });
      await lease.release();
      await (await twin(lock).acquire({ timeoutMs: 1000 })).release();
    },
  );

  it("makes withLock() reject with LOCK_LOST, unless the callback failed", {
    skip,
  }, async () => {
    const { lock, path } = fresh();
    const lose = (): void => unlinkSync(path);
    await assert.rejects(lock.withLock(lose), { code: "LOCK_LOST" });
    const error = new Error("the callback's");
    const loseAndFail = (): never => {
      unlinkSync(path);
      throw error;
    };
    await assert.rejects(lock.withLock(loseAndFail), (e) => e === error);
    await (await lock.acquire({ timeoutMs: 1000 })).release();
  });

  it(
    "is not given to a waiter on the old file while a newcomer has the new one",
    { skip },
    () =>
      withProcesses(async (processes) => {
        const { name, path } = fresh();
        const options = { directory };
        const spec = { kind: "FileLock", name, options } as const;
        const start = async (i: number) =>
          await (await processes.worker(nthRuntime(i))).create(spec);
        const [holder, waiter, newcomer] = await Promise.all(
          [0, 1, 2].map(start),
        );
        await holder!.take();
        const wait = await waiter!.queue();
        unlinkSync(path);
        // The waiter has as much right to the new file, if it looks in time.
        const other = newcomer!.acquire();
        const first = await within(
          5000,
          "the new file",
          Promise.race([
            wait.granted.then(() => "waiter"),
            other.granted.then(() => "newcomer"),
          ]),
        );
        const [taker, next] = first === "waiter"
          ? [waiter!, other]
          : [newcomer!, wait];
        // Lost meanwhile, which the holder may be told.
        await holder!.release().catch(() => {});
        // Longer than any period after which a waiter tries again.
        assert.equal(await pendingAfter(1500, next.granted), true);
        await taker.assertHeld();
        await taker.release();
        await within(1500, "the other", next.granted);
      }),
  );
});

describe("FileLock in a directory that is gone", () => {
  it("says so whatever it is asked", { skip }, async () => {
    const home = process.cwd();
    const directory = makeDirectory();
    process.chdir(directory);
    removeDirectory(directory);
    try {
      const lock = new FileLock(uniqueName(), { directory: "locks" });
      for (const use of [lock.acquire(), lock.tryAcquire()]) {
        await assert.rejects(use, { code: "LOCK_BACKEND" });
      }
    } finally {
      process.chdir(home);
    }
  });
});
