import { checkLeaseTerms } from "../../backends/core/lease_terms.ts";
import { FREE } from "../../backends/dynamo/item.ts";
import {
  acquire,
  type Claim,
  look,
  release,
  renew,
} from "../../backends/dynamo/requests.ts";
import { constantOf } from "./of_source.ts";
import {
  holds,
  killed,
  message,
  note,
  pause,
  rests,
  type Sequence,
  waits,
} from "./sequence.ts";

const { ttlMs, heartbeatIntervalMs } = checkLeaseTerms("DynamoLock", {});
const ttl = `${ttlMs / 1000} s`;
const heartbeat = `${heartbeatIntervalMs / 1000} s`;
const first = constantOf("backends/dynamo/poll_plan.ts", "FIRST_MS");
const longest = constantOf("backends/dynamo/poll_plan.ts", "LONGEST_MS");

const place = { table: "locks", key: "report" };
const claim: Claim = {
  owner: "1",
  expiry: FREE,
  ttlMs,
  host: "",
  pid: 1,
  base: 0n,
  dead: null,
};
const { operation } = acquire(place, claim);
const takes = `${operation} if free`;
const looks = look(place, false).operation;
const renews = `${renew(place, claim).operation}: later expiry`;
const frees = `${release(place, "1").operation}: expiry ${FREE.N}`;

/** How a DynamoLock passes from one process to another. */
export const handOverDynamo: Sequence = {
  title: "DynamoLock: a lock passes from A to B",
  actors: {
    a: { name: "A", detail: "a process" },
    keeper: {
      name: "the table",
      detail: `${place.table}: item "${place.key}"`,
    },
    b: { name: "B", detail: "a process" },
  },
  parts: [
    {
      title: "A releases the lock",
      steps: [
        message("a", "keeper", takes, "done, token 33"),
        holds("keeper", "a"),
        holds("a", "a"),
        message("b", "keeper", takes, "refused: A has it"),
        waits("b"),
        note(
          "b",
          `A process's first request is a ${looks} instead, which tells it ` +
            "the service's time.",
        ),
        pause(
          `by chance, up to ${first} ms, and later up to ${longest / 1000} s`,
        ),
        message("b", "keeper", looks, "A has it"),
        message("a", "keeper", renews, `every ${heartbeat}`),
        message("a", "keeper", frees),
        rests("keeper"),
        rests("a"),
        pause(`up to ${longest / 1000} s`),
        message("b", "keeper", looks, "free"),
        message("b", "keeper", takes, "done, token 34"),
        holds("keeper", "b"),
        holds("b", "b"),
      ],
    },
    {
      title: "A is killed",
      steps: [
        holds("keeper", "a"),
        holds("a", "a"),
        waits("b"),
        message("a", "keeper", renews),
        message("b", "keeper", looks, "lockid and expiry of A"),
        killed("a"),
        pause(`the same lockid and expiry for ${ttl} on B's own clock`),
        message("b", "keeper", `${operation} if unchanged`, "done, token 34"),
        holds("keeper", "b"),
        holds("b", "b"),
        note("b", "Had A sent another heartbeat, the write would be refused."),
      ],
    },
  ],
};
