/* SPDX-License-Identifier: MIT
 * sender_settle: what became of a claimed row, as database work.  For sender_turnover.c (and settle_decide() for
 * sender.c) alone; what takes a `struct db` runs inside store_write(), on sender threads. */
#ifndef BOT_SENDER_SETTLE_H
#define BOT_SENDER_SETTLE_H

#include "bot/messenger.h"
#include "bot/sender.h"

enum settle_kind {
    SETTLE_NONE,
    SETTLE_SENT,
    SETTLE_RETRY, /* an attempt is counted */
    SETTLE_LATER, /* none is */
    SETTLE_UNKNOWN,
    SETTLE_PARK,
    SETTLE_DELIVER, /* a transactional messenger: deliver and mark as sent */
};

/* One claimed row from claim to settlement. */
struct job {
    struct arena *arena; /* NULL = no row */
    struct outbox_row row;
    const struct messenger *messenger;
    struct send_result result;
    enum settle_kind settle;
    int64_t wait_ms; /* RETRY, LATER, UNKNOWN: from the moment of writing */
    /* out, set by settle_write */
    enum settle_kind settled_as; /* DELIVER may end as RETRY or PARK */
    bool lost;                   /* the row belongs to another sender by now */
    bool of_request;             /* it shows a request of an agent: whoever waits for one should look */
    bool leaked;                 /* a topic was made that nobody waits for */
};

/* Decide how a result is to be written. */
void settle_decide(struct job *);
/* Write it.  ST_LOST is no error here (job->lost). */
enum status MUST_CHECK settle_write(struct db *, struct job *, struct error *);
/* Give back rows that this process holds by a claim whose COMMIT was lost on the way, so that no thread knows of them:
 * all in 'sending' of the owner except those in `keep` (0 = none). */
struct settle_orphans {
    int64_t owner_id, keep[SENDER_THREADS];
    const char *channels;
};
enum status settle_orphans_write(struct db *, void *orphans, struct error *); /* a write_fn */
/* min(cap, base·2^attempts) with full jitter, at least a tenth of it. */
int64_t settle_backoff_ms(int attempts);
const char *settle_name(enum settle_kind); /* for logs */
/* One line for what a person who runs this should know: parked, unknown, refused, rate-limited.  Nothing for the rest.
 */
void settle_log(const struct job *);

#endif
