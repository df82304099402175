/* SPDX-License-Identifier: MIT
 * topics: which forum topic of a group belongs to which project.  Telegram cannot list topics, so the map is durable,
 * and the wish for a topic is recorded (with an outbox row of kind 'topic') before it is made.  Outbox rows name the
 * topic, not the thread: they may be put before the thread exists.  All functions run inside a transaction. */
#ifndef STORE_TOPICS_H
#define STORE_TOPICS_H

#include "base/arena.h"
#include "store/db.h"

struct topic {
    int64_t id;        /* 0 = none: this chat has no topics (a private chat, a plain group, no rights) */
    int64_t thread_id; /* 0 = not made yet */
    const char *name;
};

/* The topic of a project in a chat; wanted and put into the outbox when there is none yet.  Chats that are no groups
 * (chat_id > 0) and other channels than Telegram have none.  priority: of the row that will go there; a topic that is
 * still to be made gets at least that. */
enum status MUST_CHECK topic_for(struct db *, struct arena *, const char *channel, int64_t chat_id, const char *project,
                                 int priority, int64_t now_ms, struct topic *, struct error *);
/* What became of a row of kind 'topic': thread_id > 0: made; waiting rows get it.  0: it cannot be made here (`why`);
 * waiting rows go without, and it is tried again a day later. */
enum status MUST_CHECK topic_made(struct db *, int64_t topic_id, int64_t thread_id, int64_t now_ms, struct error *);
/* Telegram says that the thread is gone: wanted again, ahead of the row that found out. */
enum status MUST_CHECK topic_lost(struct db *, int64_t topic_id, int priority, int64_t now_ms, struct error *);
/* The group renamed it.  Unknown threads are no error. */
enum status MUST_CHECK topic_renamed(struct db *, const char *channel, int64_t chat_id, int64_t thread_id,
                                     const char *name, struct error *);
/* This chat has topics after all (an update says so): what was 'none' may be tried again. */
enum status MUST_CHECK topic_chat_is_forum(struct db *, const char *channel, int64_t chat_id, struct error *);
/* The topic a message came in; *found false: not one of ours. */
enum status MUST_CHECK topic_of_thread(struct db *, struct arena *, const char *channel, int64_t chat_id,
                                       int64_t thread_id, struct topic *, bool *found, struct error *);
/* The group has a new id. */
enum status MUST_CHECK topic_move_chat(struct db *, const char *channel, int64_t from, int64_t to, struct error *);

#endif
