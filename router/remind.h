/* SPDX-License-Identifier: MIT
 * remind: the message of a reminder, put into the outbox in the transaction that marks it fired.  No model takes part.
 */
#ifndef ROUTER_REMIND_H
#define ROUTER_REMIND_H

#include "base/arena.h"
#include "store/db.h"

enum { REMIND_BATCH_MAX = 50 };

/* Fire what is due (at most REMIND_BATCH_MAX; *fired tells how many: call again while it is full).  default_zone is the
 * users' when they have none. */
enum status MUST_CHECK remind_fire(struct db *, struct arena *, const char *default_zone, int64_t now_ms, int *fired,
                                   struct error *);

#endif
