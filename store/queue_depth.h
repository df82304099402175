/* SPDX-License-Identifier: MIT
 * queue_depth: how much waits in the queues and how long the most overdue has waited.  Each question reads a partial
 * index over unfinished rows, and at most QUEUE_DEPTH_MAX of those: neither finished rows nor a flood make it slow.
 * Inside a read of the caller, or a write. */
#ifndef STORE_QUEUE_DEPTH_H
#define STORE_QUEUE_DEPTH_H

#include "store/db.h"

enum { QUEUE_DEPTH_MAX = 10000 }; /* counted up to this; 10,001 means "more than" */

/* Rows of the inbox that wait or are worked on: messages, or taps. */
enum status MUST_CHECK inbox_depth(struct db *, bool tap, int64_t *rows, struct error *);
/* How long the waiting row that has been due longest is overdue; 0 = none is due. */
enum status MUST_CHECK inbox_overdue_ms(struct db *, bool tap, int64_t now_ms, int64_t *ms, struct error *);
/* Messages set aside because they killed the program again and again. */
enum status MUST_CHECK inbox_parked(struct db *, int64_t *rows, struct error *);
/* The same of one channel's rows in the outbox: waiting or being sent. */
enum status MUST_CHECK outbox_depth(struct db *, const char *channel, int64_t *rows, struct error *);
enum status MUST_CHECK outbox_overdue_ms(struct db *, const char *channel, int64_t now_ms, int64_t *ms, struct error *);
/* Questions of agents that nobody has answered yet: all of them, for by this count the asking side bounds them. */
enum status MUST_CHECK requests_open(struct db *, int64_t *rows, struct error *);

#endif
