// `locking status`, `list` and `wait`, on every kind of lock.
import assert from "node:assert/strict";
import process from "node:process";
import { after, describe, it } from "node:test";
import { FileLock, RedisLock, SocketLock } from "../mod.ts";
import { optionsFor, outcome, runLocking, startLocking } from "./_cli.ts";
import { dynamoKind, hostKinds, type Kind, redisKind } from "./_kinds.ts";
import { makeDirectory, removeDirectory, uniqueName } from "./_names.ts";
import { noFiles, noProgram, noSockets } from "./_platform.ts";
import { withProcesses } from "./_processes.ts";
import { noRedis, redisTest, withRedis } from "./_redis.ts";
import { pendingAfter, until } from "./_time.ts";

/** A lock as `--json` shows it. */
interface State {
  name: string;
  held: boolean;
  pid?: number | null;
  acquiredAt?: string | null;
  expiresAt?: string | null;
  fencingToken?: string | null;
}

for (const kind of [...hostKinds(), redisKind(), dynamoKind()]) {
  describe(`locking and a ${kind.kind}`, () => {
    testStatus(kind);
    testList(kind);
    testWait(kind);
  });
}

function testStatus(kind: Kind): void {
  it("status says that it is free", { skip: kind.missing }, async () => {
    const spec = kind.fresh();
    const args = ["status", ...optionsFor(spec), spec.name];
    const expected = { code: 1, output: `${spec.name}: free`, errors: "" };
    assert.deepEqual(await runLocking(...args), expected);
    const { code, output } = await runLocking(...args, "--json");
    assert.equal(code, 1);
    assert.deepEqual(JSON.parse(output), { name: spec.name, held: false });
  });

  it("status says who holds it", { skip: kind.missing }, async () => {
    const spec = kind.fresh();
    const lock = kind.create(spec);
    const lease = await lock.acquire();
    const args = ["status", ...optionsFor(spec), spec.name];
    const plain = await runLocking(...args);
    const json = await runLocking(...args, "--json");
    await lease.release();
    assert.deepEqual([plain.code, json.code], [0, 0], plain.errors);
    assert.match(plain.output, new RegExp(`: held by .*pid ${process.pid}`));
    const state = JSON.parse(json.output) as State;
    assert.equal(state.name, spec.name);
    assert.equal(state.pid, process.pid);
    assert.equal(state.fencingToken, lease.fencingToken?.toString() ?? null);
    assert.equal(state.expiresAt !== null, kind.lease);
  });
}

function testList(kind: Kind): void {
  it("list shows those that are held, and no others", {
    skip: kind.missing,
  }, async () => {
    const [held, freed, nasty] = [kind.fresh(), kind.fresh(), kind.fresh()];
    nasty.name += '/ä %41 {b}:fence} * "\n';
    const leases = [];
    for (const spec of [held!, nasty]) {
      leases.push(await kind.create(spec).acquire());
    }
    await (await kind.create(freed!).acquire()).release();
    const args = ["list", ...optionsFor(held!)];
    const plain = await runLocking(...args);
    const json = await runLocking(...args, "--json");
    for (const lease of leases) await lease.release();
    assert.deepEqual([plain.code, json.code], [0, 0], plain.errors);
    const states = (JSON.parse(json.output) as State[])
      .filter(({ name }) => name.startsWith(freed!.name.replace(/\d+$/, "")));
    assert.deepEqual(
      states.map(({ name }) => name).sort(),
      [held!.name, nasty.name].sort(),
    );
    assert.ok(states.every(({ pid }) => pid === process.pid), json.output);
    const tokens = leases.map((lease) =>
      lease.fencingToken?.toString() ?? null
    );
    assert.deepEqual(
      states.map(({ fencingToken }) => fencingToken).sort(),
      tokens.sort(),
    );
    assert.match(plain.output, new RegExp(`^${held!.name}: .*pid`, "m"));
    assert.ok(plain.output.includes(`${JSON.stringify(nasty.name)}: `));
  });
}

function testWait(kind: Kind): void {
  it("wait ends when it is free, and leaves it free", {
    skip: kind.missing,
  }, () =>
    withProcesses(async (processes) => {
      const spec = kind.fresh();
      const lock = kind.create(spec);
      const lease = await lock.acquire();
      const args = ["wait", "-v", ...optionsFor(spec), spec.name];
      const child = startLocking(processes, ...args);
      await until("a wait", () => child.errors.includes("waiting"), 10_000);
      assert.ok(await pendingAfter(100, child.exited));
      await lease.release();
      assert.equal((await outcome(child)).code, 0);
      const next = await lock.tryAcquire();
      assert.ok(next);
      await next.release();
    }));

  it("wait gives up in time", { skip: kind.missing }, async () => {
    const spec = kind.fresh();
    const lease = await kind.create(spec).acquire();
    const args = ["wait", "-w", "100ms", ...optionsFor(spec), spec.name];
    const { code, errors } = await runLocking(...args);
    await lease.release();
    assert.equal(code, 75, errors);
  });
}

describe("locking list", () => {
  const directory = makeDirectory();
  after(() => removeDirectory(directory));

  it("shows the digest where only that is kept", {
    skip: noSockets() || noFiles(),
  }, async () => {
    const name = uniqueName() + "x".repeat(250);
    const leases = [
      await new SocketLock(name).acquire(),
      await new FileLock(name, { directory }).acquire(),
    ];
    const bytes = new TextEncoder().encode(name);
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    const hex = [...digest].map((byte) => byte.toString(16).padStart(2, "0"))
      .join("");
    const runs = [
      await runLocking("list"),
      await runLocking("list", `--file=${directory}`),
    ];
    for (const lease of leases) await lease.release();
    for (const { output } of runs) {
      assert.match(output, new RegExp(`^#${hex}: .*pid ${process.pid}`, "m"));
    }
  });

  it("shows what flock(1) holds", {
    skip: noFiles() || noProgram("flock", "--version"),
  }, () =>
    withProcesses(async ({ program }) => {
      const script = "echo up; read -r _";
      const args = [`${directory}/strange`, "sh", "-c", script];
      const child = program("flock", ...args);
      await child.line("up");
      const run = await runLocking("list", `--file=${directory}`, "--json");
      const [state] = JSON.parse(run.output) as State[];
      assert.equal(state?.name, "strange");
      assert.equal(state?.pid, child.pid);
      child.write("");
      await child.exited;
      const after = await runLocking("list", `--file=${directory}`, "--json");
      assert.deepEqual(JSON.parse(after.output), []);
    }));

  it("says so when the directory is not there", {
    skip: noFiles(),
  }, async () => {
    const run = await runLocking("list", "--file=/nowhere");
    assert.equal(run.code, 69);
    assert.match(run.errors, /^locking: Cannot list locks: .*"\/nowhere"/);
  });

  it("status says so, too, instead of calling every lock there free", async () => {
    const run = await runLocking("status", "--file=/nowhere", "a");
    assert.deepEqual([run.code, run.output], [69, ""]);
    assert.match(run.errors, /"\/nowhere"/);
  });

  redisTest(
    "counts the votes of several servers",
    () =>
      withRedis(3, async (servers) => {
        const hosts = servers.map(({ host }) => host);
        const [all, one] = [uniqueName(), uniqueName()];
        const leases = [
          await new RedisLock(all, { hosts }).acquire(),
          await new RedisLock(one, { hosts: hosts[0]! }).acquire(),
        ];
        await servers[1]!.kill();
        const redis = `--redis=${hosts.join(",")}`;
        const { output, errors } = await runLocking("list", redis, "--json");
        const states = JSON.parse(output || errors) as State[];
        assert.deepEqual(states.map(({ name }) => name), [all]);
        for (const lease of leases) await lease.release();
      }),
    noRedis(),
  );
});
