/* SPDX-License-Identifier: MIT
 * chats: see chats.h.  The memory of moves is a row of `settings` each: "chat_moved:telegram:-42" = "-10042". */
#include "store/chats.h"

#include "store/outbox.h"
#include "store/topics.h"
#include <stdio.h>
#include <stdlib.h>

enum { MOVES_MAX = 8 /* followed; a group moves once in its life */, NAME_BYTES = 96 };

static void move_name(char out[NAME_BYTES], const char *channel, int64_t chat_id)
{
    snprintf(out, NAME_BYTES, "chat_moved:%.32s:%lld", channel, (long long)chat_id);
}

static enum status cards_move(struct db *db, const char *channel, int64_t from, int64_t to, struct error *e)
{
    return db_run(db, e,
                  "UPDATE cards SET chat_id = $3, message_id = NULL, ambiguous = 0, sent_version = 0 WHERE channel = "
                  "$1 AND chat_id = "
                  "$2",
                  p_text(channel), p_int(from), p_int(to));
}

enum status chat_moved(struct db *db, const char *channel, int64_t from, int64_t to, struct error *e)
{
    char name[NAME_BYTES], value[32];
    if (from == to || !to)
        return OK;
    move_name(name, channel, from);
    snprintf(value, sizeof value, "%lld", (long long)to);
    enum status s = db_run(db, e,
                           "INSERT INTO settings (name, value) VALUES ($1, $2)"
                           " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                           p_text(name), p_text(value));
    if (s == OK)
        s = topic_move_chat(db, channel, from, to, e);
    if (s == OK)
        s = outbox_move_chat(db, channel, from, to, e);
    return s == OK ? cards_move(db, channel, from, to, e) : s;
}

enum status chat_now(struct db *db, const char *channel, int64_t chat_id, int64_t *now_id, struct error *e)
{
    *now_id = chat_id;
    for (int i = 0; i < MOVES_MAX; i++) {
        char name[NAME_BYTES];
        int64_t to = 0;
        move_name(name, channel, *now_id);
        struct stmt *s = db_query(db, "SELECT value FROM settings WHERE name = $1", p_text(name));
        while (db_step(s))
            to = strtoll(db_text(s, 0), NULL, 10);
        if (db_done(s, e))
            return e->status;
        if (!to || to == chat_id)
            return OK;
        *now_id = to;
    }
    return OK;
}
