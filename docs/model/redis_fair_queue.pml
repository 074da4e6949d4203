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
#define K 2          /* tries of process 0 that are under way at once; of the
                        others, one */
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

#define SLOTS (N + K - 1)
#define from(p) ((p) == 0 -> 0 : (p) + K - 1)
#define upTo(p) ((p) + K - 1)
#define whose(s) ((s) < K -> 0 : (s) - K + 1)

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
#define LOSS_TOLD 10
#define reached(what) assert((what) != REACH)

#ifdef FENCE_ONLY
#define exclusion(condition) skip
#else
#define exclusion(condition) assert(condition)
#endif

mtype = { Nothing, Acquire, Renew, Leave,      /* scripts */
  Granted, Waiting, Held, Renewed, Gone, Left, /* their answers */
  Idle, Ask, Wait, Hold, Leaving, Dead };      /* states of a process */
#ifdef FENCES        /* tokens only grow: so there is a bound to the grants */
#ifndef GRANTS
#define GRANTS 6
#endif
#define isRequest(s) (isToServer(s) && micros < GRANTS)
#else
#define isRequest(s) isToServer(s)
#endif
#define isToServer(s) (try[s].kind >= Leave && try[s].kind <= Acquire)
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
  unsigned ticket : 3;       /* also while only the waiter knows it */
  unsigned alive : 2;        /* until when it counts as alive */
  bool counted;
  unsigned age : 3;          /* of the stamp of its last refresh */
#ifdef FIFO
  unsigned place : 3;        /* in which order it came first */
  bool forgotten;            /* dropped before it was told of its ticket */
#endif
};
Waiter waiter[OWNERS + 1];

/* One try of an Exchange: a request until its script ran, then its answer. */
typedef Try {
  unsigned kind : 5;
  unsigned round : 2;        /* with the process, the owner */
  bool enters;               /* the call has a channel */
  bool counted;
  unsigned age : 3;          /* of its stamp, by its process's clock */
  unsigned fence : 4;
};
Try try[SLOTS];

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
  bool listens;              /* its channel has a listener, for the server */
  bool heard;                /* ... and for the process: WakeUps.heard */
  bool knows;                /* Place.#ticket is known */
#if REACH == REFRESH_REPAIRS
  bool missed;               /* a grant's message was sent, and not heard */
#endif
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
byte h, i, slot, owned, first, next; /* scratch, 0 between the steps */

#define trusts(p) (client[p].state == Hold && client[p].leaseAge < TRUSTED)
#define isWanting(p) (client[p].state == Ask || client[p].state == Wait)
#define isWaiting(o) (client[processOf(o)].round == roundOf(o) && \
  (client[processOf(o)].state == Ask || client[processOf(o)].state == Wait))
#define hasRoom(p) (try[from(p)].kind == Nothing || \
  try[upTo(p)].kind == Nothing)

#ifdef URGENT
#include "redis_progress.pml"
#else
/* For safety, nothing is ever in a hurry: to be slow, to pause, to die, and to
   lose a message are all the same as to let others go first. */
#define mayAct(p) true
#define mayAsk(p) true
#define mayBeat(p) true
#define mayBreak(p) true
#define mayLose(p) true
#define mayLoseMessage(p) true
#define mayTick true
#define asked(p) skip
#define beaten(p) skip
#define planned(p) skip
#define tooLate(p) skip
#define granted(p) skip
#define unheard(s) clear(s)
#define ticked() skip
#define failed skip
#endif

inline clear(s) {
  try[s].kind = Nothing;
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
inline send(p, what) {
  slot = (try[from(p)].kind == Nothing -> from(p) : upTo(p));
  try[slot].kind = what;
  try[slot].round = client[p].round;
  try[slot].enters = (what == Acquire &&
    (client[p].state == Wait || client[p].heard));
  try[slot].counted = (try[slot].enters && client[p].heard);
  slot = 0;
  printf("P%d sends %e for place %d\n", p, what, client[p].round)
}

/* An answer is heard as long as its place waits for one like it. The code hears
   only those of the exchange under way, which are fewer. */
#define isHeard(s, p) (client[p].round == try[s].round && \
  ((isToAcquire(s) && isWanting(p)) || \
  (isToRenew(s) && client[p].state == Hold) || \
  (try[s].kind == Left && client[p].state == Leaving)))
#define isToAcquire(s) (try[s].kind <= Granted && try[s].kind >= Held)
#define isToRenew(s) (try[s].kind <= Renewed && try[s].kind >= Gone)

/* Tickets are 1, 2, ..., so that there are not ever more of them. */
inline forgetTicket(o, isKept) {
  next = 1;
  do
  :: next <= OWNERS && !(isKept) ->
    if
    :: waiter[o].ticket > 0 && waiter[next].ticket > waiter[o].ticket ->
      waiter[next].ticket--
    :: else
    fi;
    next++
  :: else -> break
  od;
  next = 0;
  waiter[o].ticket = ((isKept) -> waiter[o].ticket : 0)
}

/* What was to be heard and no more is goes. */
inline tidy(p) {
  h = from(p);
  do
  :: h <= upTo(p) ->
    if
    :: isAnswer(h) && !isHeard(h, p) -> clear(h)
    :: else
    fi;
    h++
  :: else -> break
  od;
  h = 0;
  if
  :: message[p].onItsWay && !isWaiting(ownerOf(p, message[p].round)) ->
    loseMessage(p)
  :: else
  fi
}

inline endPlace(p) {
  client[p].state = Idle;
  client[p].leaseAge = 0;
  forgetTicket(me(p), waiter[me(p)].queued);
  client[p].knows = false;
  tidy(p);
  if
  :: client[p].round == ROUNDS(p) ->
    client[p].heard = false;
    client[p].listens = false; /* the process ends */
    printf("P%d wants nothing more\n", p)
  :: else
  fi
}

/* Place.#accept: the validity of a grant counts from its stamp. */
inline accept(p, stamp, token, isMessage) {
  if
#if defined(VALID_FROM_ANSWER)
  :: stamp < TRUSTED || !isMessage ->
    client[p].leaseAge = (isMessage -> stamp : 0);
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
    client[p].state = Hold;
    client[p].knows = false;
    forgetTicket(me(p), waiter[me(p)].queued);
#ifdef FENCES
    exclusion(token > topHeld);
    topHeld = (token > topHeld -> token : topHeld);
#endif
    if
    :: isMessage -> reached(GRANTED_BY_MESSAGE)
#if REACH == REFRESH_REPAIRS
    :: !isMessage && client[p].missed && !message[p].onItsWay ->
      reached(REFRESH_REPAIRS)
#endif
    :: else
    fi;
    tidy(p);
    granted(p)
  :: else ->
    printf("P%d is told of its grant too late\n", p);
    tooLate(p);
    if
    :: isMessage -> reached(OLD_MESSAGE)
    :: else
    fi
  fi
}

inline hear(p, s) {
  printf("P%d hears: %e\n", p, try[s].kind);
  i = s;
  if
  :: try[s].kind == Granted -> accept(p, try[s].age, try[s].fence, false)
  :: try[s].kind == Waiting || try[s].kind == Held ->
    client[p].knows = client[p].knows || try[s].kind == Waiting;
    client[p].state = Wait;
    planned(p)
  :: try[s].kind == Renewed ->
    /* RedisGrant.onRenewed and LeaseClock.renew */
    if
    :: client[p].leaseAge < TRUSTED && try[s].age < client[p].leaseAge ->
      client[p].leaseAge = try[s].age
    :: else
    fi
  :: try[s].kind == Gone ->
    reached(LOSS_TOLD);
    printf("P%d is told of its loss\n", p);
    client[p].leaseAge = TTL
  :: else -> endPlace(p)
  fi;
  clear(i);
  i = 0
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
      asked(p);
      send(p, Acquire) }
  /* Place.#refresh, Place.attempt that asks again for what came too late, and
     Exchange.#retry: all send the same, with a stamp of its own. */
  :: d_step { isWanting(p) && hasRoom(p) && mayAsk(p) ->
      asked(p);
      send(p, Acquire) }
  /* RedisServer.#beat, and Exchange.#retry */
  :: d_step { client[p].state == Hold && client[p].leaseAge < TRUSTED &&
      hasRoom(p) && mayBeat(p) ->
      beaten(p);
      send(p, Renew) }
  :: d_step { isAnswer(from(p)) && mayAct(p) -> hear(p, from(p)) }
  :: d_step { p == 0 && K > 1 && isAnswer(K - 1) && mayAct(p) -> hear(p, K - 1) }
  /* WakeUps.#onMessage, Place.onMessage */
  :: d_step { message[p].onItsWay && mayAct(p) ->
      printf("P%d hears the message\n", p);
      if
      :: client[p].heard && isWaiting(ownerOf(p, message[p].round)) ->
        accept(p, message[p].age, message[p].fence, true)
      :: else
      fi;
      loseMessage(p) }
  /* WakeUps.#subscribe, and WakeUps.#recover */
  :: d_step { client[p].state == Wait && !client[p].heard && mayAct(p) ->
      client[p].listens = true;
      client[p].heard = true;
      tooLate(p);
      printf("P%d listens\n", p) }
#ifdef BREAKS
  /* WakeUps.#onEnd, some time after the connection broke. */
  :: d_step { client[p].heard && !client[p].listens && mayAct(p) ->
      client[p].heard = false }
#endif
#ifdef URGENT
  /* RedisGrant.release, and the end of Place.wait */
  :: d_step { client[p].state == Hold && client[p].leaseAge < TRUSTED &&
      mayRelease(p) ->
      printf("P%d releases\n", p);
      client[p].state = Leaving;
      tidy(p);
      stopped(p) }
  :: d_step { client[p].state == Wait && mayStop(p) ->
      printf("P%d gives up\n", p);
      client[p].state = Leaving;
      tidy(p);
      stopped(p) }
  :: d_step { client[p].state == Leaving && hasRoom(p) && mayAsk(p) ->
      asked(p);
      send(p, Leave) }
  :: d_step { mayKill(p) -> kill(p) }
  :: d_step { mayKill(p) && client[p].listens ->
      faults++;
      printf("the host of P%d is gone\n", p);
      gone(p) }
  :: d_step { mayPause(p) -> pause(p) }
  :: d_step { mayResume(p) -> resume(p) }
#else
  /* RedisGrant.release; from here on its holder does not trust it. Whether the
     process hears that it is done makes no difference to others. */
  :: d_step { client[p].state == Hold && client[p].leaseAge < TRUSTED &&
      hasRoom(p) ->
      printf("P%d releases\n", p);
      send(p, Leave);
      endPlace(p) }
  /* The end of a wait, and of an attempt that fails. */
  :: d_step { isWanting(p) && hasRoom(p) ->
      printf("P%d gives up\n", p);
      send(p, Leave);
      endPlace(p) }
#endif
  /* HeldLease.#examine: lost by the clocks. The holder may then release. */
  :: d_step { client[p].state == Hold && client[p].leaseAge >= TRUSTED &&
      mayAct(p) ->
      printf("P%d knows that it has lost the lock\n", p);
      endPlace(p) }
  :: d_step { client[p].state == Hold && client[p].leaseAge >= TRUSTED &&
      hasRoom(p) && mayAct(p) ->
      printf("P%d knows that it has lost the lock, and releases it\n", p);
      send(p, Leave);
      endPlace(p) }
  od
}

/* scripts.ts: drop */
inline drop(o) {
  forgetTicket(o, client[processOf(o)].knows &&
    client[processOf(o)].round == roundOf(o));
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
#else
  skip
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
#ifdef FIFO
  next = 1;
  do
  :: next <= OWNERS ->
    assert(next == o || !waiter[next].queued || waiter[next].alive == 0 ||
      !isWaiting(next) || waiter[next].forgotten || waiter[o].place == 0 ||
      waiter[next].place > waiter[o].place);
    next++
  :: else -> break
  od;
  next = 0;
  forgets(o);
#endif
  if
  :: !isWaiting(o) -> reached(GHOST_GRANTED)
  :: else
  fi;
  hold(o, lastFence)
}

/* PUBLISH: how many listened; and which of two messages comes through does not
   matter, unless both do. */
inline publish(o) {
  if
  :: client[processOf(o)].listens ->
#if REACH == REFRESH_REPAIRS
    client[processOf(o)].missed = true;
#endif
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
    /* Nobody looks whether it lives, and it has its place until it has had its
       turn. */
    :: first != NOBODY ->
      give(first);
      if
      :: first != caller -> publish(first)
      :: else
      fi;
      if
      :: client[processOf(first)].state == Dead -> skip
      :: else -> drop(first)
      fi;
      break
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
      give(first);
      if
      :: first != caller -> publish(first)
      :: else
      fi;
      drop(first);
      break
#endif
    fi
  od
}
inline forgets(o) {
#ifdef FIFO
  waiter[o].forgotten = waiter[o].forgotten || !client[processOf(o)].knows ||
    client[processOf(o)].round != roundOf(o)
#else
  skip
#endif
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
      forgetTicket(o, false);
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

#define owner(s) ownerOf(whose(s), try[s].round)

inline acquire(s) {
  i = owner(s);
  anybodyQueued(first);
  if
  :: key.owner == i ->
    hold(i, key.fence);
    try[s].kind = Granted
#ifdef BARGING
  /* A free lock goes to whoever asks. */
  :: key.owner == NOBODY ->
    drop(i);
#else
  :: key.owner == NOBODY && first == 0 ->
#endif
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
    :: key.owner != NOBODY && client[whose(s)].state != Wait -> reached(LATE_RELEASE)
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
  owned = owner(s);
  printf("server: %e of owner %d\n", try[s].kind, owner(s));
  if
  :: try[s].kind == Acquire -> acquire(s)
  :: try[s].kind == Renew -> renew(s)
  :: else -> leave(s)
  fi;
  try[s].enters = false;
  try[s].counted = false;
  if
  :: isHeard(s, whose(s)) -> skip
  :: else -> unheard(s)
  fi;
  owned = 0
}

/* Only of two messages on one channel it matters which is lost. */
#define mayCollide(s) (isRequest(s) && try[s].kind != Renew && anyMessage)
#if N == 2
#define anyMessage (message[0].onItsWay || message[1].onItsWay)
#else
#define anyMessage (message[0].onItsWay || message[1].onItsWay || \
  message[2].onItsWay)
#endif

inline lose(s) {
  printf("lost: %e of P%d\n", try[s].kind, whose(s));
  clear(s)
}

/* The server, and the network on the way to it and back. */
proctype Way(byte p) {
  do
  :: d_step { isRequest(from(p)) -> runScript(from(p)) }
  :: d_step { mayCollide(from(p)) ->
      keepOld = true;
      runScript(from(p));
      keepOld = false }
  :: d_step { try[from(p)].kind != Nothing && mayLose(p) ->
      failed;
      lose(from(p)) }
  :: d_step { p == 0 && K > 1 && isRequest(K - 1) -> runScript(K - 1) }
  :: d_step { p == 0 && K > 1 && mayCollide(K - 1) ->
      keepOld = true;
      runScript(K - 1);
      keepOld = false }
  :: d_step { p == 0 && K > 1 && try[K - 1].kind != Nothing && mayLose(p) ->
      failed;
      lose(K - 1) }
  :: d_step { message[p].onItsWay && mayLoseMessage(p) ->
      failed;
      printf("lost: the message to P%d\n", p);
      loseMessage(p) }
#ifdef BREAKS
  :: d_step { client[p].listens && mayBreak(p) ->
      failed;
      printf("the channel of P%d breaks\n", p);
      client[p].listens = false;
      loseMessage(p) }
#endif
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
      :: i < SLOTS ->
        if
        :: isSlow(whose(i)) -> skip
        :: else ->
          if
          :: try[i].kind == Acquire || try[i].kind == Renew || try[i].kind == Granted ||
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
          :: message[i].onItsWay ->
            older(message[i].age);
#ifndef OLD_MESSAGES
            if
            :: message[i].age >= TRUSTED -> /* it tells nobody anything */
              loseMessage(i)
            :: else
            fi
#endif
          :: else
          fi
        fi;
        i++
      :: else -> break
      od;
      i = 0;
      ticked() }
#ifdef SERVER_FORGETS
  :: d_step { !forgot && key.owner != NOBODY ->
      forgot = true;
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
    :: i < SLOTS -> try[i].kind = Nothing; i++
    :: else -> break
    od;
    i = 0;
    do
    :: i < N ->
      client[i].state = Idle;
      run Process(i);
      run Way(i);
      i++
    :: else -> break
    od;
    i = 0;
    run Time()
  }
}
