/* SPDX-License-Identifier: MIT
 * queue_depth: see queue_depth.h.  The conditions repeat those of the partial indexes word for word: SQLite uses such
 * an index only then. */
#include "store/queue_depth.h"

/* What a flood has left (inbox_stage.c): messages all of them. */
static enum status staged_depth(struct db *db, int64_t *posts, int64_t *oldest_ms, struct error *e)
{
    *posts = *oldest_ms = 0;
    /* SQLite reads a page for each row, and need not read them all; PostgreSQL adds them up where they are. */
    struct stmt *s = db_query(db,
                              db_dialect(db, "SELECT posts, received_at FROM inbox_staging ORDER BY id LIMIT $1",
                                         "SELECT CAST(sum(posts) AS BIGINT), min(received_at) FROM"
                                         " (SELECT posts, received_at FROM inbox_staging ORDER BY id LIMIT $1) w"),
                              p_int(QUEUE_DEPTH_MAX));
    while (*posts <= QUEUE_DEPTH_MAX && db_step(s)) {
        int64_t at_ms = db_int(s, 1);
        if (*posts == 0 || at_ms < *oldest_ms)
            *oldest_ms = at_ms;
        *posts += db_int(s, 0);
    }
    return db_done(s, e);
}

enum status inbox_depth(struct db *db, bool tap, int64_t *rows, struct error *e)
{
    int64_t running = 0, staged = 0, oldest_ms;
    if (db_get_int(db, rows, NULL, e,
                   "SELECT count(*) FROM (SELECT 1 FROM inbox WHERE state = 'available' AND tap = $1 LIMIT $2) w",
                   p_int(tap), p_int(QUEUE_DEPTH_MAX + 1)) ||
        db_get_int(db, &running, NULL, e, "SELECT count(*) FROM inbox WHERE state = 'running' AND tap = $1",
                   p_int(tap)) ||
        (!tap && staged_depth(db, &staged, &oldest_ms, e)))
        return e->status;
    *rows += running + staged; /* a staged row holds many */
    if (*rows > QUEUE_DEPTH_MAX)
        *rows = QUEUE_DEPTH_MAX + 1;
    return OK;
}

/* A read that finds no row, or one due later, says 0. */
static void overdue(int64_t now_ms, bool found, int64_t run_at_ms, int64_t *ms)
{
    *ms = found && run_at_ms < now_ms ? now_ms - run_at_ms : 0;
}

enum status inbox_overdue_ms(struct db *db, bool tap, int64_t now_ms, int64_t *ms, struct error *e)
{
    bool found = false;
    int64_t run_at_ms = 0;
    /* SQLite's index goes by id: of a queue longer than the bound this is the most overdue of its older part. */
    enum status st =
        db_get_int(db, &run_at_ms, &found, e,
                   db_dialect(db,
                              "SELECT run_at FROM (SELECT run_at FROM inbox WHERE state = 'available' AND tap = $1"
                              " ORDER BY id LIMIT $2) w ORDER BY run_at LIMIT 1",
                              "SELECT run_at FROM inbox WHERE state = 'available' AND tap = $1"
                              " ORDER BY run_at LIMIT 1"),
                   p_int(tap), p_int(QUEUE_DEPTH_MAX));
    int64_t staged = 0, oldest_ms = 0;
    if (st == OK && !tap)
        st = staged_depth(db, &staged, &oldest_ms, e);
    if (staged > 0 && (!found || oldest_ms < run_at_ms))
        run_at_ms = oldest_ms;
    overdue(now_ms, found || staged > 0, run_at_ms, ms);
    return st;
}

enum status inbox_parked(struct db *db, int64_t *rows, struct error *e)
{
    return db_get_int(db, rows, NULL, e, "SELECT count(*) FROM (SELECT 1 FROM inbox WHERE state = 'parked' LIMIT $1) w",
                      p_int(QUEUE_DEPTH_MAX + 1));
}

enum status outbox_depth(struct db *db, const char *channel, int64_t *rows, struct error *e)
{
    return db_get_int(db, rows, NULL, e,
                      "SELECT count(*) FROM (SELECT 1 FROM outbox WHERE channel = $1"
                      " AND state IN ('available','sending') LIMIT $2) w",
                      p_text(channel), p_int(QUEUE_DEPTH_MAX + 1));
}

/* The index goes by chat: of a queue longer than the bound this is the most overdue of the part that was read. */
enum status outbox_overdue_ms(struct db *db, const char *channel, int64_t now_ms, int64_t *ms, struct error *e)
{
    int64_t run_at_ms = 0;
    enum status st = db_get_int(db, &run_at_ms, NULL, e,
                                "SELECT coalesce(min(run_at), 0) FROM (SELECT run_at FROM outbox WHERE channel = $1"
                                " AND state IN ('available','sending') LIMIT $2) w",
                                p_text(channel), p_int(QUEUE_DEPTH_MAX));
    overdue(now_ms, run_at_ms > 0, run_at_ms, ms);
    return st;
}

enum status requests_open(struct db *db, int64_t *rows, struct error *e)
{
    return db_get_int(db, rows, NULL, e, "SELECT count(*) FROM requests WHERE state = 'open'");
}
