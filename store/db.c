/* SPDX-License-Identifier: MIT
 * db: what all drivers share: the driver table, statement and transaction state, sticky errors.
 * Called by everything that talks to the database, by the thread that holds the connection.
 * Must never know SQL of one database: that is the drivers' part. */
#include "store/driver.h"
#include "base/arena.h"
#include "base/limits.h"
#include "base/text.h"
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const struct db_driver *const driver_table[] = { &sqlite_driver, &postgres_driver, NULL };

const struct db_driver *db_driver_of(const char *url, struct error *e)
{
    for (int i = 0; driver_table[i]; i++)
        for (int k = 0; driver_table[i]->scheme[k]; k++)
            if (strncmp(url, driver_table[i]->scheme[k], strlen(driver_table[i]->scheme[k])) == 0)
                return db_fault_wrap(driver_table[i]);
    fail(e, ST_INVALID,
         "DATABASE_URL is of no known kind: write sqlite:///absolute/path, sqlite://relative/path or "
         "postgres://user:password@host/database");
    return NULL;
}

enum status db_open(const char *url, bool writer, struct db **out, struct error *e)
{
    *out = NULL;
    struct error local = { 0 };
    const struct db_driver *driver = db_driver_of(url, e ? e : &local);
    if (!driver)
        return ST_INVALID;
    enum status st = driver->open(url, writer, out, e);
    if (st == OK) {
        (*out)->driver = driver;
        (*out)->writer = writer;
        (*out)->timeout_ms = DB_STATEMENT_TIMEOUT_MS;
    }
    return st;
}

void db_close(struct db *db)
{
    if (!db)
        return;
    db_close_statements(db);
    if (db->in_transaction)
        db_rollback(db);
    db->driver->close(db);
}

enum db_kind db_kind(const struct db *db)
{
    return db->driver->kind;
}

bool db_alive(struct db *db)
{
    return !db->broken && db->driver->alive(db);
}

/* --- errors --- */

/* A transaction that saw a failure accepts nothing more: PostgreSQL works that way, and code that was
 * tried on SQLite alone must not find out later. */
static void db_note_failure(struct db *db, const struct error *e)
{
    if (db->in_transaction && db->failure.status == OK)
        db->failure = *e;
}

static enum status db_ready(struct db *db, struct error *e)
{
    if (db->failure.status != OK) {
        *e = db->failure;
        return e->status;
    }
    if (db->broken)
        return fail(e, ST_UNAVAILABLE, "the connection to the database was lost");
    return OK;
}

static enum status param_check(const struct param *p, size_t number, struct error *e)
{
    if (p->type == PARAM_REAL && !isfinite(p->real))
        return fail(e, ST_INVALID, "parameter %zu is not a finite number", number);
    if ((p->type != PARAM_TEXT && p->type != PARAM_BLOB) || !p->bytes)
        return OK;
    size_t bytes = param_bytes(p);
    if (bytes > DB_ROW_BYTES_MAX)
        return fail(e, ST_LIMIT, "a value of %zu bytes is too large to store: at most %d", bytes, DB_ROW_BYTES_MAX);
    if (p->type == PARAM_TEXT && !text_valid(p->bytes, bytes))
        return fail(e, ST_INVALID, "parameter %zu is not UTF-8 text, or holds a NUL byte", number);
    return OK;
}

static enum status params_check(const struct param *params, size_t count, size_t columns, struct error *e)
{
    for (size_t i = 0; i < count; i++)
        if (param_check(&params[i], i % columns + 1, e) != OK)
            return e->status;
    return OK;
}

/* --- statements --- */

static struct stmt *stmt_failed(struct db *db, const struct error *e)
{
    struct stmt *s = xcalloc(1, sizeof *s);
    s->db = db;
    s->inert = true;
    s->status = e->status;
    s->error = *e;
    return s;
}

struct stmt *db_query_params(struct db *db, const char *sql, const struct param *params, size_t count)
{
    struct error e = { 0 };
    struct stmt *s = NULL;
    enum status st = db_ready(db, &e);
    if (st == OK)
        st = params_check(params, count, count, &e);
    if (st == OK)
        st = db->driver->query(db, sql, params, count, &s, &e);
    if (st != OK) {
        db_note_failure(db, &e);
        return stmt_failed(db, &e);
    }
    s->db = db;
    s->older = db->open;
    db->open = s;
    return s;
}

bool db_step(struct stmt *s)
{
    s->row = false;
    if (s->inert || s->status != OK)
        return false;
    s->row = s->db->driver->step(s);
    if (s->status != OK) {
        s->row = false;
        db_note_failure(s->db, &s->error);
    }
    return s->row;
}

/* May column be read?  Asking beyond the last column is a defect that db_done() reports. */
static bool db_has(struct stmt *s, int column)
{
    if (!s->row || s->status != OK)
        return false;
    int columns = s->db->driver->columns(s);
    if (column >= 0 && column < columns)
        return true;
    s->status = fail(&s->error, ST_INTERNAL, "column %d was asked of a row of %d", column, columns);
    db_note_failure(s->db, &s->error);
    return false;
}

bool db_is_null(struct stmt *s, int column)
{
    return !db_has(s, column) || s->db->driver->is_null(s, column);
}

int64_t db_int(struct stmt *s, int column)
{
    return db_is_null(s, column) ? 0 : s->db->driver->get_int(s, column);
}

double db_real(struct stmt *s, int column)
{
    return db_is_null(s, column) ? 0 : s->db->driver->get_real(s, column);
}

const char *db_text_or_null(struct stmt *s, int column)
{
    return db_is_null(s, column) ? NULL : s->db->driver->get_text(s, column);
}

const char *db_text(struct stmt *s, int column)
{
    const char *text = db_text_or_null(s, column);
    return text ? text : "";
}

const void *db_blob(struct stmt *s, int column, size_t *len)
{
    *len = 0;
    return db_is_null(s, column) ? NULL : s->db->driver->get_blob(s, column, len);
}

int db_columns(struct stmt *s)
{
    return s->inert ? 0 : s->db->driver->columns(s);
}

const char *db_column_name(struct stmt *s, int column)
{
    return column < 0 || column >= db_columns(s) ? "" : s->db->driver->column_name(s, column);
}

int64_t db_changes(struct stmt *s)
{
    return s->inert ? 0 : s->db->driver->changes(s);
}

static void db_unlink(struct stmt *s)
{
    struct stmt **at = &s->db->open;
    while (*at && *at != s)
        at = &(*at)->older;
    if (*at)
        *at = s->older;
}

enum status db_done(struct stmt *s, struct error *e)
{
    enum status st = s->status;
    struct error text = s->error;
    if (s->inert) {
        free(s);
    } else {
        struct db *db = s->db;
        struct error late = { 0 };
        db_unlink(s);
        enum status last = db->driver->finish(s, &late);
        if (st == OK && last != OK) {
            st = last;
            text = late;
            db_note_failure(db, &late);
        }
    }
    if (st != OK && e)
        *e = text;
    return st;
}

bool db_close_statements(struct db *db)
{
    bool none = !db->open;
    while (db->open) {
        assert(!db->open->inert); /* what never reached the driver is not linked: its caller alone frees it */
        (void)db_done(db->open, NULL);
    }
    return none;
}

enum status db_run_params(struct db *db, int64_t *changed, struct error *e, const char *sql, const struct param *params,
                          size_t count)
{
    struct stmt *s = db_query_params(db, sql, params, count);
    while (db_step(s))
        ;
    if (changed)
        *changed = db_changes(s);
    return db_done(s, e);
}

enum status db_run_later_params(struct db *db, struct error *e, const char *sql, const struct param *params,
                                size_t count)
{
    struct error text = { 0 };
    if (!db->driver->run_later || !db->in_transaction)
        return db_run_params(db, NULL, e, sql, params, count);
    enum status st = db_ready(db, &text);
    if (st == OK)
        st = params_check(params, count, count, &text);
    if (st == OK)
        st = db->driver->run_later(db, sql, params, count, &text);
    if (st != OK) {
        db_note_failure(db, &text);
        if (e)
            *e = text;
    }
    return st;
}

enum status db_get_int_params(struct db *db, int64_t *value, bool *found, struct error *e, const char *sql,
                              const struct param *params, size_t count)
{
    struct stmt *s = db_query_params(db, sql, params, count);
    bool row = db_step(s);
    *value = row ? db_int(s, 0) : 0;
    if (found)
        *found = row;
    return db_done(s, e);
}

enum status db_run_many(struct db *db, const char *sql, const struct param *rows, size_t row_count, size_t columns,
                        int64_t *changed, struct error *e)
{
    struct error text = { 0 };
    enum status st = db_ready(db, &text);
    if (st == OK && row_count == 0)
        return OK;
    if (st == OK && columns == 0)
        st = fail(&text, ST_INTERNAL, "db_run_many needs at least one parameter per row");
    if (st == OK)
        st = params_check(rows, row_count * columns, columns, &text);
    if (st == OK)
        st = db->driver->run_many(db, sql, rows, row_count, columns, changed, &text);
    if (st != OK) {
        db_note_failure(db, &text);
        if (e)
            *e = text;
    }
    return st;
}

enum status db_script(struct db *db, const char *sql, struct error *e)
{
    struct error text = { 0 };
    enum status st = db_ready(db, &text);
    if (st == OK)
        st = db->driver->script(db, sql, &text);
    if (st != OK) {
        db_note_failure(db, &text);
        if (e)
            *e = text;
    }
    return st;
}

/* --- transactions --- */

static enum status db_begin_as(struct db *db, bool durable, struct error *e)
{
    struct error text = { 0 };
    enum status st = db_ready(db, &text);
    if (st == OK && db->in_transaction)
        st = fail(&text, ST_INTERNAL, "a transaction was begun inside another one");
    if (st == OK)
        st = db->driver->begin(db, durable, &text);
    if (st == OK) {
        db->in_transaction = true;
        db->savepoints = 0;
    } else if (e) {
        *e = text;
    }
    return st;
}

enum status db_begin(struct db *db, struct error *e)
{
    return db_begin_as(db, true, e);
}

enum status db_begin_relaxed(struct db *db, struct error *e)
{
    return db_begin_as(db, false, e);
}

static void db_transaction_over(struct db *db)
{
    db->in_transaction = db->lost = false;
    db->savepoints = 0;
    db->failure = (struct error){ 0 };
}

void db_rollback(struct db *db)
{
    db_close_statements(db);
    if (db->in_transaction && !db->broken && !db->lost) {
        struct error text;
        if (db->driver->rollback(db, &text) != OK)
            db->broken = true; /* in what state is it?  A new connection is in a known one */
    }
    db_transaction_over(db);
}

enum status db_commit(struct db *db, struct error *e)
{
    struct error text = { 0 };
    enum status st;
    if (!db->in_transaction)
        return fail(e, ST_INTERNAL, "a commit outside of a transaction");
    if (!db_close_statements(db) && db->failure.status == OK)
        fail(&db->failure, ST_INTERNAL, "a statement was left open at the commit");
    if (db->failure.status != OK) {
        text = db->failure;
        st = text.status;
        db_rollback(db);
    } else {
        st = db->driver->commit(db, &text);
        if (st == OK)
            db_transaction_over(db);
        else
            db_rollback(db);
    }
    if (st != OK && e)
        *e = text;
    return st;
}

/* verb: "SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK TO SAVEPOINT"; the newest savepoint's name is its depth. */
static enum status db_savepoint_do(struct db *db, const char *verb, struct error *e)
{
    char sql[64];
    snprintf(sql, sizeof sql, "%s s%d", verb, db->savepoints);
    return db_run_params(db, NULL, e, sql, NULL, 0);
}

enum status db_savepoint(struct db *db, struct error *e)
{
    if (!db->in_transaction)
        return fail(e, ST_INTERNAL, "a savepoint outside of a transaction");
    db->savepoints++;
    enum status st = db_savepoint_do(db, "SAVEPOINT", e);
    if (st != OK)
        db->savepoints--;
    return st;
}

enum status db_savepoint_release(struct db *db, struct error *e)
{
    if (db->savepoints == 0)
        return fail(e, ST_INTERNAL, "a savepoint was released that was not set");
    enum status st = db_savepoint_do(db, "RELEASE SAVEPOINT", e);
    if (st == OK)
        db->savepoints--;
    return st;
}

void db_savepoint_rollback(struct db *db)
{
    if (db->savepoints == 0 || db->lost || db->broken)
        return; /* the transaction is gone: db->failure stays, so that nothing runs outside of it */
    if (db->driver->later_drop)
        db->driver->later_drop(db); /* SAVEPOINT took along what had come before it */
    db->failure = (struct error){ 0 };
    if (db_savepoint_do(db, "ROLLBACK TO SAVEPOINT", NULL) == OK &&
        db_savepoint_do(db, "RELEASE SAVEPOINT", NULL) == OK)
        db->savepoints--;
}
