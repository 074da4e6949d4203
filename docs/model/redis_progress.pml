/*
 * What is in a hurry, included by redis_fair_queue.pml with -DURGENT: whatever
 * may be done is done before time goes on, except for FAULTS faults. So how long
 * nobody has a lock that somebody waits for has a bound, in ticks. A tick is the
 * period of refreshes and of heartbeats, and the pace of repeated tries.
 */

#ifndef FAULTS
#define FAULTS 1     /* losses, deaths, pauses and broken channels, in all */
#endif
#ifndef BOUND
#define BOUND (FAULTS * (TTL + 1))
#endif

unsigned faults : 3;
unsigned idle : 5;   /* for how long somebody has waited, and nobody has held
                        or taken the lock */
typedef Urgency {
  bool due;          /* to ask, to beat or to leave, in this tick */
  bool paused;
};
Urgency urgency[N];

#define canAct(p) (client[p].state != Dead && !urgency[p].paused)
#define mayAct(p) canAct(p)
#define mayAsk(p) (canAct(p) && urgency[p].due && \
  (client[p].state != Wait || client[p].heard))
#define mayBeat(p) (canAct(p) && urgency[p].due)
#define mayRelease(p) canAct(p)
#define mayStop(p) canAct(p)
#define hasFault (faults < FAULTS)
#define mayLoseMessage(p) hasFault
#ifdef ONLY_MESSAGES /* ... are lost, and nothing else happens */
#define mayLose(p) false
#define mayBreak(p) false
#define mayKill(p) false
#define mayPause(p) false
#else
#define mayLose(p) hasFault
#define mayBreak(p) hasFault
#define mayKill(p) (hasFault && client[p].state != Dead && client[p].round > 0)
#define mayPause(p) (hasFault && canAct(p) && client[p].round > 0)
#endif
#define mayResume(p) urgency[p].paused

inline asked(p) { urgency[p].due = false }
inline beaten(p) { urgency[p].due = false }
inline planned(p) { urgency[p].due = false }
inline tooLate(p) { urgency[p].due = true }
inline stopped(p) { urgency[p].due = true }
#define failed faults++
inline unheard(s) { clear(s) }

/* Granted by a message long after the last refresh: RedisGrant.watch. */
inline granted(p) {
  idle = 0;
  urgency[p].due = (client[p].leaseAge * 2 > TTL)
}

/* A killed process closes its channel; of a host that is gone, the server knows
   nothing. */
inline kill(p) {
  faults++;
  printf("P%d is killed\n", p);
  client[p].listens = false;
  gone(p)
}
inline gone(p) {
  client[p].state = Dead;
  urgency[p].due = false;
  urgency[p].paused = false;
  tidy(p);
  loseMessage(p)
}
inline pause(p) {
  faults++;
  printf("P%d is stopped\n", p);
  urgency[p].paused = true
}
inline resume(p) {
  printf("P%d goes on\n", p);
  urgency[p].paused = false
}

#define isBusy(p) ( \
  (try[from(p)].kind != Nothing && (isRequest(from(p)) || canAct(p))) || \
  (canAct(p) && (message[p].onItsWay || \
    (client[p].state == Wait && !client[p].heard) || \
    (client[p].heard && !client[p].listens) || \
    (client[p].state == Hold && client[p].leaseAge >= TRUSTED) || \
    (urgency[p].due && client[p].state != Idle))))
#if N == 2
#define mayTick (!isBusy(0) && !isBusy(1))
#define anybodyHolds (trusts(0) || trusts(1))
#define anybodyWaits (waits(0) || waits(1))
#else
#define mayTick (!isBusy(0) && !isBusy(1) && !isBusy(2))
#define anybodyHolds (trusts(0) || trusts(1) || trusts(2))
#define anybodyWaits (waits(0) || waits(1) || waits(2))
#endif
#define waits(p) (canAct(p) && isWanting(p))

inline ticked() {
  i = 0;
  do
  :: i < N ->
    urgency[i].due = canAct(i) && client[i].state != Idle;
#ifdef NO_REFRESH
    /* A waiter asks once with its channel, and then relies on the message. */
    urgency[i].due = urgency[i].due && !(client[i].state == Wait && client[i].knows);
#endif
    i++
  :: else -> break
  od;
  i = 0;
  if
  :: anybodyWaits && !anybodyHolds ->
    idle++;
    assert(idle <= BOUND)
  :: else -> idle = 0
  fi
}
