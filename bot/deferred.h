/* SPDX-License-Identifier: MIT
 * deferred: a request that is answered later, when another thread has done its work or when its time is up.
 *
 * The client may leave first.  Therefore the work never touches the request: it owns copies, and calls
 * deferred_finish() exactly once, whatever happens; the loop then answers if somebody still listens, and releases. */
#ifndef BOT_DEFERRED_H
#define BOT_DEFERRED_H

#include "bot/route.h"
#include <stdint.h>

struct deferred;

enum deferred_why {
    DEFERRED_DONE,    /* deferred_finish() was called */
    DEFERRED_TIMEOUT, /* wait_ms has passed */
    DEFERRED_LEFT,    /* the client has hung up: an answer lets the server notice, nobody reads it */
    DEFERRED_DRAIN,   /* the server is stopping */
};

/* All on the loop thread. */
struct deferred_ops {
    void (*answer)(struct request *, enum deferred_why, void *arg); /* must answer; at most once */
    /* No answer will be needed any more: timed out, drained or the client left.  May call deferred_finish().  May be
     * NULL. */
    void (*gone)(void *arg);
    void (*release)(void *arg); /* after deferred_finish(): the last call; frees arg.  May be NULL */
};

enum { DEFERRED_NO_TIMEOUT = 0 };

/* In a handler, instead of an answer.  wait_ms > 0: a held poll: answered after that time (to SERVER_TICK_MS), and at
 * once when the server drains; its client's leaving is noticed within a second.  Otherwise it waits for
 * deferred_finish() and the drain's end alone. */
struct deferred *request_defer(struct request *, const struct deferred_ops *, void *arg, int64_t wait_ms);
void deferred_finish(struct deferred *); /* any thread; exactly once */

#endif
