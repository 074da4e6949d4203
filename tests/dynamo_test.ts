/** DynamoLock against the contract, on each engine. */
import { DynamoLock } from "../mod.ts";
import { testContract } from "./_contract.ts";
import { fileDynamo, noEngine } from "./_dynamo.ts";

for (const engine of ["dynalite", "local"] as const) {
  const file = fileDynamo(engine);
  testContract({
    title: `DynamoLock on ${engine}`,
    create: (name, options) =>
      new DynamoLock(name, { endpoint: file.own.endpoint, ...options }),
    capabilities: {
      missing: noEngine(engine),
      fencing: true,
      remote: true,
      slow: true,
    },
  });
}
