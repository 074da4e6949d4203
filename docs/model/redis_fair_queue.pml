/*
 * A RedisLock on one server, with its queue: scripts that are atomic, answers
 * and messages that come late or never, and leases by the holders' own clocks.
 * See README.md for the bounds, for what each step stands for, and for the
 * names that -D takes.
 */

#ifndef N
#define N 2          /* processes */
#endif
#ifndef R
#define R 1          /* places of each process, one after the other */
#endif
#ifndef K
#define K 2          /* tries of a process that are under way at once */
#endif
#ifndef TTL
#define TTL 2        /* time to live, in ticks */
#endif
#ifndef DRIFT
#define DRIFT 0      /* by how much less the holder trusts it */
#endif
#ifndef ALIVE
#define ALIVE 2      /* for how long a refresh keeps a place alive, in ticks */
#endif
#ifndef REACH
#define REACH 0      /* which state of interest is claimed to be unreachable */
#endif
#ifdef ONE_AGAIN     /* only process 0 comes again after its first place */
#define ROUNDS(p) ((p) == 0 -> R : 1)
#else
#define ROUNDS(p) R
#endif
#ifdef PACE          /* the clock of process 0 misses one tick of so many */
#define isSlow(p) ((p) == 0 && phase == 0)
#else
#define isSlow(p) false
#endif

#define TRUSTED (TTL - DRIFT)
#define OWNERS (N * R)
#define NOBODY 0
#define ownerOf(p, r) (1 + (p) * R + (r) - 1)
#define me(p) ownerOf(p, client[p].round)
#define processOf(o) (((o) - 1) / R)
#define roundOf(o) (1 + ((o) - 1) % R)

#define KEY_ENDS 1
#define GRANTED_BY_MESSAGE 2
#define REFRESH_REPAIRS 3
#define OLD_MESSAGE 4
#define DEAD_SKIPPED 5
#define UNHEARD_SKIPPED 6
#define BACK_AT_OLD_TICKET 7
#define LATE_RELEASE 8
#define GHOST_GRANTED 9
#define LEFT_AGAIN 10
#define LOSS_TOLD 11
#define FORGOT 12
#define reached(what) assert((what) != REACH)

#ifdef FENCE_ONLY
#define exclusion(condition) skip
#else
#define exclusion(condition) assert(condition)
#endif

mtype = { Nothing, Acquire, Renew, Leave,      /* scripts */
  Granted, Waiting, Held, Renewed, Gone, Left, /* their answers */
  Idle, Ask, Wait, Hold, Leaving, Dead };      /* states of a process */
#define isRequest(s) (try[s].kind >= Leave && try[s].kind <= Acquire)
#define isAnswer(s) (try[s].kind >= Left && try[s].kind <= Granted)

/* The key of the lock. */
typedef Key {
  unsigned owner : 3;
  unsigned left : 3;         /* PTTL */
  unsigned fence : 4;
};
Key key;
unsigned lastFence : 4;      /* the key :fence */
unsigned micros : 4;         /* the server's clock: grows from grant to grant */

/* The keys :queue and :waiters, by owner. Tickets are 1, 2, ... in order. */
typedef Waiter {
  bool queued;
  unsigned ticket : 3;       /* kept here when it is the waiter who keeps it */
  unsigned alive : 2;        /* until when it counts as alive */
  bool counted;
  unsigned age : 3;          /* of the stamp of its last refresh */
  unsigned place : 3;        /* in which order it came first; for the check */
  bool forgotten;            /* dropped before it was told of its ticket */
};
Waiter waiter[OWNERS + 1];

/* One try of an Exchange: a request until its script ran, then its answer. */
typedef Try {
  unsigned kind : 5;
  bool unheard;              /* the exchange is over */
  unsigned round : 2;        /* with the process, the owner */
  bool enters;               /* the call has a channel */
  bool counted;
  unsigned age : 3;          /* of its stamp, by its process's clock */
  unsigned fence : 4;
};
Try try[N * K];

/* A message on a process's channel, on its way. */
typedef Message {
  bool onItsWay;
  unsigned round : 2;
  unsigned age : 3;
  unsigned fence : 4;
};
Message message[N];

typedef Client {
  unsigned state : 5;
  unsigned round : 2;
  bool acquiring;            /* which exchanges are under way */
  bool renewing;
  bool leaving;
  bool listens;              /* its channel has a listener, for the server */
  bool heard;                /* ... and for the process: WakeUps.heard */
  bool knows;                /* Place.#ticket is known */
  bool missed;               /* a grant's message was lost; for the check */
  unsigned leaseAge : 3;     /* LeaseClock: since the stamp, own clock */
};
Client client[N];

unsigned top : 4;            /* the greatest token that the server gave */
unsigned topHeld : 4;        /* the greatest token that a holder got */
unsigned phase : 3;          /* of the slow clock */
unsigned places : 3;
bool keepOld;                /* which of two messages is lost */
bool forgot;
bool wasSet;
byte h, i, slot, first, next; /* scratch, 0 between the steps */

#ifdef URGENT
#include "redis_progress.pml"
#else
/* For safety, nothing is ever in a hurry: to be slow, to pause, and to lose a
   message are all the same as to let others go first. */
#define mayAct(p) true
#define mayAsk(p) true
#define mayBeat(p) true
#define mayRetry(p) true
#define mayGiveUp(p) true
#define mayStop(p) true
#define mayRelease(p) true
#define mayBreak(p) true
#define mayLose(s) true
#define mayTick true
#define asked(p) skip
#define ticked skip
#define granted(p) skip
#endif

#define trusts(p) (client[p].state == Hold && client[p].leaseAge < TRUSTED)
#define isWaiting(o) (client[processOf(o)].round == roundOf(o) && \
  (client[processOf(o)].state == Ask || client[processOf(o)].state == Wait))
#define hasRoom(p) (try[(p) * K].kind == Nothing || \
  try[(p) * K + K - 1].kind == Nothing)

inline clear(s) {
  try[s].kind = Nothing;
  try[s].unheard = false;
  try[s].round = 0;
  try[s].enters = false;
  try[s].counted = false;
  try[s].age = 0;
  try[s].fence = 0
}

inline loseMessage(p) {
  message[p].onItsWay = false;
  message[p].round = 0;
  message[p].age = 0;
  message[p].fence = 0
}

/* Exchange.#send: the stamp is made before it is sent. */
inline send(p, what, mute) {
  slot = (try[(p) * K].kind == Nothing -> (p) * K : (p) * K + K - 1);
  try[slot].kind = what;
  try[slot].unheard = mute;
  try[slot].round = client[p].round;
  try[slot].enters = (what == Acquire &&
    (client[p].state == Wait || client[p].heard));
  try[slot].counted = (try[slot].enters && client[p].heard);
  slot = 0;
  printf("P%d sends %e for place %d\n", p, what, client[p].round)
}

/* Exchange.#end: what is still under way goes on, and nobody hears of it. */
inline endExchange(p, from, to, request) {
  h = (p) * K;
  do
  :: h < (p) * K + K ->
    if
    :: try[h].unheard -> skip
    :: try[h].kind == request && !try[h].unheard -> try[h].unheard = true
    :: try[h].kind <= from && try[h].kind >= to && !try[h].unheard -> clear(h)
    :: else
    fi;
    h++
  :: else -> break
  od;
  h = 0
}
inline endAcquire(p) {
  client[p].acquiring = false;
  endExchange(p, Granted, Held, Acquire)
}
inline endRenew(p) {
  client[p].renewing = false;
  endExchange(p, Renewed, Gone, Renew)
}
inline endLeave(p) {
  client[p].leaving = false;
  endExchange(p, Left, Left, Leave)
}

inline endPlace(p) {
  endAcquire(p);
  endRenew(p);
  endLeave(p);
  client[p].state = Idle;
  client[p].knows = false;
  client[p].missed = false;
  client[p].leaseAge = 0;
  if
  :: client[p].round == ROUNDS(p) ->
    client[p].heard = false;
    printf("P%d wants nothing more\n", p)
  :: else
  fi
}

/* Place.#accept: the validity of a grant counts from its stamp. */
inline accept(p, stamp, token, isMessage) {
  if
#if defined(VALID_FROM_ANSWER)
  :: true ->
    client[p].leaseAge = 0;
#elif defined(VALID_FROM_MESSAGE)
  :: stamp < TRUSTED || isMessage ->
    client[p].leaseAge = (isMessage -> 0 : stamp);
#else
  :: stamp < TRUSTED ->
    client[p].leaseAge = stamp;
#endif
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
#ifdef FENCES
    exclusion(token > topHeld);
    topHeld = (token > topHeld -> token : topHeld);
#endif
    if
    :: isMessage -> reached(GRANTED_BY_MESSAGE)
    :: !isMessage && client[p].missed -> reached(REFRESH_REPAIRS)
    :: else
    fi;
    client[p].missed = false;
    granted(p)
  :: else ->
    printf("P%d is told of its grant too late\n", p);
    if
    :: isMessage -> reached(OLD_MESSAGE)
    :: else
    fi
  fi
}

inline hear(p, s) {
  printf("P%d hears: %e\n", p, try[s].kind);
  if
  :: try[s].kind == Granted || try[s].kind == Waiting || try[s].kind == Held ->
    if
    :: client[p].state == Leaving && try[s].kind != Held ->
      /* Place.#onAnswer, after the end: nobody wants it any more. */
      reached(LEFT_AGAIN);
      endAcquire(p);
      endLeave(p);
      client[p].leaving = hasRoom(p);
      if
      :: client[p].leaving -> send(p, Leave, false)
      :: else
      fi
    :: client[p].state == Leaving && try[s].kind == Held -> endAcquire(p)
    :: client[p].state == Hold -> endAcquire(p)
    :: (client[p].state == Ask || client[p].state == Wait) &&
      try[s].kind == Granted ->
      accept(p, try[s].age, try[s].fence, false);
      endAcquire(p)
    :: else ->
      client[p].knows = client[p].knows || try[s].kind == Waiting;
      client[p].state = Wait;
      endAcquire(p)
    fi
  :: try[s].kind == Renewed ->
    /* RedisGrant.onRenewed and LeaseClock.renew */
    if
    :: client[p].state == Hold && client[p].leaseAge < TRUSTED &&
      try[s].age < client[p].leaseAge -> client[p].leaseAge = try[s].age
    :: else
    fi;
    endRenew(p)
  :: try[s].kind == Gone ->
    if
    :: client[p].state == Hold ->
      reached(LOSS_TOLD);
      client[p].leaseAge = TTL
    :: else
    fi;
    endRenew(p)
  :: else -> endLeave(p)
  fi
}

/* Who comes first is process 0, and so on: what they are called does not matter,
   unless they differ. */
#if defined(PACE) || defined(ONE_AGAIN)
#define isNext(p) true
#else
#define isNext(p) ((p) == 0 || client[(p) - 1].round > 0)
#endif

proctype Process(byte p) {
  do
  /* FairKeeper.tryTake makes a Place, and with it an owner. */
  :: d_step { client[p].state == Idle && client[p].round < ROUNDS(p) &&
      hasRoom(p) && isNext(p) && mayAct(p) ->
      client[p].round++;
      client[p].state = Ask;
      client[p].acquiring = true;
      send(p, Acquire, false) }
  /* Place.attempt asks again for what came too late; Place.#refresh */
  :: d_step { (client[p].state == Ask || client[p].state == Wait) &&
      !client[p].acquiring && hasRoom(p) && mayAsk(p) ->
      client[p].acquiring = true;
      asked(p);
      send(p, Acquire, false) }
  /* RedisServer.#beat */
  :: d_step { client[p].state == Hold && !client[p].renewing &&
      client[p].leaseAge < TRUSTED && hasRoom(p) && mayBeat(p) ->
      client[p].renewing = true;
      send(p, Renew, false) }
  /* Exchange.#retry: sent again, and the first try still heard. */
  :: d_step { client[p].acquiring && hasRoom(p) && mayRetry(p) ->
      send(p, Acquire, false) }
  :: d_step { client[p].renewing && hasRoom(p) && mayRetry(p) ->
      send(p, Renew, false) }
  :: d_step { client[p].leaving && hasRoom(p) && mayRetry(p) ->
      send(p, Leave, false) }
  /* Exchange.#fail: the time is up. What waits is given up with it. */
  :: d_step { client[p].renewing && mayGiveUp(p) -> endRenew(p) }
  :: d_step { client[p].state == Leaving && mayGiveUp(p) ->
      printf("P%d does not learn whether it has left\n", p);
      endPlace(p) }
  :: d_step { (client[p].state == Ask || client[p].state == Wait) &&
      client[p].acquiring && hasRoom(p) && mayGiveUp(p) ->
      printf("P%d fails\n", p);
      send(p, Leave, true);
      endPlace(p) }
  :: d_step { isAnswer(p * K) && !try[p * K].unheard && mayAct(p) ->
      hear(p, p * K) }
  :: d_step { K > 1 && isAnswer(p * K + K - 1) && !try[p * K + K - 1].unheard &&
      mayAct(p) -> hear(p, p * K + K - 1) }
  /* WakeUps.#onMessage, Place.onMessage */
  :: d_step { message[p].onItsWay && mayAct(p) ->
      printf("P%d hears the message\n", p);
      if
      :: isWaiting(ownerOf(p, message[p].round)) && client[p].heard ->
        accept(p, message[p].age, message[p].fence, true)
      :: else
      fi;
      loseMessage(p) }
  /* WakeUps.#subscribe */
  :: d_step { client[p].state == Wait && !client[p].heard && mayAct(p) ->
      client[p].listens = true;
      client[p].heard = true;
      printf("P%d listens\n", p) }
  /* WakeUps.#onEnd, some time after the connection broke. */
  :: d_step { client[p].heard && !client[p].listens && mayAct(p) ->
      client[p].heard = false }
  /* A wait is ended: Place.wait leaves. */
  :: d_step { client[p].state == Wait && hasRoom(p) && mayStop(p) ->
      printf("P%d gives up\n", p);
      client[p].state = Leaving;
      client[p].leaving = true;
      send(p, Leave, false) }
  /* RedisGrant.release; from here on its holder does not trust it. */
  :: d_step { client[p].state == Hold && client[p].leaseAge < TRUSTED &&
      hasRoom(p) && mayRelease(p) ->
      printf("P%d releases\n", p);
      client[p].state = Leaving;
      client[p].leaving = true;
      send(p, Leave, false) }
  /* Both are over. */
  :: d_step { client[p].state == Leaving && !client[p].leaving &&
      !client[p].acquiring && mayAct(p) -> endPlace(p) }
  /* HeldLease.#examine: lost by the clocks. The holder may then release. */
  :: d_step { client[p].state == Hold && client[p].leaseAge >= TRUSTED &&
      mayAct(p) ->
      printf("P%d knows that it has lost the lock\n", p);
      endPlace(p) }
  :: d_step { client[p].state == Hold && client[p].leaseAge >= TRUSTED &&
      hasRoom(p) && mayAct(p) ->
      printf("P%d knows that it has lost the lock, and releases it\n", p);
      send(p, Leave, true);
      endPlace(p) }
#ifdef URGENT
  :: d_step { mayDie(p) -> die(p) }
  :: d_step { mayPause(p) -> pause(p) }
  :: d_step { mayResume(p) -> resume(p) }
#endif
  od
}

/* scripts.ts: drop */
inline drop(o) {
  waiter[o].queued = false;
  waiter[o].alive = 0;
  waiter[o].counted = false;
  waiter[o].age = 0
}

/* scripts.ts: next_fence and hold. The number of a grant stands for its time in
   us: no two grants of a server are made in the same one. */
inline nextFence() {
#ifdef FENCES
  micros++;
  lastFence = (lastFence < micros -> micros : lastFence + 1);
  assert(lastFence > top);
  top = lastFence
#endif
}
inline hold(o, token) {
  key.owner = o;
  key.left = TTL;
  key.fence = token;
  printf("server: owner %d has the lock, fence %d\n", o, token)
}

/* Who has kept its place in the queue is not overtaken. */
inline give(o) {
  nextFence();
  next = 1;
  do
  :: next <= OWNERS ->
    if
    :: next != o && waiter[next].queued && waiter[next].alive > 0 &&
      waiter[o].place > 0 && waiter[next].place < waiter[o].place ->
#ifdef FIFO
      assert(waiter[next].forgotten)
#else
      skip
#endif
    :: else
    fi;
    next++
  :: else -> break
  od;
  next = 0;
  if
  :: !isWaiting(o) -> reached(GHOST_GRANTED)
  :: else
  fi;
  hold(o, lastFence);
  waiter[o].place = 0
}

/* PUBLISH: how many listened; and which of two messages comes through does not
   matter, unless both do. */
inline publish(o) {
  if
  :: client[processOf(o)].listens ->
    if
    :: client[processOf(o)].round == roundOf(o) ->
      client[processOf(o)].missed = true
    :: else
    fi;
    if
    :: message[processOf(o)].onItsWay && keepOld -> skip
    :: else ->
      message[processOf(o)].onItsWay = true;
      message[processOf(o)].round = roundOf(o);
      message[processOf(o)].age = waiter[o].age;
#ifdef FENCES
      message[processOf(o)].fence = lastFence
#endif
    fi
  :: else
  fi
}

/* scripts.ts: hand_over. The first is popped; dead ones go. */
inline handOver(caller) {
  do
  :: first = 0;
    next = 1;
    do
    :: next <= OWNERS ->
      if
      :: waiter[next].queued && (first == 0 ||
        waiter[next].ticket < waiter[first].ticket) -> first = next
      :: else
      fi;
      next++
    :: else -> break
    od;
    next = 0;
    if
    :: first == NOBODY -> break
#ifdef HEAD_UNCHECKED
    :: first != NOBODY ->
#else
    :: first != NOBODY && waiter[first].alive == 0 ->
      reached(DEAD_SKIPPED);
      printf("server: owner %d is dead, and is skipped\n", first);
      forgets(first);
      drop(first)
    :: first != NOBODY && waiter[first].alive > 0 && first != caller &&
      waiter[first].counted && !client[processOf(first)].listens ->
      reached(UNHEARD_SKIPPED);
      printf("server: nobody listens for owner %d, which is skipped\n", first);
      forgets(first);
#ifdef FENCES
      nextFence(); /* it was taken before the message was sent */
#endif
      drop(first)
    :: else ->
#endif
      give(first);
      if
      :: first != caller -> publish(first)
      :: else
      fi;
      drop(first);
      break
    fi
  od
}
inline forgets(o) {
  waiter[o].forgotten = waiter[o].forgotten || !client[processOf(o)].knows ||
    client[processOf(o)].round != roundOf(o)
}

/* scripts.ts: enqueue. A ticket is greater than all that were given before,
   unless the waiter brings its own. */
inline enqueue(o, s) {
  if
  :: !waiter[o].queued ->
    if
    :: waiter[o].ticket > 0 && client[processOf(o)].knows &&
      client[processOf(o)].round == roundOf(o) ->
      reached(BACK_AT_OLD_TICKET)
    :: else ->
      next = 1;
      do
      :: next <= OWNERS ->
        if
        :: next != o && waiter[o].ticket > 0 &&
          waiter[next].ticket > waiter[o].ticket -> waiter[next].ticket--
        :: else
        fi;
        next++
      :: else -> break
      od;
      waiter[o].ticket = 0;
      first = 0;
      next = 1;
      do
      :: next <= OWNERS ->
        first = (waiter[next].ticket > first -> waiter[next].ticket : first);
        next++
      :: else -> break
      od;
      waiter[o].ticket = first + 1;
      next = 0;
      first = 0
    fi;
#ifdef FIFO
    if
    :: waiter[o].place == 0 -> places++; waiter[o].place = places
    :: else
    fi;
#endif
    waiter[o].queued = true
  :: else
  fi;
  waiter[o].alive = ALIVE;
  waiter[o].counted = try[s].counted;
  waiter[o].age = try[s].age
}

inline anybodyQueued(found) {
  found = 0;
  next = 1;
  do
  :: next <= OWNERS ->
    found = (waiter[next].queued -> 1 : found);
    next++
  :: else -> break
  od;
  next = 0
}

#define owner(s) ownerOf((s) / K, try[s].round)

inline acquire(s) {
  i = owner(s);
  anybodyQueued(first);
  if
  :: key.owner == i ->
    hold(i, key.fence);
    try[s].kind = Granted
  :: key.owner == NOBODY && first == 0 ->
    give(i);
    try[s].kind = Granted
  :: else ->
    first = 0;
    if
    :: try[s].enters -> enqueue(i, s)
    :: else
    fi;
    if
    :: key.owner == NOBODY ->
      handOver(i);
      if
      :: first == NOBODY -> give(i)
      :: else
      fi
    :: else
    fi;
    try[s].kind = (key.owner == i -> Granted :
      (try[s].enters -> Waiting : Held))
  fi;
  if
  :: try[s].kind == Granted -> try[s].fence = key.fence
  :: else -> try[s].age = 0
  fi;
  first = 0;
  i = 0
}

inline renew(s) {
  if
  :: key.owner == owner(s) ->
    key.left = TTL;
    try[s].kind = Renewed
  :: else ->
    try[s].kind = Gone;
    try[s].age = 0
  fi
}

inline freeKey() {
  key.owner = NOBODY;
  key.left = 0;
  key.fence = 0
}

inline leave(s) {
  if
#ifdef RELEASE_UNCHECKED
  :: true ->
#else
  :: key.owner != owner(s) ->
    drop(owner(s));
    if
    :: key.owner != NOBODY && client[s / K].state != Wait -> reached(LATE_RELEASE)
    :: else
    fi
  :: else ->
#endif
    handOver(NOBODY);
    if
    :: first == NOBODY ->
      freeKey();
      printf("server: the lock is free\n")
    :: else
    fi;
    first = 0
  fi;
  try[s].kind = Left
}

inline runScript(s) {
  printf("server: %e of owner %d\n", try[s].kind, owner(s));
  if
  :: try[s].kind == Acquire -> acquire(s)
  :: try[s].kind == Renew -> renew(s)
  :: else -> leave(s)
  fi;
  try[s].enters = false;
  try[s].counted = false;
  if
  :: try[s].unheard -> clear(s)
  :: else
  fi
}

#if N == 2
#define mayCollide (message[0].onItsWay || message[1].onItsWay)
#else
#define mayCollide (message[0].onItsWay || message[1].onItsWay || message[2].onItsWay)
#endif

/* The server, and the network on the way to it and back. */
proctype Server(byte s) {
  do
  :: d_step { isRequest(s) -> runScript(s) }
  /* Of two messages on one channel, the newer is lost. */
  :: d_step { isRequest(s) && try[s].kind != Renew && mayCollide ->
      keepOld = true;
      runScript(s);
      keepOld = false }
  :: d_step { try[s].kind != Nothing && mayLose(s) ->
      printf("lost: %e of P%d\n", try[s].kind, s / K);
      clear(s) }
  od
}

proctype Channel(byte p) {
  do
  :: d_step { message[p].onItsWay && mayLose(p) ->
      printf("lost: the message to P%d\n", p);
      loseMessage(p) }
  :: d_step { client[p].listens && mayBreak(p) ->
      printf("the channel of P%d breaks\n", p);
      client[p].listens = false;
      loseMessage(p) }
  od
}

#define older(age) age = (age < TTL -> age + 1 : TTL)

/* Ages are by the clock of the process that made the stamp, which for process 0
   may be slow; the key's end and a place's by the server's clock. */
proctype Time() {
  do
  :: d_step { mayTick ->
      printf("tick\n");
#ifdef PACE
      phase = (phase + 1) % PACE;
#endif
      if
      :: key.owner != NOBODY ->
        key.left--;
        if
        :: key.left == 0 ->
          printf("server: the lock's key has ended\n");
          reached(KEY_ENDS);
          freeKey()
        :: else
        fi
      :: else
      fi;
      i = 1;
      do
      :: i <= OWNERS ->
        if
        :: waiter[i].queued ->
          waiter[i].alive = (waiter[i].alive > 0 -> waiter[i].alive - 1 : 0);
          if
          :: waiter[i].alive == 0 -> waiter[i].counted = false; waiter[i].age = TTL
          :: else ->
            if
            :: isSlow(processOf(i)) -> skip
            :: else -> older(waiter[i].age)
            fi
          fi
        :: else
        fi;
        i++
      :: else -> break
      od;
      i = 0;
      do
      :: i < N * K ->
        if
        :: isSlow(i / K) -> skip
        :: else ->
          if
          :: try[i].kind == Acquire || (try[i].kind == Renew &&
            !try[i].unheard) || try[i].kind == Granted ||
            try[i].kind == Renewed -> older(try[i].age)
          :: else
          fi
        fi;
        i++
      :: else -> break
      od;
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
          :: message[i].onItsWay -> older(message[i].age)
          :: else
          fi
        fi;
        i++
      :: else -> break
      od;
      i = 0;
      ticked }
#ifdef SERVER_FORGETS
  :: d_step { !forgot && key.owner != NOBODY ->
      forgot = true;
      reached(FORGOT);
      printf("server: all its memory is lost\n");
      freeKey();
      lastFence = 0;
      i = 1;
      do
      :: i <= OWNERS -> drop(i); i++
      :: else -> break
      od;
      i = 0 }
#endif
#ifdef CLOCK_SET_BACK
  :: d_step { !wasSet && micros > 0 ->
      wasSet = true;
      printf("server: its clock is set back\n");
      micros = 0 }
#endif
#ifdef CLOCK_SET_FORWARD
  :: d_step { !wasSet && key.left > 1 ->
      wasSet = true;
      printf("server: its clock is set forward\n");
      key.left = 1 }
#endif
  od
}

init {
  atomic {
    i = 0;
    do
    :: i < N * K -> try[i].kind = Nothing; run Server(i); i++
    :: else -> break
    od;
    i = 0;
    do
    :: i < N ->
      client[i].state = Idle;
      run Process(i);
      run Channel(i);
      i++
    :: else -> break
    od;
    i = 0;
    run Time()
  }
}
