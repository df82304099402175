/* SPDX-License-Identifier: MIT
 * desk: a few threads that do database work for requests which the loop has put aside.  The queue is bounded: a full
 * one is answered with 503 by the caller. */
#ifndef BOT_DESK_H
#define BOT_DESK_H

#include "base/status.h"

enum {
    DESK_THREADS = 3,       /* short reads and writes; more would only take connections from the turns */
    DESK_QUEUE_MAX = 16384, /* every connection may have one */
};

struct desk;

/* Embedded in what is to be done; run() owns it from then on. */
struct desk_job {
    void (*run)(struct desk_job *);
    struct desk_job *next;
};

enum status MUST_CHECK desk_start(struct desk **, struct error *);
/* Any thread, never blocks.  false: the queue is full, or the desk has stopped. */
bool desk_post(struct desk *, struct desk_job *);
/* What is queued is still run; joins.  No request may be put aside any more. */
void desk_stop(struct desk *); /* NULL is fine */
void desk_free(struct desk *); /* NULL is fine */

#endif
