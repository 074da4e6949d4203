/*
 * The lease of a DynamoLock: one item, conditional writes, and waiters that
 * judge a holder dead by what stands unchanged. See README.md for the bounds,
 * for what each step stands for, and for the names that -D takes.
 */

#ifndef N
#define N 2         /* processes */
#endif
#ifndef R
#define R 1         /* attempts of each process, one after the other */
#endif
#ifndef K
#define K 2         /* requests of process 0 that are under way at once; of the
                       others, one */
#endif
#ifndef E
#define E 3         /* expiries that one attempt may write */
#endif
#ifndef TTL
#define TTL 2       /* time to live, in ticks */
#endif
#ifndef DRIFT
#define DRIFT 0     /* by how much less the holder trusts it */
#endif
#ifndef REACH
#define REACH 0     /* which state of interest is claimed to be unreachable */
#endif

#ifdef ONE_AGAIN    /* only process 0 comes again after its first attempt */
#define ROUNDS(p) ((p) == 0 -> R : 1)
#else
#define ROUNDS(p) R
#endif
#ifdef PACE         /* the slow clock misses one tick of so many */
#define isSlow(p) ((p) == 0 && phase == 0)
#else
#define isSlow(p) false
#endif

#define SLOTS (N + K - 1)
#define from(p) ((p) == 0 -> 0 : (p) + K - 1)
#define upTo(p) ((p) + K - 1)
#define whose(s) ((s) < K -> 0 : (s) - K + 1)

#define TRUSTED (TTL - DRIFT)
#define NOBODY 0
#define FREE 0
#define OWNER(p) (1 + (p) * R + client[p].round - 1)
#define PROCESS(owner) (((owner) - 1) / R)

#define TAKEN_OVER 1
#define ANSWER_LOST 2
#define TOO_LATE 3
#define COPY_REFUSED 4
#define GHOST_TAKES 5
#define LATER_APPLIED 6
#define LOSS_TOLD 7
#define FORGOTTEN 8
#define reached(what) assert((what) != REACH)

#ifdef FENCE_ONLY
#define exclusion(condition) skip
#else
#define exclusion(condition) assert(condition)
#endif

mtype = { Nothing, Claim, Renew, Release, Renounce, Look };
mtype = { Idle, Want, Extend, Hold, Leave, Dead };

/* What stands in the table. An expiry is numbered within its owner's attempt:
   the code only asks whether two are equal, or which of one owner's is greater
   (Tenure.next makes them grow), and never what time it is by them. */
typedef Item {
  unsigned owner : 3;
  unsigned expiry : 3;
  unsigned fence : 4;
};
Item item;

/* A request until it is applied, and then its answer. */
typedef Request {
  unsigned kind : 4;
  bool answered;
  bool unheard;              /* nobody waits for the answer any more */
  unsigned owner : 3;
  unsigned expiry : 3;
  unsigned deadOwner : 3;    /* what the claim may replace: Claim.dead */
  unsigned deadExpiry : 3;
  bool refused;
  unsigned itemOwner : 3;    /* the item that came with the answer */
  unsigned itemExpiry : 3;
  unsigned itemFence : 4;    /* ... of which only one's own fence matters */
};
Request request[SLOTS];

typedef Client {
  unsigned state : 4;
  unsigned round : 2;
  unsigned asking : 4;       /* the exchange under way */
  bool repeated;             /* ... in more than one try: Reply.repeated */
  bool unsure;               /* Attempt.#unsure */
  bool before;               /* ... before this exchange */
  unsigned last : 3;         /* Tenure.#lastMs */
  unsigned leaseAge : 3;     /* LeaseClock: since its request was sent */
  unsigned seenOwner : 3;    /* Observations: what was seen, */
  unsigned seenExpiry : 3;
  unsigned stood : 3;        /* ... and for how long it has stood */
};
Client client[N];

/* Tenure.#writings: how long ago the request with this expiry was sent, on the
   own clock. TTL stands for "too long ago", and for those that are settled or
   forgotten: none of these is ever trusted. */
typedef Writings {
  unsigned age1 : 3;
  unsigned age2 : 3;
  unsigned age3 : 3;
  unsigned age4 : 3;
};
Writings writings[N];

byte top;             /* the greatest token that the table gave */
byte topHeld;         /* the greatest token that a holder got */
byte phase;           /* of the slow clock */
bool forgot;          /* whether the table's TTL has removed the item */
byte h, i;            /* scratch, 0 between the steps */
byte slot;
byte forgets = 0;

/* An array of bytes would make the states twice as large. */
#define sentAgo(p, e) ((e) == 1 -> writings[p].age1 : \
  ((e) == 2 -> writings[p].age2 : ((e) == 3 -> writings[p].age3 : \
  ((e) == 4 -> writings[p].age4 : TTL))))

inline noteSent(p, e) {
  if
  :: e == 1 -> writings[p].age1 = 0
  :: e == 2 -> writings[p].age2 = 0
  :: e == 3 -> writings[p].age3 = 0
  :: else -> writings[p].age4 = 0
  fi
}

/* Tenure.settle forgets those up to the one that was found; Tenure.forget
   forgets all. */
inline forget(p, upTo) {
  writings[p].age1 = (upTo >= 1 -> TTL : writings[p].age1);
  writings[p].age2 = (upTo >= 2 -> TTL : writings[p].age2);
  writings[p].age3 = (upTo >= 3 -> TTL : writings[p].age3);
  writings[p].age4 = (upTo >= 4 -> TTL : writings[p].age4)
}

#define trusts(p) (client[p].state == Hold && client[p].leaseAge < TRUSTED)

/* How long ago an expiry was sent by true time: that of its holder is in its
   lease, and all others that were settled are of nobody's lease. */
#define ageOf(o, e) (client[PROCESS(o)].state == Hold && \
  OWNER(PROCESS(o)) == (o) && client[PROCESS(o)].leaseAge < \
  sentAgo(PROCESS(o), e) -> client[PROCESS(o)].leaseAge : sentAgo(PROCESS(o), e))

/* Observations.dead */
#if defined(CLOCKS_COMPARED)
/* The expiry as true time, by a clock that is SKEW ticks ahead. */
#define isDead(p) (client[p].seenOwner != NOBODY && \
  ageOf(client[p].seenOwner, client[p].seenExpiry) + SKEW >= TTL)
#elif defined(EARLY_TAKEOVER)
#define isDead(p) (client[p].seenOwner != NOBODY && client[p].stood >= TTL - 1 - DRIFT)
#else
#define isDead(p) (client[p].seenOwner != NOBODY && client[p].stood >= TTL)
#endif

#define isIdle(p) (client[p].asking == Nothing)

#ifndef URGENT
/* For safety, nothing is ever in a hurry: to be slow, to pause, to die, and to
   lose a message are all the same as to let others go first. */
#define mayAct(p) true
#define mayClaim(p) true
#define mayLook(p) true
#define mayBeat(p) true
#define mayRetry(p) true
#define mayGiveUp(p) true
#define mayStop(p) true
#define mayRelease(p) true
#define mayLose(s) true
#define mayTick true
#define began(p) skip
#define looked(p) skip
#define granted(p) skip
#define claimed(p) skip
#define retried(p) skip
#define renumber(p, till) skip
#define beaten(p) skip
#define lost(s) skip
#define ticked() skip
#else
#include "dynamo_progress.pml"
#endif

#define hasRoom(p) (request[from(p)].kind == Nothing || \
  request[upTo(p)].kind == Nothing)
#define roomOf(p) (request[from(p)].kind == Nothing -> from(p) : upTo(p))

inline clear(s) {
  request[s].kind = Nothing;
  request[s].answered = false;
  request[s].unheard = false;
  request[s].owner = 0;
  request[s].expiry = 0;
  request[s].deadOwner = 0;
  request[s].deadExpiry = 0;
  request[s].refused = false;
  request[s].itemOwner = 0;
  request[s].itemExpiry = 0;
  request[s].itemFence = 0
}

/* One try: Link.#send, with the expiry that Attempt.#write or DynamoGrant made
   for it, and the moment noted before it is sent. */
inline send(p, what, mute) {
  slot = roomOf(p);
  request[slot].kind = what;
  request[slot].unheard = mute;
  request[slot].owner = OWNER(p);
  if
  :: what == Claim || what == Renew ->
    client[p].last++;
    noteSent(p, client[p].last);
    request[slot].expiry = client[p].last
  :: else
  fi;
  if
  :: what == Claim && isDead(p) ->
    request[slot].deadOwner = client[p].seenOwner;
    request[slot].deadExpiry = client[p].seenExpiry
  :: else
  fi;
  printf("P%d sends %e, owner %d, expiry %d, may replace %d/%d\n", p, what,
    request[slot].owner, request[slot].expiry, request[slot].deadOwner,
    request[slot].deadExpiry);
  slot = 0
}

#define canWrite(p) (hasRoom(p) && client[p].last < E)

inline ask(p, what) {
  client[p].asking = what;
  client[p].repeated = false;
  send(p, what, false)
}

/* Exchange.#end: what is still under way goes on, and nobody hears of it. */
inline endExchange(p) {
  client[p].asking = Nothing;
  client[p].repeated = false;
  client[p].before = false;
  h = from(p);
  do
  :: h <= upTo(p) ->
    if
    :: request[h].kind == Nothing || request[h].unheard -> skip
    :: request[h].answered -> clear(h)
    :: else -> request[h].unheard = true
    fi;
    h++
  :: else -> break
  od;
  h = 0
}

/* Observations.note, of what is not our own: Attempt.#see */
inline see(p, who, till) {
  if
  :: who == OWNER(p) || till == FREE ->
    client[p].seenOwner = NOBODY;
    client[p].seenExpiry = 0;
    client[p].stood = 0
#if defined(OWNER_ONLY)
  /* Heartbeats are not looked at. */
  :: who != OWNER(p) && till != FREE && client[p].seenOwner == who ->
    client[p].seenExpiry = till
#elif !defined(NO_MEMORY)
  :: who != OWNER(p) && till != FREE && client[p].seenOwner == who &&
    client[p].seenExpiry == till -> skip
#endif
  :: else ->
    client[p].seenOwner = who;
    client[p].seenExpiry = till;
    client[p].stood = 0
  fi
}

inline endRound(p) {
  client[p].state = Idle;
  client[p].unsure = false;
  client[p].last = 0;
  client[p].leaseAge = 0;
  forget(p, 4);
  if
  :: client[p].round == ROUNDS(p) -> /* what it has seen is of no use any more */
    client[p].seenOwner = NOBODY;
    client[p].seenExpiry = 0;
    client[p].stood = 0
  :: else
  fi
}

/* Attempt.#grant: what stands in the table tells which request it was. */
inline accept(p, till, token) {
  see(p, OWNER(p), till);
  client[p].unsure = false;
#if defined(VALID_FROM_ANSWER)
  client[p].leaseAge = 0;
#elif defined(CREDIT_LAST_SENT)
  client[p].leaseAge = sentAgo(p, client[p].last);
#else
  client[p].leaseAge = sentAgo(p, till);
#endif
  forget(p, till);
  if
  :: client[p].leaseAge >= TRUSTED ->
    reached(TOO_LATE);
    printf("P%d is told of its grant too late, and extends it\n", p);
    client[p].state = Extend
  :: else ->
    printf("P%d HOLDS, fence %d, age %d\n", p, token, client[p].leaseAge);
    h = 0;
    do
    :: h < N ->
      if
      :: h != p -> exclusion(!trusts(h))
      :: else
      fi;
      h++
    :: else -> break
    od;
    h = 0;
    client[p].state = Hold;
    granted(p);
    exclusion(token > topHeld);
    topHeld = (token > topHeld -> token : topHeld)
  fi
}

/* DynamoGrant.#onRenewed and LeaseClock.renew */
inline renewed(p, till) {
  if
#if defined(CREDIT_LAST_SENT)
  :: client[p].leaseAge < TRUSTED ->
    client[p].leaseAge = sentAgo(p, client[p].last)
#elif defined(VALID_FROM_ANSWER)
  :: client[p].leaseAge < TRUSTED -> client[p].leaseAge = 0
#else
  :: client[p].leaseAge < TRUSTED && sentAgo(p, till) < client[p].leaseAge ->
    client[p].leaseAge = sentAgo(p, till)
#endif
  :: else
  fi;
  forget(p, till);
  renumber(p, till);
  printf("P%d has renewed, age %d\n", p, client[p].leaseAge)
}

#define mine(s, p) (request[s].itemOwner == OWNER(p) && request[s].itemExpiry != FREE)

inline hear(p, s) {
  printf("P%d hears of its %e: %d/%d stands there\n", p, request[s].kind,
    request[s].itemOwner, request[s].itemExpiry);
  if
  :: client[p].state == Want || client[p].state == Extend ->
    if
    :: request[s].kind == Look ->
      see(p, request[s].itemOwner, request[s].itemExpiry)
    :: request[s].kind != Look && mine(s, p) ->
      if
      :: request[s].refused -> reached(ANSWER_LOST)
      :: else
      fi;
      accept(p, request[s].itemExpiry, request[s].itemFence)
    :: else ->
      /* Attempt.#write: of several tries, another may yet be applied. */
      client[p].unsure = client[p].before || client[p].repeated;
      if
      :: !client[p].unsure -> /* none of them has stood there, or will */
        forget(p, 4);
        client[p].last = 0
#ifdef URGENT
      :: client[p].unsure ->
        forget(p, 4);
        renumber(p, client[p].last + 1)
#endif
      :: else
      fi;
      client[p].state = Want;
      see(p, request[s].itemOwner, request[s].itemExpiry)
    fi
  :: client[p].state == Hold ->
    if
    :: mine(s, p) ->
      if
      :: request[s].refused -> reached(LATER_APPLIED)
      :: else
      fi;
      renewed(p, request[s].itemExpiry)
    :: else ->
      reached(LOSS_TOLD);
      printf("P%d is told of its loss\n", p);
      client[p].leaseAge = TTL
    fi
  :: else -> endRound(p)
  fi;
  endExchange(p);
}

/* Who comes first is process 0, and so on: what they are called does not matter,
   unless their clocks differ. */
#if defined(PACE) || defined(ONE_AGAIN)
#define isNext(p) true
#else
#define isNext(p) ((p) == 0 || client[(p) - 1].round > 0)
#endif


proctype Process(byte me) {
  do
  /* DynamoKeeper.tryTake makes an Attempt, and with it an owner. */
  :: d_step { client[me].state == Idle && client[me].round < ROUNDS(me) && isNext(me) &&
      mayAct(me) ->
      client[me].round++;
      client[me].state = Want;
      began(me);
      printf("P%d wants the lock as owner %d\n", me, OWNER(me)) }
  /* Attempt.#claim */
  :: d_step { client[me].state == Want && isIdle(me) && canWrite(me) &&
      mayClaim(me) &&
      (client[me].seenOwner == NOBODY || isDead(me)) ->
      client[me].before = client[me].unsure;
      client[me].unsure = true;
      claimed(me);
      ask(me, Claim) }
  /* Attempt.#poll. What was seen counts as seen from when it was read on, which
     is the worst that its way can do to its holder; see SLOW_LOOKS. */
#ifdef SLOW_LOOKS
  :: d_step { client[me].state == Want && isIdle(me) && hasRoom(me) &&
      mayLook(me) ->
      looked(me);
      ask(me, Look) }
  :: d_step { client[me].asking == Look && hasRoom(me) && mayRetry(me) ->
      client[me].repeated = true;
      retried(me);
      send(me, Look, false) }
#else
  :: d_step { client[me].state == Want && isIdle(me) && mayLook(me) ->
      looked(me);
      printf("P%d looks: %d/%d stands there\n", me, item.owner, item.expiry);
      see(me, item.owner, item.expiry) }
#endif
  /* Attempt.#extend */
  :: d_step { client[me].state == Extend && isIdle(me) && canWrite(me) &&
      mayAct(me) ->
      client[me].before = true;
      ask(me, Renew) }
  /* DynamoGrant.renew */
  :: d_step { client[me].state == Hold && isIdle(me) && canWrite(me) &&
      client[me].leaseAge < TRUSTED && mayBeat(me) ->
      beaten(me);
      ask(me, Renew) }
  /* Exchange.#onTime: asked again, and the first try still heard. */
  :: d_step { client[me].asking == Release && hasRoom(me) && mayRetry(me) ->
      client[me].repeated = true;
      retried(me);
      send(me, Release, false) }
  :: d_step { (client[me].asking == Claim || client[me].asking == Renew) &&
      canWrite(me) && mayRetry(me) ->
      client[me].repeated = true;
      retried(me);
      send(me, client[me].asking, false) }
  /* Exchange.#fail: the time is up. */
  :: d_step { !isIdle(me) && mayGiveUp(me) ->
      printf("P%d gives its %e up\n", me, client[me].asking);
      endExchange(me);
      if
      :: client[me].state == Leave -> endRound(me)
      :: else
      fi }
  :: d_step { request[from(me)].answered && mayAct(me) -> hear(me, from(me)) }
  :: d_step { me == 0 && K > 1 && request[K - 1].answered && mayAct(me) ->
      hear(me, K - 1) }
  /* Nobody waits any more: Attempt.leave undoes what is unsure. */
  :: d_step { (client[me].state == Want || client[me].state == Extend) &&
      isIdle(me) && hasRoom(me) && mayStop(me) ->
      printf("P%d gives up\n", me);
      if
      :: client[me].unsure || client[me].state == Extend ->
        send(me, Renounce, true)
      :: else
      fi;
      endRound(me) }
  /* DynamoGrant.release; from here on its holder does not trust it. */
  :: d_step { client[me].state == Hold && client[me].leaseAge < TRUSTED &&
      hasRoom(me) && mayRelease(me) ->
      endExchange(me);
      client[me].state = Leave;
      ask(me, Release) }
  /* HeldLease.#examine: lost by the clocks. The holder may then release. */
  :: d_step { client[me].state == Hold && client[me].leaseAge >= TRUSTED &&
      mayAct(me) ->
      printf("P%d knows that it has lost the lock\n", me);
      endExchange(me);
      endRound(me) }
  :: d_step { client[me].state == Hold && client[me].leaseAge >= TRUSTED &&
      hasRoom(me) && mayAct(me) ->
      printf("P%d knows that it has lost the lock, and releases it\n", me);
      endExchange(me);
      send(me, Release, true);
      endRound(me) }
#ifdef URGENT
  :: d_step { mayDie(me) -> died(me) }
  :: d_step { mayPause(me) -> pause(me) }
  :: d_step { mayResume(me) -> resume(me) }
#endif
  od
}

#define isFree (item.expiry == FREE)

/* requests.ts: each one atomic write with its condition. */
inline apply(s) {
  if
  :: request[s].kind == Claim ->
    if
    :: ((isFree && item.owner != request[s].owner)
#if defined(TAKEOVER_UNCONDITIONAL)
      || (request[s].deadOwner != NOBODY))
#else
      || (request[s].deadOwner != NOBODY && !isFree &&
        item.owner == request[s].deadOwner &&
        item.expiry == request[s].deadExpiry))
#endif
      ->
      if
      :: !isFree -> reached(TAKEN_OVER)
      :: request[s].owner != OWNER(PROCESS(request[s].owner)) ||
        client[PROCESS(request[s].owner)].state == Idle -> reached(GHOST_TAKES)
      :: else
      fi;
      item.owner = request[s].owner;
      item.expiry = request[s].expiry;
      /* if_not_exists(fence, base) + 1: the base is the service's time in us,
         which is more than the number of all grants before. */
#if defined(NO_BASE)
      item.fence = item.fence + 1;
#else
      item.fence = (forgot -> top : item.fence) + 1;
#endif
      forgot = false;
      assert(item.fence > top);
      top = item.fence
    :: else -> request[s].refused = true
    fi
  :: request[s].kind == Renew ->
    if
#if defined(HEARTBEAT_UNCONDITIONAL)
    :: true ->
      item.owner = request[s].owner;
      item.expiry = request[s].expiry
#elif defined(HEARTBEAT_MAY_GO_BACK)
    :: item.owner == request[s].owner && !isFree ->
      item.expiry = request[s].expiry
#else
    :: item.owner == request[s].owner && !isFree &&
      item.expiry < request[s].expiry -> item.expiry = request[s].expiry
#endif
    :: else ->
      request[s].refused = true;
      if
      :: request[s].unheard -> reached(COPY_REFUSED)
      :: else
      fi
    fi
  :: request[s].kind == Release ->
    if
#if defined(RELEASE_UNCONDITIONAL)
    :: true -> item.expiry = FREE
#else
    :: item.owner == request[s].owner -> item.expiry = FREE
#endif
    :: else -> request[s].refused = true
    fi
  :: request[s].kind == Renounce ->
    if
    :: item.owner == request[s].owner || isFree ->
      item.owner = request[s].owner;
      item.expiry = FREE
    :: else -> request[s].refused = true
    fi
  :: else
  fi;
  if
  :: request[s].refused -> printf("table: REFUSES %e of owner %d: ",
    request[s].kind, request[s].owner)
  :: else -> printf("table: does %e of owner %d: ", request[s].kind,
    request[s].owner)
  fi;
  printf("%d/%d stands there, fence %d\n", item.owner, item.expiry, item.fence)
}

inline answer(s) {
  if
  :: request[s].unheard -> clear(s)
  :: else ->
    request[s].answered = true;
    request[s].itemOwner = item.owner;
    request[s].itemExpiry = item.expiry;
    request[s].itemFence =
      (item.owner == request[s].owner && client[whose(s)].state != Hold ->
        item.fence : 0);
    request[s].owner = 0;
    request[s].expiry = 0;
    request[s].deadOwner = 0;
    request[s].deadExpiry = 0
  fi
}

#define isUnderWay(s) (request[s].kind != Nothing && !request[s].answered)

#ifdef STALE_LOOKS
/* What stood there before: a look is eventually consistent. */
Item before;
#define keepBefore before.owner = item.owner; before.expiry = item.expiry
#else
#define keepBefore skip
#endif

inline serve(s) {
  if
  :: request[s].kind != Look -> keepBefore
  :: else
  fi;
  apply(s);
  answer(s)
}

inline lose(s) {
  printf("lost: %e of P%d\n", request[s].kind, whose(s));
  clear(s);
  lost(s)
}

/* The service, and the network on the way to it and back. */
proctype Way(byte p) {
  do
  :: d_step { isUnderWay(from(p)) -> serve(from(p)) }
  :: d_step { p == 0 && K > 1 && isUnderWay(K - 1) -> serve(K - 1) }
  :: d_step { request[from(p)].kind != Nothing && mayLose(p) -> lose(from(p)) }
  :: d_step { p == 0 && K > 1 && request[K - 1].kind != Nothing && mayLose(p) ->
      lose(K - 1) }
#ifdef STALE_LOOKS
  :: d_step { isUnderWay(from(p)) && request[from(p)].kind == Look &&
      !request[from(p)].unheard ->
      answer(from(p));
      request[from(p)].itemOwner = before.owner;
      request[from(p)].itemExpiry = before.expiry;
      printf("table: an old look\n") }
#endif
#ifdef COPIES
  /* Applied now, and once more later: a copy is made on the way. */
  :: d_step { p == 0 && isUnderWay(0) && hasRoom(0) && request[0].kind != Look ->
      request[K - 1].kind = request[0].kind;
      request[K - 1].unheard = request[0].unheard;
      request[K - 1].owner = request[0].owner;
      request[K - 1].expiry = request[0].expiry;
      request[K - 1].deadOwner = request[0].deadOwner;
      request[K - 1].deadExpiry = request[0].deadExpiry;
      client[0].repeated = client[0].repeated || !request[0].unheard;
      printf("copied: %e of P0\n", request[0].kind) }
#endif
  od
}

#define older(age) age = (age < TTL -> age + 1 : TTL)

/* All ages are by the clock of the host that counts them. That of process 0 is
   slow: it misses one tick of PACE. */
proctype Time() {
  do
  :: d_step { mayTick ->
#ifdef PACE
      phase = (phase + 1) % PACE;
#endif
      i = 0;
      do
      :: i < N ->
        if
        :: isSlow(i) -> skip
        :: else ->
          if
          :: client[i].state == Hold -> older(client[i].leaseAge)
          :: else
          fi;
          if
          :: client[i].seenOwner != NOBODY -> older(client[i].stood)
          :: else
          fi;
          older(writings[i].age1);
          older(writings[i].age2);
          older(writings[i].age3);
          older(writings[i].age4)
        fi;
        i++
      :: else -> break
      od;
      i = 0;
      printf("tick\n");
      ticked() }
#ifdef TABLE_FORGETS
  /* The table's TTL removes what expired, and its fencing token with it. */
  :: d_step { !isFree && forgets == 0 && top > 0 &&
      ageOf(item.owner, item.expiry) >= TTL ->
      forgets = 1;
      reached(FORGOTTEN);
      item.owner = NOBODY;
      item.expiry = FREE;
      item.fence = 0;
      forgot = true;
      printf("table: removed the item\n") }
#endif
  od
}

init {
  atomic {
    i = 0;
    do
    :: i < N ->
      client[i].state = Idle;
      client[i].asking = Nothing;
      forget(i, 4);
      run Process(i);
      run Way(i);
      i++
    :: else -> break
    od;
    i = 0;
    do
    :: i < SLOTS -> request[i].kind = Nothing; i++
    :: else -> break
    od;
    h = 0;
    i = 0;
    run Time()
  }
}
