/** Mutual exclusion between the processes of one host. */
import { after, describe } from "node:test";
import { testBetweenProcesses, testExclusion } from "./_between_processes.ts";
import { hostKinds } from "./_kinds.ts";
import { FileLock, type Lock } from "../mod.ts";
import { removeLockFiles, uniqueName } from "./_names.ts";
import { defaultDirectory } from "./_platform.ts";
import type { LockSpec } from "./fixtures/protocol.ts";

hostKinds().forEach(testBetweenProcesses);

describe("FileLock in the default directory between processes", () => {
  const files = hostKinds()[1]!;
  const fresh = (): LockSpec => ({ kind: "FileLock", name: uniqueName() });
  const create = ({ name }: LockSpec): Lock => new FileLock(name);
  testExclusion({ ...files, fresh, create }, files.missing);
  after(() => removeLockFiles(defaultDirectory()));
});
