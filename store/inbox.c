/* SPDX-License-Identifier: MIT
 * inbox: the queue of what came in.  Every function runs inside a store_write() of its caller:
 * workers (hold, done, give back) and the scheduler (rescue, prune).  Taking in is inbox_put.c, claiming inbox_claim.c.
 */
#include "store/inbox_row.h"
#include "store/store.h"

#include "base/limits.h"

#include <string.h>

void inbox_row_read(struct stmt *s, struct arena *a, struct inbox_row *row)
{
    row->id = db_int(s, 0);
    row->channel = arena_strdup(a, db_text(s, 1));
    row->update_key = arena_strdup(a, db_text(s, 2));
    row->lane = arena_strdup(a, db_text(s, 3));
    row->body = arena_strdup(a, db_text(s, 4));
    row->tap = db_int(s, 5) != 0;
    row->crashes = (int)db_int(s, 6);
    row->token = db_int(s, 7);
    row->received_at_ms = db_int(s, 8);
}

/* Every settling statement names the token: a worker that lost its lease changes nothing. */
static enum status settled(enum status s, int64_t changed, struct error *e)
{
    if (s == OK && changed == 0)
        return fail(e, ST_LOST, "another worker has taken this message over");
    return s;
}

enum status inbox_done(struct db *db, int64_t id, int64_t token, const char *outcome, int64_t now_ms, struct error *e)
{
    int64_t changed = 0;
    enum status s = db_run_changed(db, &changed, e,
                                   "UPDATE inbox SET state = 'done', outcome = $3, finished_at = $4, owner_id = NULL,"
                                   " lease_until = NULL WHERE id = $1 AND token = $2 AND state = 'running'",
                                   p_int(id), p_int(token), p_text(outcome), p_int(now_ms));
    return settled(s, changed, e);
}

enum status inbox_hold(struct db *db, int64_t id, int64_t token, int64_t lease_until_ms, struct error *e)
{
    int64_t changed = 0;
    enum status s = db_run_changed(
        db, &changed, e, "UPDATE inbox SET lease_until = $3 WHERE id = $1 AND token = $2 AND state = 'running'",
        p_int(id), p_int(token), p_int(lease_until_ms));
    return settled(s, changed, e);
}

enum status inbox_give_back(struct db *db, int64_t id, int64_t token, int64_t run_at_ms, struct error *e)
{
    int64_t changed = 0;
    enum status s =
        db_run_changed(db, &changed, e,
                       "UPDATE inbox SET state = 'available', run_at = $3, token = token + 1, owner_id = NULL,"
                       " lease_until = NULL WHERE id = $1 AND token = $2 AND state = 'running'",
                       p_int(id), p_int(token), p_int(run_at_ms));
    return settled(s, changed, e);
}

enum status inbox_unclaim(struct db *db, int64_t id, int64_t token, int64_t now_ms, struct error *e)
{
    /* An update that looks for the token would not see, and so not wait for, what is not yet committed. */
    if (db_run(db, e,
               db_dialect(db, "SELECT id FROM inbox WHERE id = $1", "SELECT id FROM inbox WHERE id = $1 FOR UPDATE"),
               p_int(id)))
        return e->status;
    return inbox_give_back(db, id, token, now_ms, e);
}

#define POISON "crashes + 1 >= $3"

/* Return one owner's (or every expired) running row to the queue, or park it after its last crash. */
static enum status rescue_where(struct db *db, struct arena *a, int64_t owner_id, int64_t now_ms, int64_t *rescued,
                                struct inbox_row **parked, int *parked_count, struct error *e)
{
    struct stmt *s =
        db_query(db,
                 "UPDATE inbox SET state = CASE WHEN " POISON " THEN 'parked' ELSE 'available' END,"
                 " finished_at = CASE WHEN " POISON " THEN $2 END, outcome = CASE WHEN " POISON " THEN 'parked' END,"
                 " crashes = crashes + 1, token = token + 1, run_at = CASE WHEN " POISON " THEN $4 ELSE $2 END,"
                 " owner_id = NULL, lease_until = NULL WHERE state = 'running' AND (owner_id = $1 OR lease_until < $2) "
                 "RETURNING " INBOX_COLUMNS ", inbox.state",
                 p_int(owner_id), p_int(now_ms), p_int(INBOX_CRASHES_MAX), p_int(now_ms + INBOX_LAST_TRY_MS));
    while (db_step(s)) {
        struct inbox_row row;
        inbox_row_read(s, a, &row);
        *rescued += 1;
        if (strcmp(db_text(s, INBOX_COLUMN_COUNT), "parked") != 0)
            continue;
        *parked = arena_room(a, *parked, (size_t)*parked_count, sizeof row);
        (*parked)[(*parked_count)++] = row;
    }
    return db_done(s, e);
}

enum status inbox_rescue(struct db *db, struct arena *a, int64_t now_ms, int64_t *rescued, struct inbox_row **parked,
                         int *parked_count, struct error *e)
{
    int64_t gone[STORE_OWNERS_MAX];
    int owners;
    *rescued = 0;
    *parked = NULL;
    *parked_count = 0;
    if (store_owners_gone(db, "SELECT DISTINCT owner_id FROM inbox WHERE state = 'running' AND owner_id IS NOT NULL",
                          gone, &owners, e))
        return e->status;
    for (int i = 0; i < owners; i++)
        if (rescue_where(db, a, gone[i], now_ms, rescued, parked, parked_count, e))
            return e->status;
    /* Second net: a worker that lives but is wedged.  No owner has id -1. */
    return rescue_where(db, a, -1, now_ms, rescued, parked, parked_count, e);
}

enum status inbox_last_try(struct db *db, int64_t now_ms, int64_t *retried, struct error *e)
{
    return db_run_changed(db, retried, e,
                          "UPDATE inbox SET state = 'available', outcome = NULL, finished_at = NULL"
                          " WHERE state = 'parked' AND crashes = $2 AND run_at <= $1",
                          p_int(now_ms), p_int(INBOX_CRASHES_MAX));
}

/* Ids grow with time: from the oldest to the first that stays, not through all, which are long. */
static const char prune_steps_sql[] =
    "DELETE FROM turn_steps WHERE inbox_id < COALESCE((SELECT s.inbox_id FROM turn_steps s WHERE s.created_at >= $1"
    " ORDER BY s.inbox_id, s.round LIMIT 1), 9223372036854775807)";

enum status inbox_prune(struct db *db, int64_t before_ms, struct error *e)
{
    static const char *const sql[] = {
        prune_steps_sql,
        "DELETE FROM inbox WHERE finished_at < $1 AND state = 'done'",
        "DELETE FROM pending WHERE expires_at < $1",
    };
    for (size_t i = 0; i < sizeof sql / sizeof sql[0]; i++)
        if (db_run(db, e, sql[i], p_int(before_ms)))
            return e->status;
    return OK;
}
