/* SPDX-License-Identifier: MIT
 * db: a statement-level interface to one database connection, with two drivers (SQLite,
 * PostgreSQL).  Queries are written once with $1, $2 …; both databases accept RETURNING, ON
 * CONFLICT and CTEs.  A connection belongs to one thread at a time.
 *
 * Errors are sticky per statement: step through the rows, then db_done() tells whether it went
 * well.  A row's text stays valid until the next db_step() or db_done().
 * Errors are sticky per transaction too, on both databases: after a failed statement every further one
 * fails with the same words until db_savepoint_rollback() or db_rollback(), and db_commit() rolls back.
 * What may fail and be survived belongs in a savepoint (or use ON CONFLICT).
 * A statement that runs longer than DB_STATEMENT_TIMEOUT_MS fails with ST_UNAVAILABLE.
 *
 *     struct stmt *s = db_query(db, "SELECT id, content FROM tasks WHERE user_id = $1", p_int(user));
 *     while (db_step(s))
 *         use(db_int(s, 0), db_text(s, 1));
 *     return db_done(s, error);
 */
#ifndef STORE_DB_H
#define STORE_DB_H

#include "base/status.h"
#include <stddef.h>
#include <stdint.h>

struct db;   /* a connection */
struct stmt; /* a running statement */

enum db_kind { DB_SQLITE, DB_POSTGRES };

enum param_type { PARAM_NULL, PARAM_INT, PARAM_REAL, PARAM_TEXT, PARAM_BLOB };
struct param {
    enum param_type type;
    int64_t integer;
    double real;
    const void *bytes; /* TEXT or BLOB; need not live longer than the call that takes it */
    size_t len;        /* bytes; 0 for a TEXT = up to its NUL */
};
static inline struct param p_int(int64_t v)
{
    return (struct param){ .type = PARAM_INT, .integer = v };
}
static inline struct param p_real(double v) /* infinities and NaN are refused */
{
    return (struct param){ .type = PARAM_REAL, .real = v };
}
static inline struct param p_null(void)
{
    return (struct param){ .type = PARAM_NULL };
}
static inline struct param p_int_or_null(int64_t v) /* 0 is no id and no time: null */
{
    return v ? p_int(v) : p_null();
}
static inline struct param p_text(const char *s) /* NULL gives SQL null */
{
    return (struct param){ .type = PARAM_TEXT, .bytes = s };
}
static inline struct param p_text_len(const char *s, size_t len) /* a NUL byte inside is refused */
{
    return (struct param){ .type = PARAM_TEXT, .bytes = len ? s : "", .len = len };
}
static inline struct param p_blob(const void *b, size_t len)
{
    return (struct param){ .type = PARAM_BLOB, .bytes = b, .len = len };
}
/* Texts must be UTF-8; a text or blob is at most DB_ROW_BYTES_MAX.  Parameter types reach PostgreSQL as
 * int8, float8, text, bytea.  p_text(NULL) is a null of type text; p_null() takes the type its place in
 * the statement gives it (a column in VALUES or SET, the other side of =); where nothing gives one, as in
 * `$3 IS NULL`, write CAST($3 AS BIGINT), which both databases accept. */

/* Run a query: it has run when this returns, so a change needs no db_step().  Never NULL.  Statements may
 * nest (query inside the loop over another's rows), but do not change the table being read: gather first.
 * PostgreSQL holds the whole result in memory: page through large tables by id. */
struct stmt *db_query_params(struct db *, const char *sql, const struct param *, size_t count);
#define db_query(db, sql, ...)                                                                                         \
    db_query_params((db), (sql), (const struct param[]){ { 0 }, ##__VA_ARGS__ } + 1,                                   \
                    sizeof((const struct param[]){ { 0 }, ##__VA_ARGS__ }) / sizeof(struct param) - 1)

bool db_step(struct stmt *); /* true: a row is there */
bool db_is_null(struct stmt *, int column);
int64_t db_int(struct stmt *, int column); /* 0 for null; 1 and 0 for a boolean */
double db_real(struct stmt *, int column);
const char *db_text(struct stmt *, int column); /* "" for null */
const char *db_text_or_null(struct stmt *, int column);
const void *db_blob(struct stmt *, int column, size_t *len);
int db_columns(struct stmt *);
const char *db_column_name(struct stmt *, int column);
int64_t db_changes(struct stmt *); /* rows inserted, updated, deleted; with RETURNING after the last row */
enum status db_done(struct stmt *, struct error *); /* always call; frees */
/* Numbers as text look different in the two databases: format them in C. */

/* One statement whose rows do not matter.  changed may be NULL. */
enum status MUST_CHECK db_run_params(struct db *, int64_t *changed, struct error *, const char *sql,
                                     const struct param *, size_t count);
#define db_run(db, error, sql, ...)                                                                                    \
    db_run_params((db), NULL, (error), (sql), (const struct param[]){ { 0 }, ##__VA_ARGS__ } + 1,                      \
                  sizeof((const struct param[]){ { 0 }, ##__VA_ARGS__ }) / sizeof(struct param) - 1)
#define db_run_changed(db, changed, error, sql, ...)                                                                   \
    db_run_params((db), (changed), (error), (sql), (const struct param[]){ { 0 }, ##__VA_ARGS__ } + 1,                 \
                  sizeof((const struct param[]){ { 0 }, ##__VA_ARGS__ }) / sizeof(struct param) - 1)

/* The same for a statement whose failure may come to light with a later one or at the commit: PostgreSQL sends it along
 * with that, and a round trip is saved.  Not for what a caller looks at the outcome of, nor outside a transaction. */
enum status MUST_CHECK db_run_later_params(struct db *, struct error *, const char *sql, const struct param *,
                                           size_t count);
#define db_run_later(db, error, sql, ...)                                                                              \
    db_run_later_params((db), (error), (sql), (const struct param[]){ { 0 }, ##__VA_ARGS__ } + 1,                      \
                        sizeof((const struct param[]){ { 0 }, ##__VA_ARGS__ }) / sizeof(struct param) - 1)

/* First column of the first row as an integer; *found false when there is no row (value 0). */
enum status MUST_CHECK db_get_int_params(struct db *, int64_t *value, bool *found, struct error *, const char *sql,
                                         const struct param *, size_t count);
#define db_get_int(db, value, found, error, sql, ...)                                                                  \
    db_get_int_params((db), (value), (found), (error), (sql), (const struct param[]){ { 0 }, ##__VA_ARGS__ } + 1,      \
                      sizeof((const struct param[]){ { 0 }, ##__VA_ARGS__ }) / sizeof(struct param) - 1)

/* The same statement for many parameter rows (rows × columns, row-major), inside the current
 * transaction.  SQLite loops; PostgreSQL pipelines them with one round trip.  changed[i] = rows
 * affected by row i (may be NULL).  The first failure fails the whole. */
enum status MUST_CHECK db_run_many(struct db *, const char *sql, const struct param *rows, size_t row_count,
                                   size_t columns, int64_t *changed, struct error *);

/* Several statements separated by ';' without parameters: migrations. */
enum status MUST_CHECK db_script(struct db *, const char *sql, struct error *);

/* Transactions.  A writer's takes the write lock at once on SQLite (BEGIN IMMEDIATE); a reader's is one
 * snapshot from its first query on, and read-only.  db_commit: ST_UNKNOWN when the connection broke
 * meanwhile; any other failure has rolled back. */
enum status MUST_CHECK db_begin(struct db *, struct error *);
enum status MUST_CHECK db_commit(struct db *, struct error *);
void db_rollback(struct db *);
enum status MUST_CHECK db_savepoint(struct db *, struct error *); /* nests */
enum status MUST_CHECK db_savepoint_release(struct db *, struct error *);
void db_savepoint_rollback(struct db *); /* back to and drop the newest */

enum db_kind db_kind(const struct db *);
bool db_alive(struct db *); /* false once the connection was found broken */
/* The text for this database where the two dialects differ. */
static inline const char *db_dialect(const struct db *d, const char *sqlite, const char *postgres)
{
    return db_kind(d) == DB_SQLITE ? sqlite : postgres;
}

#endif
