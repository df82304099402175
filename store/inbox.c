/* SPDX-License-Identifier: MIT
 * inbox: the queue of what came in.  Every function runs inside a store_write() of its caller: the committer (put),
 * workers (hold, done, give back) and the scheduler (rescue, prune).  Claims are inbox_claim.c. */
#include "store/inbox_row.h"

#include "base/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PUT_COLUMNS = 5, PUT_ROWS = 32 }; /* of one INSERT: a statement has at most 256 parameters */

#define PUT_HEAD "INSERT INTO inbox (channel, update_key, lane, tap, body, run_at, received_at) VALUES "
#define PUT_TAIL " ON CONFLICT (channel, update_key) DO NOTHING"

static void put_params(struct param *p, const struct inbox_update *u)
{
    p[0] = p_text(u->channel);
    p[1] = p_text(u->update_key);
    p[2] = p_text(u->lane);
    p[3] = p_int(u->tap);
    p[4] = p_text(u->body);
}

/* INSERT … VALUES ($2, $3, $4, $5, $6, $1, $1), ($7, …), …; $1 is the time. */
static char *put_sql(struct arena *a, size_t rows)
{
    static const char tail[] = PUT_TAIL " RETURNING channel, update_key";
    enum { ROW_BYTES_MAX = 48 };
    char *sql = arena_alloc(a, sizeof PUT_HEAD + rows * ROW_BYTES_MAX + sizeof tail);
    size_t n = (size_t)sprintf(sql, "%s", PUT_HEAD);
    for (size_t i = 0; i < rows; i++) {
        int p = (int)(2 + i * PUT_COLUMNS);
        n += (size_t)sprintf(sql + n, "%s($%d,$%d,$%d,$%d,$%d,$1,$1)", i ? "," : "", p, p + 1, p + 2, p + 3, p + 4);
    }
    memcpy(sql + n, tail, sizeof tail);
    return sql;
}

/* Exactly PUT_ROWS, 8 or 1 of them in one statement: three to prepare, whatever the batch. */
static enum status put_rows(struct db *db, const char *sql, const struct inbox_update *u, size_t count, int64_t now_ms,
                            bool *inserted, struct error *e)
{
    struct param p[1 + PUT_ROWS * PUT_COLUMNS] = { p_int(now_ms) };
    for (size_t i = 0; i < count; i++)
        put_params(p + 1 + i * PUT_COLUMNS, &u[i]);
    struct stmt *s = db_query_params(db, sql, p, 1 + count * PUT_COLUMNS);
    size_t i = 0; /* the rows come back in their order: the next one is mostly the one behind the last */
    while (db_step(s)) {
        for (size_t tries = 0; tries < count; tries++, i++) {
            i = i < count ? i : 0;
            if (!inserted[i] && strcmp(u[i].update_key, db_text(s, 1)) == 0 && strcmp(u[i].channel, db_text(s, 0)) == 0)
                break;
        }
        if (i < count)
            inserted[i++] = true;
    }
    return db_done(s, e);
}

enum status inbox_put(struct db *db, const struct inbox_update *u, size_t count, int64_t now_ms, bool *inserted,
                      struct error *e)
{
    static const size_t sizes[] = { PUT_ROWS, 8, 1 };
    struct arena *a = arena_new();
    enum status st = OK;
    memset(inserted, 0, count * sizeof *inserted);
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0] && st == OK; k++) {
        const char *sql = count >= sizes[k] ? put_sql(a, sizes[k]) : NULL;
        for (; count >= sizes[k] && st == OK; count -= sizes[k], u += sizes[k], inserted += sizes[k])
            st = put_rows(db, sql, u, sizes[k], now_ms, inserted, e);
    }
    arena_free(a);
    return st;
}

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
        struct inbox_row *more = arena_alloc(a, ((size_t)*parked_count + 1) * sizeof *more);
        if (*parked_count)
            memcpy(more, *parked, (size_t)*parked_count * sizeof *more);
        more[*parked_count] = row;
        *parked = more;
        *parked_count += 1;
    }
    return db_done(s, e);
}

enum status inbox_rescue(struct db *db, struct arena *a, int64_t now_ms, int64_t *rescued, struct inbox_row **parked,
                         int *parked_count, struct error *e)
{
    enum { OWNERS_MAX = 64 };
    int64_t owner[OWNERS_MAX];
    int owners = 0;
    *rescued = 0;
    *parked = NULL;
    *parked_count = 0;
    struct stmt *s =
        db_query(db, "SELECT DISTINCT owner_id FROM inbox WHERE state = 'running' AND owner_id IS NOT NULL");
    while (db_step(s))
        if (owners < OWNERS_MAX)
            owner[owners++] = db_int(s, 0);
    if (db_done(s, e))
        return e->status;
    for (int i = 0; i < owners; i++) {
        bool alive = true;
        if (store_owner_alive(db, owner[i], &alive, e))
            return e->status;
        if (!alive && rescue_where(db, a, owner[i], now_ms, rescued, parked, parked_count, e))
            return e->status;
    }
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

enum status inbox_prune(struct db *db, int64_t before_ms, struct error *e)
{
    static const char *const sql[] = {
        "DELETE FROM turn_steps WHERE created_at < $1",
        "DELETE FROM inbox WHERE finished_at < $1 AND state = 'done'",
        "DELETE FROM pending WHERE expires_at < $1",
    };
    for (size_t i = 0; i < sizeof sql / sizeof sql[0]; i++)
        if (db_run(db, e, sql[i], p_int(before_ms)))
            return e->status;
    return OK;
}
