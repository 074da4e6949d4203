/** FileLock against the contract, in its own directory and in a given one. */
import { after } from "node:test";
import { FileLock } from "../mod.ts";
import { testContract } from "./_contract.ts";
import { makeDirectory, removeDirectory, removeLockFiles } from "./_names.ts";
import { defaultDirectory, noFiles } from "./_platform.ts";

const capabilities = { missing: noFiles(), fencing: false, remote: false };

testContract({
  title: "FileLock in the default directory",
  create: (name, options) => new FileLock(name, options),
  capabilities,
});

const directory = makeDirectory();

testContract({
  title: "FileLock in a given directory",
  create: (name, options) => new FileLock(name, { directory, ...options }),
  capabilities,
});

after(() => {
  removeDirectory(directory);
  removeLockFiles(defaultDirectory());
});
