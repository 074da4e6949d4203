/*
 * What is in a hurry, included by dynamo_observation_lease.pml with -DURGENT:
 * whatever may be done is done before time goes on, except for FAULTS faults.
 * So how long nobody has a lock that somebody waits for has a bound, in ticks.
 * A tick is the longest pause between polls, the heartbeats' interval, and the
 * pace of repeated tries.
 */

#ifndef FAULTS
#define FAULTS 1     /* losses, deaths and pauses, in all */
#endif
#ifndef BOUND
#define BOUND (FAULTS == 0 -> 1 : FAULTS * (TTL + 1))
#endif

unsigned faults : 3;
typedef Urgency {
  unsigned due : 2;  /* 2: to poll or to beat; 1: to claim what was found free */
  bool retry;
  bool paused;
  unsigned idle : 4; /* for how long it has waited, and nobody has taken or held
                        the lock: each waiter observes for itself */
};
Urgency urgency[N];

#define canAct(p) (client[p].state != Dead && !urgency[p].paused)
#define mayFind(p) (client[p].seenOwner == NOBODY || isDead(p))
#define mayAct(p) canAct(p)
#define mayClaim(p) (canAct(p) && urgency[p].due > 0)
#define mayLook(p) (canAct(p) && urgency[p].due == 2 && \
  client[p].seenOwner != NOBODY)
#define mayBeat(p) (canAct(p) && urgency[p].due > 0)
#define mayRetry(p) (canAct(p) && urgency[p].retry)
#define mayGiveUp(p) false
#define mayStop(p) canAct(p)
#define mayRelease(p) canAct(p)
#define hasFault (faults < FAULTS)
#define mayLose(p) hasFault
#define mayDie(p) (hasFault && client[p].state != Dead && client[p].round > 0)
#define mayPause(p) (hasFault && canAct(p) && client[p].round > 0)
#define mayResume(p) urgency[p].paused

#define began(p) urgency[p].due = 2
#define looked(p) urgency[p].due = 1
#define claimed(p) urgency[p].due = 0
#define beaten(p) urgency[p].due = 0
#define retried(p) urgency[p].retry = false
#define lost(s) faults++

inline granted(p) {
  h = 0;
  do
  :: h < N -> urgency[h].idle = 0; h++
  :: else -> break
  od;
  h = 0
}
inline died(p) {
  faults++;
  printf("P%d is killed\n", p);
  endExchange(p);
  client[p].state = Dead;
  urgency[p].paused = false
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

/* So that a lease may be renewed without end, its expiries are numbered anew:
   what stands there becomes 1. Nothing of it is under way, with K = 1, and what
   others saw before becomes 0, which never stands there. */
inline renumber(p, till) {
  slot = till;
  item.expiry = (item.owner == OWNER(p) && item.expiry >= slot ->
    item.expiry - (slot - 1) : item.expiry);
  client[p].last = client[p].last - (slot - 1);
  h = 0;
  do
  :: h < N ->
    if
    :: client[h].seenOwner == OWNER(p) ->
      client[h].seenExpiry = (client[h].seenExpiry < slot -> 0 :
        client[h].seenExpiry - (slot - 1))
    :: else
    fi;
    h++
  :: else -> break
  od;
  h = 0;
  do
  :: h < SLOTS ->
    if
    :: request[h].deadOwner == OWNER(p) && request[h].kind == Claim ->
      request[h].deadExpiry = (request[h].deadExpiry < slot -> 0 :
        request[h].deadExpiry - (slot - 1))
    :: else
    fi;
    if
    :: request[h].answered && request[h].itemOwner == OWNER(p) ->
      request[h].itemExpiry = (request[h].itemExpiry < slot -> 0 :
        request[h].itemExpiry - (slot - 1))
    :: else
    fi;
    h++
  :: else -> break
  od;
  h = 0;
  slot = 0
}

#define waits(p) (canAct(p) && \
  (client[p].state == Want || client[p].state == Extend))
#define isBusy(p) ( \
  (request[from(p)].kind != Nothing && \
    (!request[from(p)].answered || canAct(p))) || \
  (canAct(p) && ((urgency[p].retry && !isIdle(p)) || \
    (client[p].state == Want && isIdle(p) && (urgency[p].due == 2 || \
      (urgency[p].due == 1 && mayFind(p)))) || \
    (client[p].state == Extend && isIdle(p)) || \
    (client[p].state == Hold && (client[p].leaseAge >= TRUSTED || \
      (urgency[p].due > 0 && isIdle(p)))))))
#if N == 2
#define mayTick (!isBusy(0) && !isBusy(1))
#define anybodyHolds (trusts(0) || trusts(1))
#else
#define mayTick (!isBusy(0) && !isBusy(1) && !isBusy(2))
#define anybodyHolds (trusts(0) || trusts(1) || trusts(2))
#endif

inline ticked() {
  i = 0;
  do
  :: i < N ->
    urgency[i].due = (canAct(i) &&
      (client[i].state == Want || client[i].state == Hold) -> 2 : 0);
    urgency[i].retry = canAct(i) && !isIdle(i);
    i++
  :: else -> break
  od;
  i = 0;
  do
  :: i < N ->
    urgency[i].idle = (waits(i) && !anybodyHolds -> urgency[i].idle + 1 : 0);
    assert(urgency[i].idle <= BOUND);
    i++
  :: else -> break
  od;
  i = 0
}
