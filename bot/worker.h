/* SPDX-License-Identifier: MIT
 * worker: threads that claim inbox rows and run their turns.  Messages share WORKERS_DEFAULT threads, chats side by
 * side and each chat in order; taps have a thread of their own, so that a tap never waits behind a model call. */
#ifndef BOT_WORKER_H
#define BOT_WORKER_H

#include "bot/intake.h"
#include "router/turn.h"

struct workers;

struct worker_options {
    struct turn_env env;                                    /* http and cancel are filled in per thread */
    int threads;                                            /* for messages; 0 = WORKERS_DEFAULT */
    void (*settled)(void *arg, const struct turn_report *); /* after a turn's commit: wakes the sender */
    void *settled_arg;
    struct intake *intake; /* whose pressure slows the workers down; NULL = none */
};
/* Since the start. */
struct worker_counters {
    int64_t failed;     /* ended in an apology */
    int64_t given_back; /* to be tried again */
    int64_t lost;       /* another worker had taken the row over */
};

/* How long turns took, by the path that understood them, and the tools inside one turn. */
enum worker_path { WORKER_MODEL, WORKER_PARSER, WORKER_COMMAND, WORKER_TAP, WORKER_OTHER, WORKER_PATHS };
extern const char *const worker_path_name[WORKER_PATHS]; /* "model" … */
struct worker_times {
    struct histogram turn[WORKER_PATHS], tools;
};

enum status MUST_CHECK workers_start(const struct worker_options *, struct workers **, struct error *);
/* Rows came in (a commit of ours, or a hint of another instance).  Any thread, never blocks. */
void workers_wake(struct workers *, bool tap);
/* Any thread. */
void workers_count(struct workers *, struct worker_counters *);
const struct worker_times *workers_times(const struct workers *);
/* Ends model calls under way (their rows are given back) and joins.  NULL is fine, here and below. */
void workers_stop(struct workers *);
/* After store_close(): until then a hint may still wake them. */
void workers_free(struct workers *);

#endif
