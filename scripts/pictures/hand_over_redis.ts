import { checkLeaseTerms } from "../../backends/core/lease_terms.ts";
import type * as scripts from "../../backends/redis/scripts.ts";
import { keysOf, sharedLock } from "../../backends/redis/shared_lock.ts";
import { constantOf, wordOf } from "./of_source.ts";
import {
  holds,
  killed,
  message,
  messages,
  note,
  pause,
  rests,
  type Sequence,
  waits,
} from "./sequence.ts";

const terms = checkLeaseTerms("RedisLock", {});
const ttl = `${terms.ttlMs / 1000} s`;
const heartbeat = `${terms.heartbeatIntervalMs / 1000} s`;
const refreshMs = constantOf("backends/redis/place.ts", "REFRESH_MS");
const [key, , queue] = keysOf(sharedLock("report", "locking:", terms));
const channel = wordOf("backends/redis/wake_ups.ts", "locking:wake:");

/** The name of a script that there is. */
function script(name: keyof typeof scripts): string {
  return name;
}

const ACQUIRE = script("ACQUIRE");

/** How a RedisLock passes from one process to another. */
export const handOverRedis: Sequence = {
  title: "RedisLock: a lock passes from A to B",
  actors: {
    a: { name: "A", detail: "a process" },
    keeper: { name: "the Redis server", detail: key! },
    b: { name: "B", detail: "a process" },
  },
  parts: [
    {
      title: "A releases the lock",
      steps: [
        message("a", "keeper", ACQUIRE, "granted, token 33"),
        holds("keeper", "a"),
        holds("a", "a"),
        message("b", "keeper", ACQUIRE, "held, by A"),
        waits("b"),
        message("b", "keeper", `SUBSCRIBE ${channel}…`),
        message(
          "b",
          "keeper",
          `${ACQUIRE}, with channel`,
          "waiting, 0 before it",
        ),
        note("keeper", `B has a place in ${queue}`),
        pause("and meanwhile"),
        messages(
          {
            from: "a",
            to: "keeper",
            text: `${script("RENEW")} every ${heartbeat}`,
            result: `${ttl} from now`,
          },
          {
            from: "b",
            to: "keeper",
            text: `${ACQUIRE} every ${refreshMs / 1000} s`,
            result: "waiting, 0 before it",
          },
        ),
        message("a", "keeper", `${script("LEAVE")}: hand over`),
        holds("keeper", "b"),
        rests("a"),
        note("keeper", "One step: the key is B's, for its full time to live."),
        message("keeper", "b", "PUBLISH: token 34, stamp"),
        holds("b", "b"),
        note(
          "b",
          "B counts its lease from the refresh whose stamp came back, and " +
            "not from the message.",
        ),
      ],
    },
    {
      title: "A is killed",
      steps: [
        holds("keeper", "a"),
        holds("a", "a"),
        waits("b"),
        message("a", "keeper", script("RENEW"), `${ttl} from now`),
        killed("a"),
        message("b", "keeper", ACQUIRE, "waiting; the key ends in … ms"),
        pause(`the key ends ${ttl} after it was last renewed`),
        rests("keeper"),
        message("b", "keeper", ACQUIRE, "granted, token 34"),
        holds("keeper", "b"),
        holds("b", "b"),
        note(
          "b",
          "First in line, B asks again just when the key is due to end.",
        ),
      ],
    },
  ],
};
