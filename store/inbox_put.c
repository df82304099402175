/* SPDX-License-Identifier: MIT
 * inbox_put: a batch of updates becomes rows.  Called by the committer, the poller and the console inside
 * store_write(). What it costs bounds how many updates a second are taken in: SQLite gets a few statements of many
 * rows, PostgreSQL one for the whole batch, since there each statement is a round trip. */
#include "store/inbox.h"

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
    " string_to_array($5, chr(31)), string_to_array($6, chr(31))) AS u(c, k, l, t, b)" PUT_ONCE;

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

static enum status put_lists(struct db *db, const struct inbox_update *u, size_t count, int64_t now_ms, int64_t *stored,
                             struct error *e)
{
    enum status st = OK;
    for (size_t n; count > 0 && st == OK; count -= n, u += n) {
        struct arena *a = arena_new();
        struct param p[1 + ROWS_COLUMNS] = { p_int(now_ms) };
        bool fine = true;
        n = lists_fit(u, count);
        for (int part = 0; part < ROWS_COLUMNS && fine; part++)
            fine = list_make(a, u, n, part, &p[1 + part]);
        st = fine ? put_count(db, lists_sql, p, sizeof p / sizeof p[0], stored, e)
                  : put_rows(db, u, n, now_ms, stored, e);
        arena_free(a);
    }
    return st;
}

enum status inbox_put(struct db *db, const struct inbox_update *u, size_t count, int64_t now_ms, int64_t *stored,
                      struct error *e)
{
    *stored = 0;
    return (db_kind(db) == DB_SQLITE ? put_rows : put_lists)(db, u, count, now_ms, stored, e);
}
