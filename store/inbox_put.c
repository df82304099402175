/* SPDX-License-Identifier: MIT
 * inbox_put: a batch of updates becomes rows.  Called by the committer, the poller and the console inside
 * store_write(). What it costs bounds how many updates a second are taken in: SQLite gets a few statements of many
 * rows, PostgreSQL one for the whole batch, since there each statement is a round trip; in a flood inbox_stage.c takes
 * the messages. */
#include "store/inbox_row.h"

#include "base/limits.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define PUT_INTO "INSERT INTO inbox (channel, update_key, lane, tap, body, run_at, received_at) "
#define PUT_ONCE " ON CONFLICT (channel, update_key) DO NOTHING"

static enum status put_count(struct db *db, const char *sql, const struct param *p, size_t count, int64_t *stored,
                             struct error *e)
{
    int64_t rows = 0;
    enum status st = db_run_params(db, &rows, e, sql, p, count);
    *stored += rows;
    return st;
}

/* --- a row of parameters for each update --- */

enum { ROWS_COLUMNS = 5, ROWS_MAX = 32, ROWS_SIZES = 3 };
enum { ROWS_SQL_BYTES = sizeof PUT_INTO + sizeof "VALUES " + ROWS_MAX * 48 + sizeof PUT_ONCE };
static const size_t rows_size[ROWS_SIZES] = { ROWS_MAX, 8, 1 }; /* three statements to prepare, whatever the batch */
static char rows_sql[ROWS_SIZES][ROWS_SQL_BYTES];

/* INSERT … VALUES ($2, $3, $4, $5, $6, $1, $1), ($7, …), …; $1 is the time. */
static void rows_sql_make(void)
{
    for (int k = 0; k < ROWS_SIZES; k++) {
        char *sql = rows_sql[k];
        size_t n = (size_t)sprintf(sql, "%s", PUT_INTO "VALUES ");
        for (size_t i = 0; i < rows_size[k]; i++) {
            int p = (int)(2 + i * ROWS_COLUMNS);
            n += (size_t)sprintf(sql + n, "%s($%d,$%d,$%d,$%d,$%d,$1,$1)", i ? "," : "", p, p + 1, p + 2, p + 3, p + 4);
        }
        memcpy(sql + n, PUT_ONCE, sizeof PUT_ONCE);
    }
}

static enum status put_some(struct db *db, const char *sql, const struct inbox_update *u, size_t count, int64_t now_ms,
                            int64_t *stored, struct error *e)
{
    struct param p[1 + ROWS_MAX * ROWS_COLUMNS] = { p_int(now_ms) };
    for (size_t i = 0; i < count; i++) {
        struct param *row = p + 1 + i * ROWS_COLUMNS;
        row[0] = p_text(u[i].channel);
        row[1] = p_text(u[i].update_key);
        row[2] = p_text(u[i].lane);
        row[3] = p_int(u[i].tap);
        row[4] = p_text(u[i].body);
    }
    return put_count(db, sql, p, 1 + count * ROWS_COLUMNS, stored, e);
}

static enum status put_rows(struct db *db, const struct inbox_update *u, size_t count, int64_t now_ms, int64_t *stored,
                            struct error *e)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    enum status st = OK;
    pthread_once(&once, rows_sql_make);
    if (now_ms == INBOX_NOW)
        st = db_now_ms(db, &now_ms, e);
    for (int k = 0; k < ROWS_SIZES; k++)
        for (size_t n = rows_size[k]; count >= n && st == OK; count -= n, u += n)
            st = put_some(db, rows_sql[k], u, n, now_ms, stored, e);
    return st;
}

/* --- a list in each parameter: PostgreSQL takes it apart faster than it takes many parameters --- */

enum { LISTS_BYTES_MAX = 4 * MIB }; /* of the bodies in one statement */
#define LISTS_SEPARATOR '\x1f'      /* JSON has it nowhere, not even in strings */

static const char lists_sql[] =
    "WITH now AS MATERIALIZED (SELECT CASE WHEN $1 = -1 THEN (extract(epoch FROM clock_timestamp()) * 1000)::bigint"
    " ELSE $1 END AS at) " PUT_INTO "SELECT c, k, l, t::bigint, b, at, at FROM now,"
    " unnest(string_to_array($2, chr(31)), string_to_array($3, chr(31)), string_to_array($4, chr(31)),"
    " string_to_array($5, chr(31)), string_to_array($6, chr(31))) AS u(c, k, l, t, b)"
    " WHERE $7 = 0 OR NOT EXISTS (SELECT 1 FROM inbox_staging)" PUT_ONCE;

static const char *update_part(const struct inbox_update *u, int part)
{
    const char *const parts[] = { u->channel, u->update_key, u->lane, u->tap ? "1" : "0", u->body };
    return parts[part];
}

/* One part of all of them; false: a value is empty or holds the separator. */
static bool list_make(struct arena *a, const struct inbox_update *u, size_t count, int part, struct param *out)
{
    size_t bytes = 0, at = 0;
    for (size_t i = 0; i < count; i++)
        bytes += strlen(update_part(&u[i], part)) + 1;
    char *list = arena_alloc(a, bytes);
    for (size_t i = 0; i < count; i++) {
        const char *text = update_part(&u[i], part);
        size_t len = strlen(text);
        if (len == 0 || memchr(text, LISTS_SEPARATOR, len))
            return false;
        memcpy(list + at, text, len + 1); /* the separator replaces its NUL */
        at += len;
        list[at++] = LISTS_SEPARATOR;
    }
    *out = p_text_len(list, bytes - 1);
    return true;
}

/* How many fit into one statement; at least one. */
static size_t lists_fit(const struct inbox_update *u, size_t count)
{
    size_t n = 0;
    for (size_t bytes = 0; n < count && (n == 0 || bytes < LISTS_BYTES_MAX); n++)
        bytes += strlen(u[n].body);
    return n;
}

/* One statement; false: they must go another way. */
static bool lists_param(struct arena *a, const struct inbox_update *u, size_t count, struct param *p)
{
    bool fine = true;
    for (int part = 0; part < ROWS_COLUMNS && fine; part++)
        fine = list_make(a, u, count, part, &p[part]);
    return fine;
}

static enum status rows_or_stage(struct db *db, const struct inbox_update *u, size_t count, int64_t now_ms,
                                 int64_t *stored, struct error *e)
{
    bool staged;
    if (inbox_staged_any(db, &staged, e))
        return e->status;
    if (!staged)
        return put_rows(db, u, count, now_ms, stored, e);
    *stored += (int64_t)count;
    return inbox_stage_rows(db, u, count, now_ms, e);
}

/* behind: not before what is staged, which the statement itself asks.  When it writes nothing they may be duplicates,
 * or something was staged, and may have been unfolded by another instance since: so they are put once more. */
static enum status put_lists(struct db *db, const struct inbox_update *u, size_t count, int64_t now_ms, bool behind,
                             int64_t *stored, struct error *e)
{
    enum status st = OK;
    for (size_t n; count > 0 && st == OK; count -= n, u += n) {
        struct arena *a = arena_new();
        struct param p[2 + ROWS_COLUMNS] = { p_int(now_ms) };
        int64_t before = *stored;
        p[1 + ROWS_COLUMNS] = p_int(behind);
        n = lists_fit(u, count);
        bool fine = lists_param(a, u, n, p + 1);
        if (fine)
            st = put_count(db, lists_sql, p, sizeof p / sizeof p[0], stored, e);
        if (st == OK && (!fine || (behind && *stored == before)))
            st = (behind ? rows_or_stage : put_rows)(db, u, n, now_ms, stored, e);
        arena_free(a);
    }
    return st;
}

/* --- either --- */

static enum status put_behind(struct db *db, const struct inbox_update *u, size_t count, int64_t now_ms,
                              int64_t *stored, struct error *e)
{
    return db_kind(db) == DB_SQLITE ? rows_or_stage(db, u, count, now_ms, stored, e)
                                    : put_lists(db, u, count, now_ms, true, stored, e);
}

enum status inbox_put_rows(struct db *db, const struct inbox_update *u, size_t count, int64_t now_ms, int64_t *stored,
                           struct error *e)
{
    return db_kind(db) == DB_SQLITE ? put_rows(db, u, count, now_ms, stored, e)
                                    : put_lists(db, u, count, now_ms, false, stored, e);
}

static enum status put_staged(struct db *db, const struct inbox_update *u, size_t count, int64_t now_ms,
                              int64_t *stored, struct error *e)
{
    *stored += (int64_t)count;
    return inbox_stage_rows(db, u, count, now_ms, e);
}

typedef enum status put_fn(struct db *, const struct inbox_update *, size_t, int64_t, int64_t *, struct error *);

/* Messages go by fn; taps and the console's, whose lanes are others, are always rows. */
static enum status put_by_kind(struct db *db, const struct inbox_update *u, size_t count, int64_t now_ms, put_fn *fn,
                               int64_t *stored, struct error *e)
{
    struct inbox_update messages[INTAKE_BATCH_MAX], others[INTAKE_BATCH_MAX];
    enum status st = OK;
    *stored = 0;
    for (size_t n; count > 0 && st == OK; count -= n, u += n) {
        size_t m = 0, o = 0;
        for (n = 0; n < count && n < INTAKE_BATCH_MAX; n++)
            if (inbox_stageable(&u[n]))
                messages[m++] = u[n];
            else
                others[o++] = u[n];
        if (m > 0)
            st = fn(db, messages, m, now_ms, stored, e);
        if (o > 0 && st == OK)
            st = inbox_put_rows(db, others, o, now_ms, stored, e);
    }
    return st;
}

enum status inbox_put(struct db *db, const struct inbox_update *u, size_t count, int64_t now_ms, int64_t *stored,
                      struct error *e)
{
    return put_by_kind(db, u, count, now_ms, put_behind, stored, e);
}

enum status inbox_put_flood(struct db *db, const struct inbox_update *u, size_t count, int64_t now_ms, int64_t *stored,
                            struct error *e)
{
    return put_by_kind(db, u, count, now_ms, put_staged, stored, e);
}
