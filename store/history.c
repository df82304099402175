/* SPDX-License-Identifier: MIT
 * history: rows of `history` and `turn_steps`.  Called by the turn; the text of a person stays in their database
 * and is only ever given to the model of their own conversation. */
#include "store/history.h"

#include <string.h>

enum status history_add(struct db *db, const struct history_key *k, bool from_user, const char *text, int64_t inbox_id,
                        int64_t message_id, int64_t now_ms, struct error *e)
{
    return db_run_later(
        db, e,
        "INSERT INTO history (channel, chat_id, user_id, role, content, inbox_id, message_id, created_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, CAST($7 AS BIGINT), $8)",
        p_text(k->channel), p_int(k->chat_id), p_int(k->user_id), p_text(from_user ? "user" : "assistant"),
        p_text(text), p_int(inbox_id), message_id ? p_int(message_id) : p_null(), p_int(now_ms));
}

enum status history_recent(struct db *db, struct arena *a, const struct history_key *k, int turns_max, size_t bytes_max,
                           struct history_turn **out, int *count, struct error *e)
{
    struct history_turn *t = arena_alloc(a, (size_t)turns_max * sizeof *t);
    int n = 0;
    size_t bytes = 0;
    struct stmt *s = db_query(db,
                              "SELECT role, content FROM history WHERE channel = $1 AND chat_id = $2 AND user_id = $3"
                              " ORDER BY id DESC LIMIT $4",
                              p_text(k->channel), p_int(k->chat_id), p_int(k->user_id), p_int(turns_max));
    bool full = false;
    while (db_step(s)) {
        const char *text = db_text(s, 1);
        bytes += strlen(text);
        full = full || bytes > bytes_max; /* older than the first that does not fit is left out too */
        if (!full && n < turns_max)
            t[n++] = (struct history_turn){ strcmp(db_text(s, 0), "user") == 0, arena_strdup(a, text) };
    }
    while (n > 0 && !t[n - 1].from_user) /* newest first here: drop answers whose question is cut off */
        n--;
    for (int i = 0; i < n / 2; i++) {
        struct history_turn swap = t[i];
        t[i] = t[n - 1 - i];
        t[n - 1 - i] = swap;
    }
    *out = t;
    *count = n;
    return db_done(s, e);
}

static enum status one_text(struct stmt *s, struct arena *a, const char **text, struct error *e)
{
    *text = NULL;
    while (db_step(s))
        *text = arena_strdup(a, db_text(s, 0));
    return db_done(s, e);
}

/* The newest first, in both: what is asked for was said a moment ago, and a chat's history is long. */

enum status history_of_inbox(struct db *db, struct arena *a, const struct history_key *k, int64_t inbox_id,
                             const char **text, struct error *e)
{
    return one_text(db_query(db,
                             "SELECT content FROM history WHERE channel = $1 AND chat_id = $2 AND user_id = $3"
                             " AND inbox_id = $4 AND role = 'user' ORDER BY id DESC LIMIT 1",
                             p_text(k->channel), p_int(k->chat_id), p_int(k->user_id), p_int(inbox_id)),
                    a, text, e);
}

enum status history_of_message(struct db *db, struct arena *a, const struct history_key *k, int64_t message_id,
                               const char **text, struct error *e)
{
    return one_text(db_query(db,
                             "SELECT content FROM history WHERE channel = $1 AND chat_id = $2 AND user_id = $3"
                             " AND message_id = $4 AND role = 'user' ORDER BY id DESC LIMIT 1",
                             p_text(k->channel), p_int(k->chat_id), p_int(k->user_id), p_int(message_id)),
                    a, text, e);
}

enum status history_prune(struct db *db, int64_t before_ms, struct error *e)
{
    /* Ids grow with time: from the oldest to the first that stays, not through all. */
    return db_run(db, e,
                  "DELETE FROM history WHERE id < COALESCE((SELECT h.id FROM history h WHERE h.created_at >= $1"
                  " ORDER BY h.id LIMIT 1), 9223372036854775807)",
                  p_int(before_ms));
}

enum status step_put(struct db *db, int64_t inbox_id, int round, const char *content, int64_t now_ms, struct error *e)
{
    return db_run_later(db, e, "INSERT INTO turn_steps (inbox_id, round, content, created_at) VALUES ($1, $2, $3, $4)",
                        p_int(inbox_id), p_int(round), p_text(content), p_int(now_ms));
}

enum status step_exists(struct db *db, int64_t inbox_id, int round, bool *exists, struct error *e)
{
    int64_t one;
    return db_get_int(db, &one, exists, e, "SELECT 1 FROM turn_steps WHERE inbox_id = $1 AND round = $2",
                      p_int(inbox_id), p_int(round));
}

enum status steps_load(struct db *db, struct arena *a, int64_t inbox_id, const char ***content, int *count,
                       struct error *e)
{
    enum { STEPS_MAX = 16 };
    *content = arena_alloc(a, STEPS_MAX * sizeof **content);
    *count = 0;
    struct stmt *s = db_query(db, "SELECT content FROM turn_steps WHERE inbox_id = $1 ORDER BY round", p_int(inbox_id));
    while (db_step(s))
        if (*count < STEPS_MAX)
            (*content)[(*count)++] = arena_strdup(a, db_text(s, 0));
    return db_done(s, e);
}
