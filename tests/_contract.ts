/**
 * What every lock promises, whatever keeps it. Each kind of lock runs this
 * suite; see `tests/README.md` for which test holds which promise.
 */
import { describe } from "node:test";
import { testArguments } from "./_contract_arguments.ts";
import { testCancellation } from "./_contract_cancellation.ts";
import { testLease } from "./_contract_lease.ts";
import { testQueue } from "./_contract_queue.ts";
import { testRaces } from "./_contract_races.ts";
import { testResources } from "./_contract_resources.ts";
import { testThreadingLock } from "./_contract_threading.ts";
import { testTimeouts } from "./_contract_timeouts.ts";
import { testWithLock } from "./_contract_with_lock.ts";
import { type Contract, makeSuite } from "./_suite.ts";

export type { Capabilities, Contract } from "./_suite.ts";

/**
 * Declares the contract's tests for one kind of lock.
 *
 * @param contract The kind of lock.
 */
export function testContract(contract: Contract): void {
  describe(contract.title, () => {
    const suite = makeSuite(contract);
    testThreadingLock(suite);
    testWithLock(suite);
    testLease(suite);
    testQueue(suite);
    testTimeouts(suite);
    testCancellation(suite);
    testRaces(suite);
    testResources(suite);
    testArguments(suite);
  });
}
