/* SPDX-License-Identifier: MIT
 * pending: the open question of a chat, as a row.  Called by the turn and by tools that ask; worker
 * threads, inside the turn's transaction.  It never decides what an answer means (router/tap.c does). */
#include "store/pending.h"

enum status pending_put(struct db *db, const struct pending_key *key, const char *kind, const char *payload,
                        int64_t expires_at_ms, struct error *e)
{
    return db_run_later(db, e,
                        "INSERT INTO pending (channel, chat_id, user_id, kind, payload, expires_at)"
                        " VALUES ($1, $2, $3, $4, $5, $6)"
                        " ON CONFLICT (channel, chat_id, user_id) DO UPDATE SET kind = excluded.kind,"
                        " payload = excluded.payload, expires_at = excluded.expires_at",
                        p_text(key->channel), p_int(key->chat_id), p_int(key->user_id), p_text(kind), p_text(payload),
                        p_int(expires_at_ms));
}

enum status pending_get(struct db *db, struct arena *arena, const struct pending_key *key, int64_t now_ms,
                        struct pending *out, bool *found, struct error *e)
{
    struct stmt *s = db_query(db,
                              "SELECT kind, payload, expires_at FROM pending"
                              " WHERE channel = $1 AND chat_id = $2 AND user_id = $3 AND expires_at > $4",
                              p_text(key->channel), p_int(key->chat_id), p_int(key->user_id), p_int(now_ms));
    *found = db_step(s);
    if (*found)
        *out = (struct pending){ .kind = arena_strdup(arena, db_text(s, 0)),
                                 .payload = arena_strdup(arena, db_text(s, 1)),
                                 .expires_at_ms = db_int(s, 2) };
    return db_done(s, e);
}

enum status pending_clear(struct db *db, const struct pending_key *key, struct error *e)
{
    return db_run_later(db, e, "DELETE FROM pending WHERE channel = $1 AND chat_id = $2 AND user_id = $3",
                        p_text(key->channel), p_int(key->chat_id), p_int(key->user_id));
}
