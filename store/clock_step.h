/* SPDX-License-Identifier: MIT
 * clock_step: what the queues do when the database's wall clock steps, forward or backward.  Called by the scheduler
 * inside its store_write(), before it looks for ended leases. */
#ifndef STORE_CLOCK_STEP_H
#define STORE_CLOCK_STEP_H

#include "store/store.h"

/* Two looks at the clock; zeroed = none yet.  The caller keeps it from one committed look to the next. */
struct clock_look {
    int64_t now_ms;  /* db_now_ms() */
    int64_t mono_ms; /* clock_mono_ms() of the same moment */
};

/* Compare with the last look (with none: with the newest message in the database) and, when the clock has stepped by
 * more than CLOCK_STEP_MS, move what was counted by the old one: leases keep their length, and what is to be done again
 * soon is not put off for the length of the step. *now is the look to keep. */
enum status MUST_CHECK clock_follow(struct db *, const struct clock_look *last, struct clock_look *now, struct error *);

#endif
