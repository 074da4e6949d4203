/** SocketLock against the contract. */
import { SocketLock } from "../mod.ts";
import { noSockets } from "./_platform.ts";
import { testContract } from "./_contract.ts";

testContract({
  title: "SocketLock",
  create: (name, options) => new SocketLock(name, options),
  capabilities: { missing: noSockets(), fencing: false, remote: false },
});
