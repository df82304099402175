/* SPDX-License-Identifier: MIT
 * scheduler: what happens by the clock: rescue of claimed rows whose worker died, reminders, pruning of finished rows.
 * One thread, one look a second; every job is a short write transaction that several instances may run side by side. */
#ifndef BOT_SCHEDULER_H
#define BOT_SCHEDULER_H

#include "store/reminders.h"
#include "store/store.h"

struct scheduler;

struct scheduler_options {
    struct store *store;
    const char *zone;              /* default zone of users */
    struct reminder_people people; /* who is reminded; the first is the owner */
    void (*woke)(void *arg);       /* after a commit that made something available in the inbox or the outbox */
    void *arg;
};
/* Since the start. */
struct scheduler_counters {
    int64_t rescued;   /* rows of the inbox and the outbox whose worker or sender had died */
    int64_t parked;    /* messages set aside after too many deaths */
    int64_t reminders; /* fired */
    int64_t errors;    /* jobs that failed; each is tried again at its next turn */
};

/* Runs a first rescue before it returns, so that rows of an earlier process are available at once. */
enum status MUST_CHECK scheduler_start(const struct scheduler_options *, struct scheduler **, struct error *);
/* Any thread. */
void scheduler_count(struct scheduler *, struct scheduler_counters *);
/* Ends the job at hand, joins, frees.  Before store_close().  NULL is fine. */
void scheduler_stop(struct scheduler *);

#endif
