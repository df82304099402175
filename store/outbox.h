/* SPDX-License-Identifier: MIT
 * outbox: what is to be sent, as rows.  A reply is put in the transaction of the turn that made it; sender
 * threads claim the head of each chat's lane, send, and settle.
 *
 * Order inside a chat: what matters more first (the smaller priority), a new topic before what waits for it, then age.
 * One row of a chat is being sent at a time.  A row that waits for its run_at holds back rows of its own importance and
 * of less; a row that waits for its topic holds back nothing.  Rows of kind 'tap' stand outside all this.
 *
 * Payloads (JSON):
 *   message: {"html", "buttons"?: [[{"text","data","style"?}]], "reply_to"?: id, "silent"?: bool, "question"?: bool
 *             (ours), "force_reply"?: bool (only without buttons), "placeholder"?: what its empty field says}
 *   edit:    {"message_id", "html"?, "buttons"?}      (html absent: only the buttons change)
 *   tap:     {"callback_id", "text"?, "alert"?: bool}  answerCallbackQuery: priority 0, outside the lane order
 *   document:{"filename", "caption_html"?, "content"}  a text file (export)
 *   topic:   {"name", "topic": id}                     createForumTopic; put by store/topics.c alone */
#ifndef STORE_OUTBOX_H
#define STORE_OUTBOX_H

#include "base/arena.h"
#include "store/store.h"

/* What goes first in a chat. */
enum {
    OUTBOX_BLOCKING = 0, /* answers to taps, cards that somebody waits for */
    OUTBOX_EDIT = 1,     /* answered cards, results of taps, reminders */
    OUTBOX_REPLY = 2,    /* replies, errors */
    OUTBOX_MILESTONE = 3,
    OUTBOX_HEARTBEAT = 3,          /* in turn with milestones: below them 50 busy agents would never show one */
    OUTBOX_LOW = OUTBOX_MILESTONE, /* from here on a group's reserve is not touched: see SEND_GROUP_LOW_PER_MINUTE */
};

struct outbox_row {
    int64_t id;
    const char *channel;
    int64_t chat_id, thread_id; /* thread 0 = none.  A claimed row with a topic has the topic's thread. */
    int64_t topic_id;           /* 0 = none; else thread_id is not used when the row is put */
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
/* New words for a row that waits; *changed 0: it is being sent or was.  HINT_OUTBOX after the commit. */
enum status MUST_CHECK outbox_replace(struct db *, int64_t id, const char *payload, int priority, int64_t *changed,
                                      struct error *);
/* Take back a row that waits (it is deleted).  *changed 0: it is being sent, was, or may have been (a send got no
 * answer). */
enum status MUST_CHECK outbox_withdraw(struct db *, int64_t id, int64_t *changed, struct error *);
/* The row that makes this topic matters at least this much.  For store/topics.c. */
enum status MUST_CHECK outbox_raise_topic(struct db *, int64_t topic_id, int priority, struct error *);

/* Claim up to max heads of lanes (a lane = channel + chat; rows of kind 'tap' are lanes of their own) whose run_at has
 * come and whose chat is not in a skip list.  Strings are arena-owned.  Relaxed durability is not enough here: the
 * claim is the mark "a send may have begun". */
struct outbox_claim {
    struct arena *arena;
    int64_t owner_id;
    const char *channels; /* ",telegram,": which to serve */
    int max;
    const int64_t *skip_chats; /* chats that pacing holds back */
    int skip_count;
    const int64_t *skip_low_chats; /* … holds back rows of priority OUTBOX_LOW and less */
    int skip_low_count;
    int64_t now_ms; /* out: the database's clock */
    struct outbox_row *rows;
    int count;              /* out */
    int64_t next_run_at_ms; /* out: earliest run_at at the front of the queue, now_ms when a row was found behind it;
                                0 = nothing of these channels is there */
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
