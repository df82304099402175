/* SPDX-License-Identifier: MIT
 * remind: the messages of reminders, put into the outbox in the transaction that marks them fired.  No model takes
 * part. Called by the scheduler.
 *
 * After an absence (of the program, or of a person who could not be reminded) what is overdue by more than a day does
 * not come as a message each: those of one chat are listed in one.  What nobody could be told of stays due. */
#ifndef ROUTER_REMIND_H
#define ROUTER_REMIND_H

#include "base/arena.h"
#include "store/reminders.h"

enum { REMIND_BATCH_MAX = 50 };

/* Inside a write transaction.  Fire what is due (at most REMIND_BATCH_MAX; *fired tells how many: call again while it
 * is full).  default_zone is the users' when they have none. */
enum status MUST_CHECK remind_fire(struct db *, struct arena *, const struct reminder_people *,
                                   const char *default_zone, int64_t now_ms, int *fired, struct error *);

#endif
