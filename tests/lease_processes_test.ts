/** Mutual exclusion between processes by leases that servers keep. */
import { testBetweenProcesses } from "./_between_processes.ts";
import { dynamoKind, redisKind } from "./_kinds.ts";

testBetweenProcesses(redisKind());
testBetweenProcesses(dynamoKind());
