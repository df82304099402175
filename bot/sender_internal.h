/* SPDX-License-Identifier: MIT
 * sender_internal: what sender.c (threads: waiting, waking, sending, life) and sender_turnover.c (their database work)
 * share.  For these two alone. */
#ifndef BOT_SENDER_INTERNAL_H
#define BOT_SENDER_INTERNAL_H

#include "bot/pacer.h"
#include "bot/sender.h"
#include "bot/sender_settle.h"
#include <pthread.h>

enum { SENDER_ALARMS_MAX = 64 }; /* own appointments (retry_after); one too many is met by polling */

struct sender_thread {
    struct sender *sender;
    struct http *http;
    pthread_t thread;
    int64_t row_id; /* in flight; 0 = none; under sender->lock */
};

struct sender {
    struct store *store;
    const struct messengers *messengers;
    char channels[256]; /* ",telegram," */
    struct sender_thread thread[SENDER_THREADS];
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t change;
    struct pacer pacer;
    struct sender_counters counters;
    bool poke;     /* there may be work: one thread should look */
    unsigned news; /* grows with every wake from outside */
    bool stopping;
    bool denied;
    bool away; /* the last claim failed */
    int running;
    int64_t look_at_ms;   /* when one thread looks again without a poke; monotonic, as all here */
    int64_t give_up_ms;   /* end of the drain */
    int64_t last_look_ms; /* the last claim that worked */
    int64_t alarm[SENDER_ALARMS_MAX];
    int alarm_count;
    /* A claim whose COMMIT got no answer may have left rows that no thread knows of.  Claims hold `claims` for reading
     * from the transaction to the entry in row_id; the repair holds it for writing. */
    pthread_rwlock_t claims;
    bool orphans; /* under lock */
    struct histogram times;
};

/* --- sender.c: appointments --- */

/* One thread looks at the outbox at this moment at the latest.  The caller holds the lock. */
void sender_look_by(struct sender *, int64_t at_ms);
/* The same, remembered beyond earlier looks: a row comes back then.  The caller holds the lock. */
void sender_alarm(struct sender *, int64_t at_ms);
/* Sleeps, unless the drain ends first. */
void sender_pause(struct sender *, int64_t ms);

/* --- sender_turnover.c: between two sends --- */

/* Writes the result of *job (if there is one; *job is empty afterwards, its arena freed) and claims the next row into
 * *next, both in one transaction.  false: there is none now, or the program is stopping.  A result that the database
 * does not take is insisted on, so this may last as long as an outage; the drain bounds it.  On the thread's own
 * thread, no lock held. */
bool sender_turnover(struct sender_thread *, struct job *job, struct job *next);

#endif
