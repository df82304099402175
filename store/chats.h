/* SPDX-License-Identifier: MIT
 * chats: a group that got a new id (Telegram makes a supergroup of it, at the latest when it gets topics).  What is to
 * be sent there, its topics and its cards move along, and the old id is remembered: it may stand in the configuration.
 * Called by the settling of a refused send and by the turn of a service message, inside their transactions. */
#ifndef STORE_CHATS_H
#define STORE_CHATS_H

#include "store/db.h"

/* `from` is `to` from now on.  Again is no error.  Message ids do not move along: cards lose theirs (message_id null,
 * sent_version 0: nothing of them is shown in the new group). */
enum status MUST_CHECK chat_moved(struct db *, const char *channel, int64_t from, int64_t to, struct error *);
/* The id a chat has now: *now_id = chat_id when it never moved.  Moves are followed. */
enum status MUST_CHECK chat_now(struct db *, const char *channel, int64_t chat_id, int64_t *now_id, struct error *);

#endif
