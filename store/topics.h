/* SPDX-License-Identifier: MIT
 * topics: which forum topic of a group belongs to which project.  Telegram cannot list topics, so the map is durable,
 * and the wish for a topic is recorded (with an outbox row of kind 'topic') before it is made.  Outbox rows name the
 * topic, not the thread: they may be put before the thread exists, and the claim leaves them alone until it does.
 * All functions run inside a transaction.  Called by the turns and requests that put rows, and by the settling of
 * what was sent. */
#ifndef STORE_TOPICS_H
#define STORE_TOPICS_H

#include "base/arena.h"
#include "store/db.h"

enum {
    TOPIC_NAME_UNITS_MAX = 128, /* Telegram: 1–128 characters; UTF-16 units are never fewer */
    TOPIC_LOST_MAX = 3,         /* in an hour: somebody does not want it, so it goes without for a day */
    TOPIC_LOST_WINDOW_MS = 3600 * 1000,
    TOPIC_RETRY_MS = 24 * 3600 * 1000,   /* a chat without topics: look again after this */
    TOPIC_RETRY_FAILED_MS = 3600 * 1000, /* it was Telegram's fault */
};

struct topic {
    int64_t id;                 /* 0 = none: this chat has no topics (a private chat, a plain group, no rights) */
    int64_t thread_id;          /* 0 = not made yet */
    const char *name, *project; /* NULL when there is none; arena-owned */
};

/* The topic of a project in a chat; wanted and put into the outbox when there is none yet.  Chats that are no groups
 * (chat_id > 0) and other channels than Telegram have none.  priority: of the row that will go there; a topic that is
 * still to be made gets at least that.  May insert outbox rows: HINT_OUTBOX after the commit. */
enum status MUST_CHECK topic_for(struct db *, struct arena *, const char *channel, int64_t chat_id, const char *project,
                                 int priority, int64_t now_ms, struct topic *, struct error *);
/* The group renamed it.  Unknown threads are no error. */
enum status MUST_CHECK topic_renamed(struct db *, const char *channel, int64_t chat_id, int64_t thread_id,
                                     const char *name, struct error *);
/* This chat has topics after all (an update says so), or the bot has got the right to make them: what was refused for
 * that reason may be tried again. */
enum status MUST_CHECK topic_chat_is_forum(struct db *, const char *channel, int64_t chat_id, struct error *);
enum status MUST_CHECK topic_chat_rights(struct db *, const char *channel, int64_t chat_id, struct error *);

/* ---- for the settling of what was sent ---- */

/* What became of a row of kind 'topic'.  Made: waiting rows go into it.  *changed 0: nobody waits for it any more (it
 * was made twice: a leak). */
enum status MUST_CHECK topic_made(struct db *, int64_t topic_id, int64_t thread_id, int64_t *changed, struct error *);
/* It cannot be made: waiting rows go without, and so do new ones until it is tried again.  Of NO_FORUM and NO_RIGHTS
 * the whole chat learns. */
enum topic_refusal { TOPIC_POSSIBLE, TOPIC_NO_FORUM, TOPIC_NO_RIGHTS, TOPIC_LOST_OFTEN, TOPIC_FAILED };
enum status MUST_CHECK topic_refused(struct db *, int64_t topic_id, enum topic_refusal, int64_t now_ms, struct error *);
/* Telegram says that the thread is gone: wanted again, ahead of the rows that wait for it; after TOPIC_LOST_MAX times
 * refused.  Nothing when another row has found out before. */
enum status MUST_CHECK topic_lost(struct db *, struct arena *, int64_t topic_id, int64_t thread_id, int priority,
                                  int64_t now_ms, struct error *);
/* The group has a new id. */
enum status MUST_CHECK topic_move_chat(struct db *, const char *channel, int64_t from, int64_t to, struct error *);

#endif
