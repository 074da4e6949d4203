/**
 * The bounds of the hand-over between the processes of one host; times are in
 * milliseconds.
 *
 * @module
 */

/**
 * How long newcomers may overtake the first waiter. After that it is next: the
 * rule of Go's `sync.Mutex` (`starvationThresholdNs`), throughput without
 * starvation.
 */
export const OVERTAKING_MS = 2;

/**
 * How often newcomers may overtake the first waiter at the most, even within
 * that time: so that a fast runtime gets no more turns than a slow one.
 */
export const MOST_OVERTAKING = 16;

/**
 * How long whoever is not next stays away from a lock that has just been
 * freed, so that whoever is next finds it.
 */
export const DEFERENCE_MS = 1;

/**
 * How long a lock that was taken out of turn is kept back from its taker, so
 * that a waiter with the better right can claim it, should there be one.
 */
export const CLAIM_MS = 2;

/**
 * How long those are waited for who were connected to the former holder: by a
 * release, which lets them keep their places, and by whoever finds the lock
 * free although the former holder said that others come first. Together with
 * the deference this is what a waiter that hangs or is stopped costs the rest;
 * a busy machine may keep one that is well from running for some milliseconds.
 */
export const FOLLOWING_MS = 10;

/**
 * How many waiters come to the next holder at once, and are waited for: one of
 * them may be dead.
 */
export const NEXT = 2;

/** For how many deferences somebody who is far back stays away at the most. */
export const MOST_TURNS = 16;

/** After this nobody follows the former holder any more. */
export const FOLLOWED_MS = MOST_TURNS * DEFERENCE_MS + FOLLOWING_MS;

/**
 * How long a release waits for somebody who may be on the way, where a lock was
 * won from a holder that took and freed it too fast to tell who else waits.
 */
export const RETURNING_MS = 2;

/**
 * How long a hand-over waits for those who have connected to say what they
 * want.
 */
export const HEARING_MS = 1;

/**
 * How often in a row a waiter leaves a lock that it has to others who claim to
 * have waited longer. They have so many chances to take it; then they are
 * strangers, who only talk.
 */
export const MOST_CEDED = 16;

/**
 * How long having seen a lock held makes its next taking one out of turn:
 * somebody may be waiting.
 */
export const RECENT_MS = 10;

/**
 * How often a process passes a lock on to its own tasks before it frees it for
 * those it cannot see waiting.
 */
export const MOST_PASSES = 100;

/**
 * How long a process may take and free locks without a turn of its event loop,
 * in which alone it sees that others wait.
 */
export const STARVATION_MS = 1;

/** How long a holder may take to answer who it is. */
export const ANSWER_MS = 1000;

/**
 * How often a socket's lock is tried although its holder will ring: it may have
 * been stopped between freeing the lock and telling those who wait.
 */
export const RUNG_MS = 5000;

/** How often a file's lock is tried while nobody can ring for it. */
export const POLL_MS = 40;

/**
 * How often it is tried all the same while its holder will ring; and any lock
 * while somebody says so who may be a stranger.
 */
export const SLOW_POLL_MS = 1000;
