/* SPDX-License-Identifier: MIT
 * sender: a few threads that take rows from the outbox, hand them to the messenger of their channel, and write down
 * what became of them.  Order inside a chat is kept (the claim sees to it), chats run side by side, the pace is
 * Telegram's.
 *
 * What becomes of a row that was sent:
 *   - sent: the row is marked; a settled result waits for nothing but the database.
 *   - retry (a definite failure): again after min(cap, base·2ⁿ) with full jitter, parked after SEND_ATTEMPTS_MAX.
 *   - rate limit or outage: again after retry_after, kept in the row's run_at, so that a restart obeys it too.  No
 *     attempt is counted, also when Telegram cannot be reached at all: such a row waits as long as it takes.
 *   - refused (blocked, kicked, not a valid message): parked at once.
 *   - denied (the token is refused): nothing is lost, one row a minute tries again, sender_healthy() turns false.
 *   - unknown (the request went out and no answer came): the row's `unknowns` grows and it is sent again after a short
 *     pause; a message then ends with "↻ Sent again: the first attempt got no answer.", so that a possible double
 *     explains itself.  After SEND_UNKNOWN_MAX such sends it is parked.  Edits and answers to taps may be repeated
 *     freely, so for them it is a retry.
 *   - rescued (found in 'sending' after its process died): comes back with unknowns + 1 and is treated the same, except
 *     that a crash is no evidence about Telegram: only SENDER_RESCUES_MAX of them park it.
 *
 * A database outage after a successful send does not lead to a second send: the thread keeps its result and tries to
 * write it until it succeeds or the program is killed, even when the lease has ended meanwhile.
 *
 * A program has one sender per kind of messenger, so that Telegram hanging never holds up the console page.
 *
 * Never: a claimed row that waits behind another send; a network call inside a transaction. */
#ifndef BOT_SENDER_H
#define BOT_SENDER_H

#include "bot/messenger.h"
#include "store/store.h"

enum {
    SENDER_THREADS_CLOUD = 4, /* 30/s at about 100 ms a call keeps 3 busy */
    SENDER_THREADS = 12,      /* at most; a Bot API server of one's own takes what comes */
    SENDER_RESCUES_MAX = 8,   /* unknowns of a row that is not even tried any more: it keeps killing its sender */
    SENDER_DRAIN_MS = 4000,   /* how long a send under way may take after a stop; then it is cut short */
};

struct sender;

struct sender_options {
    struct store *store;
    const struct messengers *messengers; /* whose rows it sends; constant, outlives the sender */
    int threads;                         /* at most SENDER_THREADS */
    const char *name;                    /* of its threads (base/thread.h); static */
};

/* Since the start. */
struct sender_counters {
    int64_t sent, retried, unknown, parked;
    int64_t floods;         /* 429 answers */
    int64_t denied;         /* refused tokens */
    int64_t plain;          /* messages sent without their formatting, which was refused */
    int64_t migrated;       /* groups that got a new id */
    int64_t settle_retries; /* results that had to wait for the database */
    int64_t lost;           /* results of rows that another sender had taken over */
};

/* OK with fewer threads than asked for, if the system gives no more of them. */
enum status MUST_CHECK sender_start(const struct sender_options *, struct sender **, struct error *);
/* Something was put into the outbox (call after the commit).  Any thread, never blocks. */
void sender_wake(struct sender *);
/* Any thread. */
void sender_count(struct sender *, struct sender_counters *);
/* How long calls to the messenger took; lives as long as the sender.  Any thread. */
const struct histogram *sender_times(const struct sender *);
/* Can it do its work?  false: *why (may be NULL) says what is in the way.  Any thread. */
bool sender_healthy(struct sender *, struct error *why);
/* Finish the sends under way (at most SENDER_DRAIN_MS, then they are cut short and marked unknown), claim nothing new,
 * join.  Call before store_close(). */
void sender_stop(struct sender *);
/* Free.  Call after store_close(): until then a hint of the store may still wake it.  NULL is fine. */
void sender_free(struct sender *);

#endif
