/* SPDX-License-Identifier: MIT
 * outbox: what is to be sent, as rows.  A reply is put in the transaction of the turn that made it; sender
 * threads claim the head of each chat's lane, send, and settle.  Order inside a chat is the order of ids.
 *
 * Payloads (JSON):
 *   message: {"html", "buttons"?: [[{"text","data"}]], "reply_to"?: id, "silent"?: bool, "question"?: bool (ours)}
 *   edit:    {"message_id", "html"?, "buttons"?}      (html absent: only the buttons change)
 *   tap:     {"callback_id", "text"?, "alert"?: bool}  answerCallbackQuery: priority 0, outside the lane order
 *   document:{"filename", "caption_html"?, "content"}  a text file (export) */
#ifndef STORE_OUTBOX_H
#define STORE_OUTBOX_H

#include "base/arena.h"
#include "store/store.h"

struct outbox_row {
    int64_t id;
    const char *channel;
    int64_t chat_id, thread_id; /* thread 0 = none */
    const char *kind, *payload;
    int priority;
    const char *dedupe_key; /* NULL = none */
    int64_t inbox_id;       /* 0 = none */
    int attempts, unknowns;
    int64_t token;     /* fencing, set by the claim */
    int64_t run_at_ms; /* 0 = now */
};

/* Insert inside a write; *id = 0 when dedupe_key was there already. */
enum status MUST_CHECK outbox_put(struct db *, const struct outbox_row *, int64_t now_ms, int64_t *id, struct error *);

/* Claim up to max heads of lanes (a lane = channel + chat; rows of kind 'tap' are lanes of their own) whose run_at has
 * come and whose chat is not in the skip list.  Strings are arena-owned.  Relaxed durability is not enough here: the
 * claim is the mark "a send may have begun". */
struct outbox_claim {
    struct arena *arena;
    int64_t owner_id;
    const char *channels; /* ",telegram,": which to serve */
    int max;
    const int64_t *skip_chats; /* chats that pacing holds back */
    int skip_count;
    int64_t now_ms; /* out: the database's clock */
    struct outbox_row *rows;
    int count;              /* out */
    int64_t next_run_at_ms; /* out: earliest run_at of what is waiting; 0 = nothing waits */
};
enum status outbox_claim(struct db *, void *claim, struct error *); /* a write_fn */

/* Settle a claimed row; ST_LOST when the token is stale (a zombie's late write). */
enum status MUST_CHECK outbox_sent(struct db *, const struct outbox_row *, int64_t message_id, int64_t now_ms,
                                   struct error *);
enum status MUST_CHECK outbox_retry(struct db *, const struct outbox_row *, int64_t run_at_ms, const char *why,
                                    struct error *);
enum status MUST_CHECK outbox_unknown(struct db *, const struct outbox_row *, int64_t run_at_ms, const char *why,
                                      struct error *);
enum status MUST_CHECK outbox_park(struct db *, const struct outbox_row *, const char *why, int64_t now_ms,
                                   struct error *);
/* Back to the queue as if it had not been claimed (nothing was sent, no attempt is counted); why may be NULL. */
enum status MUST_CHECK outbox_give_back(struct db *, const struct outbox_row *, int64_t run_at_ms, const char *why,
                                        struct error *);
/* The row was sent, but the lease ended before that could be written and a rescue has put it back: as long as nobody
 * claimed it again, what the sender knows is the truth.  *changed 0: somebody did. */
enum status MUST_CHECK outbox_sent_late(struct db *, const struct outbox_row *, int64_t message_id, int64_t now_ms,
                                        int64_t *changed, struct error *);
/* Claims of ours whose COMMIT got no answer: rows in 'sending' that are not in `keep` (ids in flight) go back
 * untouched. */
enum status MUST_CHECK outbox_give_back_orphans(struct db *, int64_t owner_id, const char *channels,
                                                const int64_t *keep, int keep_count, struct error *);
enum status MUST_CHECK outbox_move_chat(struct db *, const char *channel, int64_t from, int64_t to, struct error *);
/* Rows in 'sending' whose owner is gone or whose lease ended: back to available with unknowns + 1. */
enum status MUST_CHECK outbox_rescue(struct db *, int64_t now_ms, int64_t *rescued, struct error *);
enum status MUST_CHECK outbox_prune(struct db *, int64_t before_ms, struct error *);

#endif
