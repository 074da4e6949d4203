/** RedisLock against the contract: on one server, and on a quorum of three. */
import { after, before } from "node:test";
import { RedisLock } from "../mod.ts";
import { testContract } from "./_contract.ts";
import { noRedis, RedisProcess } from "./_redis.ts";

const missing = noRedis();
const servers: RedisProcess[] = [];

before(async () => {
  if (missing) return;
  for (let i = 0; i < 3; i++) servers.push(await RedisProcess.start());
});

after(() => Promise.all(servers.map((server) => server.end())));

testContract({
  title: "RedisLock on one server",
  create: (name, options) =>
    new RedisLock(name, { hosts: hosts(1), ...options }),
  capabilities: { missing, fencing: true, remote: true },
});

testContract({
  title: "RedisLock on a quorum of three servers",
  create: (name, options) =>
    new RedisLock(name, { hosts: hosts(3), ...options }),
  capabilities: { missing, fencing: true, remote: true },
});

function hosts(count: number): string[] {
  return servers.slice(0, count).map(({ host }) => host);
}
