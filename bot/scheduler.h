/* SPDX-License-Identifier: MIT
 * scheduler: what happens by the clock: rescue of claimed rows whose worker died, reminders, pruning of finished rows.
 * One thread, one look a second; every job is a short write transaction that several instances may run side by side. */
#ifndef BOT_SCHEDULER_H
#define BOT_SCHEDULER_H

#include "store/store.h"

struct scheduler;

struct scheduler_options {
    struct store *store;
    const char *zone;        /* default zone of users */
    void (*woke)(void *arg); /* after a commit that made something available in the inbox or the outbox */
    void *arg;
};
struct scheduler_counters {
    int64_t rescued, parked, reminders, errors;
};

/* Runs a first rescue before it returns, so that rows of an earlier process are available at once. */
enum status MUST_CHECK scheduler_start(const struct scheduler_options *, struct scheduler **, struct error *);
void scheduler_count(struct scheduler *, struct scheduler_counters *);
void scheduler_stop(struct scheduler *);

#endif
