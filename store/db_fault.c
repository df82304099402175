/* SPDX-License-Identifier: MIT
 * db_fault: a driver around a driver, for tests: it asks base/fault.h before each statement and fails the way a
 * database fails.  Reached through db_driver_of() in the program that `make build/steward-faults` links; empty
 * elsewhere. Must never do what its database cannot: SQLite has no other side, so its COMMIT is never in doubt. */
#include "store/driver.h"

#ifdef STEWARD_FAULTS
#include "base/fault.h"
#include <pthread.h>

enum { WRAPPED_MAX = 2 };
static struct db_driver wrapped[WRAPPED_MAX]; /* by kind */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static const struct db_driver *inner(const struct db *db)
{
    return db->driver->kind == DB_SQLITE ? &sqlite_driver : &postgres_driver;
}

static enum status connection_lost(struct db *db, struct error *e)
{
    db->broken = true;
    return fail(e, ST_UNAVAILABLE, "database: the connection was lost (injected)");
}

/* What happens instead of a statement; FAULT_NONE, FAULT_TIMEOUT and FAULT_AFTER let it run first. */
static enum status fail_instead(struct db *db, enum fault_kind kind, struct error *e)
{
    switch (kind) {
    case FAULT_ERROR:
        return fail(e, ST_UNAVAILABLE, "database: the disk is full (injected)");
    case FAULT_BUSY:
        return fail(e, ST_BUSY, "database: deadlock detected (injected)");
    case FAULT_BEFORE:
        return connection_lost(db, e);
    case FAULT_KILL: /* never comes back */
    case FAULT_KILL_AFTER:
    case FAULT_NONE:
    case FAULT_TIMEOUT:
    case FAULT_AFTER:
        return OK;
    }
    return OK;
}

/* What its caller hears of a statement that has run. */
static enum status fail_after(struct db *db, enum fault_kind kind, struct error *e)
{
    if (kind == FAULT_TIMEOUT)
        return fail(e, ST_UNAVAILABLE, "database: canceling statement due to statement timeout (injected)");
    return kind == FAULT_AFTER ? connection_lost(db, e) : OK;
}

static enum status fault_query(struct db *db, const char *sql, const struct param *params, size_t count,
                               struct stmt **out, struct error *e)
{
    enum fault_kind kind = fault_next(FAULT_DATABASE, sql);
    enum status st = fail_instead(db, kind, e);
    if (st == OK)
        st = inner(db)->query(db, sql, params, count, out, e);
    if (st != OK)
        return st;
    st = fail_after(db, kind, e);
    if (st != OK) {
        (*out)->db = db;
        (void)inner(db)->finish(*out, &(struct error){ 0 });
        *out = NULL;
    }
    return st;
}

/* "After" it is kept, which is before it runs. */
static enum status fault_run_later(struct db *db, const char *sql, const struct param *params, size_t count,
                                   struct error *e)
{
    enum fault_kind kind = fault_next(FAULT_DATABASE, sql);
    enum status st = fail_instead(db, kind, e);
    if (st == OK)
        st = inner(db)->run_later(db, sql, params, count, e);
    return st == OK ? fail_after(db, kind, e) : st;
}

static enum status fault_run_many(struct db *db, const char *sql, const struct param *params, size_t rows,
                                  size_t columns, int64_t *changed, struct error *e)
{
    enum fault_kind kind = fault_next(FAULT_DATABASE, sql);
    enum status st = fail_instead(db, kind, e);
    if (st == OK)
        st = inner(db)->run_many(db, sql, params, rows, columns, changed, e);
    return st == OK ? fail_after(db, kind, e) : st;
}

static enum status fault_script(struct db *db, const char *sql, struct error *e)
{
    enum fault_kind kind = fault_next(FAULT_DATABASE, sql);
    enum status st = fail_instead(db, kind, e);
    if (st == OK)
        st = inner(db)->script(db, sql, e);
    return st == OK ? fail_after(db, kind, e) : st;
}

static enum status fault_begin(struct db *db, bool durable, struct error *e)
{
    enum fault_kind kind = fault_next(FAULT_DATABASE, durable ? "BEGIN" : "BEGIN (relaxed)");
    enum status st = fail_instead(db, kind, e);
    if (st == OK)
        st = inner(db)->begin(db, durable, e);
    if (st != OK || kind == FAULT_NONE)
        return st;
    if (kind == FAULT_TIMEOUT) /* it was not begun */
        (void)inner(db)->rollback(db, &(struct error){ 0 });
    return fail_after(db, kind, e);
}

/* A server whose connection broke at the COMMIT may have heard it or not. */
static enum status commit_of_server(struct db *db, enum fault_kind kind, struct error *e)
{
    if (kind == FAULT_TIMEOUT || kind == FAULT_AFTER) {
        enum status st = inner(db)->commit(db, e);
        if (st != OK)
            return st;
    }
    db->broken = true;
    return fail(e, ST_UNKNOWN, "database: the connection broke while the commit was under way (injected)");
}

static enum status fault_commit(struct db *db, struct error *e)
{
    enum fault_kind kind = fault_next(FAULT_DATABASE, "COMMIT");
    bool definite = kind == FAULT_ERROR || kind == FAULT_BUSY;
    if (kind == FAULT_NONE)
        return inner(db)->commit(db, e);
    if (definite)
        return fail_instead(db, kind, e);
    if (db->driver->kind == DB_POSTGRES)
        return commit_of_server(db, kind, e);
    return kind == FAULT_TIMEOUT ? fail_after(db, kind, e) : connection_lost(db, e);
}

/* What is a statement on a server, and none on SQLite. */
static enum fault_kind next_of_server(const struct db *db, const char *what)
{
    return db->driver->kind == DB_SQLITE ? FAULT_NONE : fault_next(FAULT_DATABASE, what);
}

static enum status fault_now_ms(struct db *db, int64_t *now_ms, struct error *e)
{
    enum fault_kind kind = next_of_server(db, "the clock");
    enum status st = fail_instead(db, kind, e);
    if (st == OK)
        st = inner(db)->now_ms(db, now_ms, e);
    return st == OK ? fail_after(db, kind, e) : st;
}

static enum status fault_set_timeout(struct db *db, int64_t timeout_ms, struct error *e)
{
    enum fault_kind kind = next_of_server(db, "the statements' timeout");
    enum status st = fail_instead(db, kind, e);
    if (st == OK)
        st = inner(db)->set_timeout(db, timeout_ms, e);
    return st == OK ? fail_after(db, kind, e) : st;
}

static enum status fault_owner_alive(struct db *db, int64_t owner_id, bool *alive, struct error *e)
{
    enum fault_kind kind = next_of_server(db, "does the owner live");
    enum status st = fail_instead(db, kind, e);
    if (st == OK)
        st = inner(db)->owner_alive(db, owner_id, alive, e);
    return st == OK ? fail_after(db, kind, e) : st;
}

static enum status fault_hear(struct db *db, int64_t owner_id, const char *const *channels, struct error *e)
{
    enum fault_kind kind = fault_next(FAULT_DATABASE, "LISTEN");
    enum status st = fail_instead(db, kind, e);
    if (st == OK)
        st = inner(db)->hear(db, owner_id, channels, e);
    return st == OK ? fail_after(db, kind, e) : st;
}

/* A connection that cannot be had is always a definite failure: nothing was asked yet. */
static enum status open_of(const struct db_driver *driver, const char *url, bool writer, struct db **out,
                           struct error *e)
{
    if (fault_next(FAULT_DATABASE, "connecting") != FAULT_NONE)
        return fail(e, ST_UNAVAILABLE, "database: no connection is to be had (injected)");
    return driver->open(url, writer, out, e);
}

static enum status fault_open_sqlite(const char *url, bool writer, struct db **out, struct error *e)
{
    return open_of(&sqlite_driver, url, writer, out, e);
}

static enum status fault_open_postgres(const char *url, bool writer, struct db **out, struct error *e)
{
    return open_of(&postgres_driver, url, writer, out, e);
}

static void wrap_all(void)
{
    static const struct db_driver *const all[WRAPPED_MAX] = { &sqlite_driver, &postgres_driver };
    for (int i = 0; i < WRAPPED_MAX; i++) {
        struct db_driver *d = &wrapped[all[i]->kind];
        *d = *all[i];
        d->query = fault_query;
        d->run_many = fault_run_many;
        d->run_later = d->run_later ? fault_run_later : NULL;
        d->script = fault_script;
        d->begin = fault_begin;
        d->commit = fault_commit;
        d->now_ms = fault_now_ms;
        d->set_timeout = fault_set_timeout;
        d->owner_alive = fault_owner_alive;
        d->hear = d->hear ? fault_hear : NULL;
    }
    wrapped[DB_SQLITE].open = fault_open_sqlite;
    wrapped[DB_POSTGRES].open = fault_open_postgres;
}

const struct db_driver *db_fault_wrap(const struct db_driver *driver)
{
    pthread_once(&once, wrap_all);
    return &wrapped[driver->kind];
}
#endif
