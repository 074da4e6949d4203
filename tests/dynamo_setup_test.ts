/** DynamoLock without credentials or a region, and of nobody's endpoint. */
import assert from "node:assert/strict";
import { createServer } from "node:net";
import process from "node:process";
import { describe } from "node:test";
import { DynamoLock, type DynamoLockOptions } from "../backends/dynamo.ts";
import { dynamoTest, fileDynamo } from "./_dynamo.ts";
import { assertFails, type LockFailure, withProxy } from "./_dynamo_locks.ts";
import { uniqueName } from "./_names.ts";
import { withProcesses } from "./_processes.ts";
import { freePort } from "./_redis.ts";
import { currentRuntime, type TestRuntime } from "./_runtimes.ts";
import { timed, within } from "./_time.ts";
import type { RemoteLock, Worker } from "./_worker.ts";

const TERMS = { ttlMs: 400, heartbeatIntervalMs: 100 };

// A machine that others use, too, is late by so much now and then.
const LATE_MS = 500;

const file = fileDynamo("dynalite");

/** The current runtime without what this process knows of AWS. */
function unaware(settings: Record<string, string>): TestRuntime {
  const { id, command } = currentRuntime();
  const known = Object.keys(process.env).filter((name) => /^AWS_/.test(name));
  const all = {
    // Instead of another HOME, where Deno has its packages.
    AWS_CONFIG_FILE: "/nonexistent/config",
    AWS_SHARED_CREDENTIALS_FILE: "/nonexistent/credentials",
    ...settings,
  };
  const unset = known.flatMap((name) => ["-u", name]);
  const set = Object.entries(all).map(([name, value]) => `${name}=${value}`);
  return { id, command: ["env", ...unset, ...set, ...command] };
}

/** Uses locks in a process that knows nothing of AWS, each in another way. */
async function assertUnaware(
  settings: Record<string, string>,
  message: RegExp,
  timeoutMs = 5000,
): Promise<void> {
  await withProcesses(async ({ worker }) => {
    const other = await worker(unaware(settings));
    const uses: ((lock: RemoteLock) => Promise<unknown>)[] = [
      (lock) => lock.acquire(timeoutMs).granted,
      (lock) => lock.tryAcquire(),
      (lock) => lock.holder(),
    ];
    for (const use of uses) {
      const failure = await failureOf(other, use, timeoutMs + LATE_MS);
      assert.equal(failure?.code, "LOCK_BACKEND");
      assert.match(failure.message, message);
    }
    // A rejection that nobody handles would have ended it.
    await other.ask({ do: "descriptors" });
    assert.equal(other.child.errors, "");
  });
}

async function failureOf(
  worker: Worker,
  use: (lock: RemoteLock) => Promise<unknown>,
  limitMs: number,
): Promise<LockFailure | undefined> {
  const name = uniqueName();
  const lock = await worker.create({
    kind: "DynamoLock",
    name,
    options: TERMS,
  });
  const { error } = await timed(() => within(limitMs, "the use", use(lock)));
  return error as LockFailure | undefined;
}

describe("DynamoLock of a process that knows nothing of AWS", () => {
  const noHost = { AWS_EC2_METADATA_DISABLED: "true" };
  const region = { AWS_REGION: "eu-central-1" };
  const credentials = /set the variables AWS_ACCESS_KEY_ID and AWS_SECRET/;

  dynamoTest(
    "says that it needs a region",
    () =>
      assertUnaware(
        noHost,
        /set the option `region` or the variable AWS_REGION/,
      ),
  );

  dynamoTest(
    "says that it needs credentials",
    () => assertUnaware({ ...noHost, ...region }, credentials),
  );

  dynamoTest("says so where a host in the cloud might have some", async () => {
    const host = {
      AWS_EC2_METADATA_SERVICE_ENDPOINT: `http://127.0.0.1:${await freePort()}`,
    };
    await assertUnaware({ ...region, ...host }, credentials);
  });

  dynamoTest("waits no longer for those of a host than it may", async () => {
    const silent = createServer(() => {}).listen(0, "127.0.0.1");
    await new Promise((resolve) => silent.once("listening", resolve));
    const { port } = silent.address() as { port: number };
    const host = {
      AWS_EC2_METADATA_SERVICE_ENDPOINT: `http://127.0.0.1:${port}`,
    };
    const message = /no answer for \d+ ms; .*are there credentials\?$/;
    await assertUnaware({ ...region, ...host }, message, 1000)
      .finally(() => silent.close());
  });
});

describe("DynamoLock of an endpoint", () => {
  dynamoTest("that nobody serves: each use says so at once", async () => {
    const endpoint = `http://127.0.0.1:${await freePort()}`;
    const lock = new DynamoLock("report", { endpoint });
    // The driver's error has no name of its own.
    const message = `at ${endpoint}: (?!Error).*; is the endpoint right`;
    await assertFails(lock, new RegExp(message));
  });

  const terms: DynamoLockOptions[] = [TERMS, { ttlMs: 5000 }];
  for (const options of terms) {
    dynamoTest(
      `that is silent: acquire() ends at its timeout (ttlMs ${options.ttlMs})`,
      () =>
        whereSilent(async (endpoint) => {
          const lock = new DynamoLock("report", { endpoint, ...options });
          const acquiring = (): Promise<unknown> =>
            lock.acquire({ timeoutMs: 1000 });
          const { ms, error } = await timed(acquiring);
          const { code, message } = error as LockFailure;
          assert.equal(code, "LOCK_BACKEND");
          assert.match(message, /within 1000 ms: .*no answer for \d+ ms/);
          // The runtimes' timers come up to a millisecond early.
          assert.ok(ms >= 999 && ms < 1000 + LATE_MS, `${ms} ms`);
        }),
    );
  }

  dynamoTest(
    "that is silent: what has no timeout ends soon",
    () =>
      whereSilent(async (endpoint) => {
        const lock = new DynamoLock("report", { endpoint, ...TERMS });
        const message = /no answer for \d+ ms; is the endpoint right/;
        await assertFails(lock, message, ["single", "try", "holder"]);
      }),
  );
});

function whereSilent(run: (endpoint: string) => Promise<void>): Promise<void> {
  return withProxy(file.own, async (proxy) => {
    proxy.onRequest = () => ({ kind: "cut" });
    await run(proxy.endpoint);
  });
}
