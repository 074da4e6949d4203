/**
 * What is checked of the models: what must hold, what must be violated since an
 * assumption is dropped, and what must be reached, so that nothing holds for
 * want of anything happening.
 *
 * @module
 */

/** One check of a model. */
export interface ModelCheck {
  /** What is checked. */
  readonly title: string;
  /** The model's file. */
  readonly model: string;
  /** What is defined for it. */
  readonly defines: readonly string[];
  /** What spin has to find. */
  readonly expected: "holds" | "violated" | "reached";
  /** The assertion that it has to find violated. */
  readonly by: RegExp;
  /** What the violation shows. */
  readonly why: string;
}

type Options = Pick<ModelCheck, "by" | "why">;

const EXCLUSION = /violated +!\(+client/;
const FENCE = /violated \(\w[\w.\[\]]*>top/i;
const BOUND = /idle<=/;
const ORDER = /\.queued/;
const NONE = /^$/;

const REDIS = "redis_fair_queue.pml";
const DYNAMO = "dynamo_observation_lease.pml";

/** All checks, in the order in which they are made. */
export const checks: readonly ModelCheck[] = [
  ...redisHolds(),
  ...redisBreaks(),
  ...redisReaches(),
  ...dynamoHolds(),
  ...dynamoBreaks(),
  ...dynamoReaches(),
];

function redisHolds(): ModelCheck[] {
  const urgent = "URGENT TTL=3 ALIVE=3 K=1";
  return [
    holds(REDIS, "exclusion, repeated tries", "K=2"),
    holds(REDIS, "exclusion, a second place each", "K=1 R=2"),
    holds(REDIS, "exclusion, channels that break", "K=1 BREAKS"),
    holds(REDIS, "exclusion, a slow clock", "K=1 TTL=3 PACE=3 DRIFT=1"),
    holds(REDIS, "tokens grow", "K=1 FENCES GRANTS=6"),
    holds(
      REDIS,
      "tokens grow, memory lost",
      "K=1 FENCES GRANTS=5 FENCE_ONLY SERVER_FORGETS",
    ),
    holds(
      REDIS,
      "tokens grow, clock set back",
      "K=1 FENCES GRANTS=4 FENCE_ONLY CLOCK_SET_BACK",
    ),
    holds(REDIS, "order, three processes", `${urgent} N=3 FIFO FAULTS=1`),
    holds(REDIS, "order, a second place", "K=1 R=2 ONE_AGAIN FIFO"),
    holds(REDIS, "order, channels that break", "K=1 FIFO BREAKS"),
    holds(REDIS, "nobody waits in vain, no fault", `${urgent} N=3 FAULTS=0`),
    holds(
      REDIS,
      "nobody waits in vain, 1 fault",
      `${urgent} N=3 FAULTS=1 BREAKS`,
    ),
    holds(
      REDIS,
      "nobody waits in vain, 2 faults",
      `${urgent} R=2 FAULTS=2 BREAKS`,
    ),
  ];
}

function redisBreaks(): ModelCheck[] {
  const urgent = "URGENT TTL=3 ALIVE=3 K=1";
  return [
    violated(REDIS, "release without owner check", {
      ...{ by: EXCLUSION, why: "a late release frees a successor's lock" },
    }, "K=1 R=2 ONE_AGAIN RELEASE_UNCHECKED"),
    violated(REDIS, "validity counted from the answer", {
      ...{ by: EXCLUSION, why: "the answer was on its way for a time to live" },
    }, "K=1 VALID_FROM_ANSWER"),
    violated(REDIS, "validity counted from the message", {
      ...{
        by: EXCLUSION,
        why: "the message was on its way for a time to live",
      },
    }, "K=1 VALID_FROM_MESSAGE OLD_MESSAGES"),
    violated(REDIS, "a slow clock, and nothing left for it", {
      ...{
        by: EXCLUSION,
        why: "the server's clock is faster than the holder's",
      },
    }, "K=1 TTL=3 PACE=3"),
    violated(REDIS, "clock set forward", {
      ...{ by: EXCLUSION, why: "the key ends before its time" },
    }, "K=1 CLOCK_SET_FORWARD"),
    violated(REDIS, "memory lost", {
      ...{ by: EXCLUSION, why: "the server gives the lock again" },
    }, "K=1 SERVER_FORGETS"),
    violated(REDIS, "memory lost, and clock set back", {
      ...{ by: FENCE, why: "nothing is left to tell the last token" },
    }, "K=1 FENCES FENCE_ONLY SERVER_FORGETS CLOCK_SET_BACK"),
    violated(REDIS, "a free lock for whoever asks", {
      ...{ by: ORDER, why: "a newcomer overtakes who waits" },
    }, "K=1 FIFO R=2 BARGING"),
    violated(REDIS, "a message lost, and no refresh", {
      ...{ by: BOUND, why: "nobody asks any more" },
    }, `${urgent} FAULTS=1 ONLY_MESSAGES NO_REFRESH`),
    violated(REDIS, "the head's death unnoticed", {
      ...{ by: BOUND, why: "the lock is given to a dead waiter, ever again" },
    }, `${urgent} N=3 FAULTS=1 HEAD_UNCHECKED`),
  ];
}

function redisReaches(): ModelCheck[] {
  return [
    make(
      REDIS,
      "a fault may cost all of the bound",
      "URGENT TTL=3 ALIVE=3 K=1 N=3 FAULTS=1 BREAKS BOUND=3",
      "reached",
      { by: BOUND, why: "" },
    ),
    reached(REDIS, "the key of a holder ends", "K=1 REACH=1"),
    reached(REDIS, "granted by message", "K=1 REACH=2"),
    reached(REDIS, "a refresh repairs a lost message", "K=1 REACH=3"),
    reached(
      REDIS,
      "an old message is not believed",
      "K=1 OLD_MESSAGES REACH=4",
    ),
    reached(REDIS, "a dead waiter is skipped", "K=1 REACH=5"),
    reached(REDIS, "one that nobody hears is skipped", "K=1 BREAKS REACH=6"),
    reached(REDIS, "back at the old ticket", "K=1 REACH=7"),
    reached(REDIS, "a late release changes nothing", "K=1 REACH=8"),
    reached(REDIS, "a copy takes the lock for nobody", "K=1 REACH=9"),
    reached(REDIS, "a holder is told of its loss", "K=1 REACH=10"),
  ];
}

function dynamoHolds(): ModelCheck[] {
  const urgent = "URGENT TTL=3 K=1 E=3";
  return [
    holds(DYNAMO, "exclusion, repeated tries", "K=2 E=2"),
    holds(DYNAMO, "exclusion, copies made on the way", "K=2 E=2 COPIES"),
    holds(DYNAMO, "exclusion, a second attempt", "K=1 E=2 R=2 ONE_AGAIN"),
    holds(DYNAMO, "exclusion, more heartbeats", "K=1 E=3"),
    holds(DYNAMO, "exclusion, three processes", "K=1 E=1 N=3"),
    holds(DYNAMO, "exclusion, old looks", "K=1 E=2 SLOW_LOOKS STALE_LOOKS"),
    holds(DYNAMO, "exclusion, a slow clock", "K=1 E=2 TTL=3 PACE=3 DRIFT=1"),
    holds(
      DYNAMO,
      "exclusion, clocks compared, all right",
      "K=1 E=2 CLOCKS_COMPARED SKEW=0",
    ),
    holds(DYNAMO, "tokens grow, item removed", "K=1 E=2 TABLE_FORGETS"),
    holds(DYNAMO, "nobody waits in vain, no fault", `${urgent} N=3 FAULTS=0`),
    holds(DYNAMO, "nobody waits in vain, 1 fault", `${urgent} N=3 FAULTS=1`),
    holds(DYNAMO, "nobody waits in vain, 2 faults", `${urgent} R=2 FAULTS=2`),
  ];
}

function dynamoBreaks(): ModelCheck[] {
  return [
    violated(DYNAMO, "clocks compared between hosts", {
      ...{ by: EXCLUSION, why: "the waiter's clock is ahead by one tick" },
    }, "K=1 E=2 CLOCKS_COMPARED SKEW=1"),
    violated(DYNAMO, "takeover before a whole TTL", {
      ...{ by: EXCLUSION, why: "one tick earlier is too early" },
    }, "K=1 E=2 EARLY_TAKEOVER"),
    violated(DYNAMO, "pace error larger than assumed", {
      ...{ by: EXCLUSION, why: "the holder's clock misses every second tick" },
    }, "K=1 E=2 TTL=3 PACE=2 DRIFT=1"),
    violated(DYNAMO, "a slow clock, and nothing left for it", {
      ...{ by: EXCLUSION, why: "the waiter's clock is faster" },
    }, "K=1 E=2 TTL=3 PACE=3"),
    violated(DYNAMO, "heartbeat without condition", {
      ...{
        by: EXCLUSION,
        why: "a late heartbeat makes the lock its own again",
      },
    }, "K=2 E=2 R=2 ONE_AGAIN HEARTBEAT_UNCONDITIONAL"),
    violated(DYNAMO, "heartbeat that sets the expiry back", {
      ...{
        by: EXCLUSION,
        why: "what was seen comes back, and seems unchanged",
      },
    }, "K=2 E=3 COPIES HEARTBEAT_MAY_GO_BACK"),
    violated(DYNAMO, "takeover without condition", {
      ...{ by: EXCLUSION, why: "the holder has renewed meanwhile" },
    }, "K=1 E=2 TAKEOVER_UNCONDITIONAL"),
    violated(DYNAMO, "heartbeats not looked at", {
      ...{ by: EXCLUSION, why: "a live lease is taken for dead" },
    }, "K=1 E=3 OWNER_ONLY"),
    violated(DYNAMO, "release without condition", {
      ...{ by: EXCLUSION, why: "a late release frees a successor's lock" },
    }, "K=2 E=2 R=2 ONE_AGAIN RELEASE_UNCONDITIONAL"),
    violated(DYNAMO, "validity counted from the answer", {
      ...{ by: EXCLUSION, why: "the answer was on its way for a time to live" },
    }, "K=1 E=2 VALID_FROM_ANSWER"),
    violated(DYNAMO, "validity counted from the last try", {
      ...{ by: EXCLUSION, why: "it was an earlier try that was applied" },
    }, "K=2 E=3 CREDIT_LAST_SENT"),
    violated(DYNAMO, "item removed, and no base", {
      ...{ by: FENCE, why: "tokens are counted from the start again" },
    }, "K=1 E=2 TABLE_FORGETS NO_BASE"),
    violated(DYNAMO, "what was seen is forgotten", {
      ...{ by: BOUND, why: "no lease is ever seen to stand still" },
    }, "URGENT TTL=3 K=1 E=3 FAULTS=1 NO_MEMORY"),
  ];
}

function dynamoReaches(): ModelCheck[] {
  return [
    make(
      DYNAMO,
      "a fault may cost all of the bound",
      "URGENT TTL=3 K=1 E=3 N=3 FAULTS=1 BOUND=3",
      "reached",
      { by: BOUND, why: "" },
    ),
    reached(DYNAMO, "a dead holder's lock is taken over", "K=1 E=2 REACH=1"),
    reached(DYNAMO, "a lost answer is made up for", "K=1 E=2 REACH=2"),
    reached(DYNAMO, "a grant comes too late", "K=1 E=2 REACH=3"),
    reached(DYNAMO, "a heartbeat's late copy is refused", "K=2 E=3 REACH=4"),
    reached(
      DYNAMO,
      "a copy takes the lock for nobody",
      "K=2 E=2 R=2 ONE_AGAIN REACH=5",
    ),
    reached(DYNAMO, "a refusal tells of a renewal", "K=2 E=3 REACH=6"),
    reached(DYNAMO, "a holder is told of its loss", "K=1 E=2 REACH=7"),
    reached(
      DYNAMO,
      "the table removes an item",
      "K=1 E=2 TABLE_FORGETS REACH=8",
    ),
  ];
}

function holds(model: string, title: string, defines: string): ModelCheck {
  return make(model, title, defines, "holds", { by: NONE, why: "" });
}

function violated(
  model: string,
  title: string,
  options: Options,
  defines: string,
): ModelCheck {
  return make(model, title, defines, "violated", options);
}

function reached(model: string, title: string, defines: string): ModelCheck {
  return make(model, title, defines, "reached", { by: /!=/, why: "" });
}

function make(
  model: string,
  title: string,
  defines: string,
  expected: ModelCheck["expected"],
  options: Options,
): ModelCheck {
  const lock = model === REDIS ? "redis" : "dynamo";
  return {
    title: `${lock}: ${title}`,
    model,
    defines: defines.split(" "),
    expected,
    ...options,
  };
}
