/** Releases: the right tag, and registries that hang or fail. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { afterEach, beforeEach, describe } from "node:test";
import { checkTag, publishTo } from "../../scripts/release.ts";
import { packageTest } from "./_project.ts";
import { makeDirectory, removeDirectory } from "../_names.ts";

const WORKFLOWS = new URL("../../.github/workflows/", import.meta.url);
const FAST = { tries: 3, limitMs: 500, pauseMs: 1 };

describe("a release", () => {
  let folder: string;

  beforeEach(() => void (folder = makeDirectory()));
  afterEach(() => removeDirectory(folder));

  /** A registry whose n-th publishing does what the n-th text says. */
  function registry(...texts: string[]) {
    const cases = texts.map((text, i) => `${i + 1}) ${text};;`).join(" ");
    const publish = `n=$(($(cat ${folder}/n 2>/dev/null || echo 0) + 1))
      echo $n > ${folder}/n; case $n in ${cases} *) exit 1;; esac`;
    return {
      title: "a registry",
      check: ["test", "-e", `${folder}/there`],
      publish: ["sh", "-c", publish],
    };
  }

  const tries = (): number => Number(readFileSync(`${folder}/n`, "utf8"));

  packageTest("is refused for a tag that is not the version", () => {
    checkTag("v1.2.3", "1.2.3");
    for (const tag of ["v1.2.4", "1.2.3", "", "v1.2.3-rc.1"]) {
      assert.throws(() => checkTag(tag, "1.2.3"), /but deno\.json has 1\.2\.3/);
    }
  });

  packageTest("is tried again where the registry fails or hangs", async () => {
    const succeeds = `touch ${folder}/there`;
    await publishTo(registry("exit 1", "exec sleep 60", succeeds), FAST);
    assert.equal(tries(), 3);
  });

  packageTest("is not made twice", async () => {
    const lost = `touch ${folder}/there; exit 1`;
    await publishTo(registry(lost, "exit 0"), FAST);
    assert.equal(tries(), 1);
    await publishTo(registry("exit 0"), FAST);
    assert.equal(tries(), 1);
  });

  packageTest("fails after the last try, and says where", async () => {
    await assert.rejects(
      publishTo(registry("exit 1"), FAST),
      /Cannot publish to a registry: failed 3 times/,
    );
  });
});

describe("the workflows", () => {
  for (const name of readdirSync(WORKFLOWS)) {
    packageTest(`${name} pins every action by its commit`, () => {
      const text = readFileSync(new URL(name, WORKFLOWS), "utf8");
      const uses = [...text.matchAll(/uses: *(\S+)(.*)/g)];
      assert.ok(uses.length > 0);
      for (const [line, action = "", comment = ""] of uses) {
        if (action.startsWith("./")) continue;
        assert.match(action, /^[\w./-]+@[0-9a-f]{40}$/, line);
        assert.match(comment, /^ # v\d+\.\d+\.\d+$/, line);
      }
    });
  }
});
