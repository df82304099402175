/* SPDX-License-Identifier: MIT
 * store: opening the database, write transactions and reads, for all threads of the program.
 * With a writer thread (SQLite) a write is handed to it; without (PostgreSQL) it runs here, on a pooled
 * connection, and is repeated where the database says that this is safe.
 * Must never repeat a write whose commit may have happened. */
#include "store/store_internal.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/limits.h"
#include "store/migrate.h"
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

enum status store_connect(struct store *s, bool writer, struct db **db, struct error *e)
{
    enum status st = db_open(s->url, writer, db, e);
    if (st == OK) {
        (*db)->owner_id = s->owner_id;
        (*db)->owner_alone = s->lock_fd >= 0;
    }
    return st;
}

/* --- open and close --- */

/* A number no other process has had: a pid would come back after a restart, in a container always the
 * same, and the dead process's claims would look alive.  31 bits: half of a PostgreSQL advisory key. */
static int64_t owner_new(void)
{
    uint32_t id = 0;
    while (id == 0)
        if (getrandom(&id, sizeof id, 0) == sizeof id)
            id &= 0x7fffffff;
    return id;
}

static enum status store_prepare(struct store *s, const struct store_options *o, struct error *e)
{
    struct db *db = NULL;
    enum status st = OK;
    if (o->exclusive && s->driver->lock_server)
        st = s->driver->lock_server(s->url, &s->lock_fd, e);
    if (st == OK)
        st = store_connect(s, true, &db, e);
    if (st == OK)
        st = migrate(db, e);
    if (st != OK) {
        db_close(db);
        return st;
    }
    if (s->driver->kind == DB_SQLITE) {
        s->fold = fold_new(s);
        s->flush = flush_new(s->driver, &s->times.flush);
        if (flush_attach(s->flush, db, e)) {
            db_close(db);
            return e->status;
        }
        if (o->exclusive)
            fold_whole(s->fold, db);
        s->writer = writer_start(s, db);
    } else {
        s->writers.open_count = 1;
        pool_give(&s->writers, db);
    }
    s->hints = hints_start(s);
    return OK;
}

enum status store_open(const struct store_options *o, struct store **out, struct error *e)
{
    struct error local = { 0 };
    e = e ? e : &local;
    *out = NULL;
    const struct db_driver *driver = db_driver_of(o->url, e);
    if (!driver)
        return e->status;
    struct store *s = xcalloc(1, sizeof *s);
    s->url = xstrdup(o->url);
    s->driver = driver;
    s->lock_fd = -1;
    s->owner_id = owner_new();
    pool_init(&s->readers, s, false, o->readers_max > 0 ? o->readers_max : DB_READERS_MAX);
    pool_init(&s->writers, s, true, STORE_WRITERS_MAX);
    enum status st = store_prepare(s, o, e);
    if (st != OK)
        store_close(s);
    else
        *out = s;
    return st;
}

void store_close(struct store *s)
{
    if (!s)
        return;
    atomic_store(&s->closing, true);
    hints_stop(s->hints);
    pool_release(&s->readers);
    pool_release(&s->writers);
    writer_stop(s->writer);
    fold_free(s->fold); /* the connection that is closed last folds the log into the file */
    flush_free(s->flush);
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    explicit_bzero(s->url, strlen(s->url));
    free(s->url);
    free(s);
}

/* --- writes --- */

enum status store_call(struct db *db, write_fn fn, void *arg, struct error *e)
{
    enum status st = fn(db, arg, e);
    bool tidy = db_close_statements(db);
    if (st == OK && db->failure.status != OK) {
        *e = db->failure;
        st = e->status;
    } else if (st == OK && !tidy) {
        st = fail(e, ST_INTERNAL, "a write function left a statement open");
    } else if (st != OK && e->text[0] == '\0') {
        fail(e, st, "%s", status_row(st)->sentence);
    }
    return st;
}

/* One run on one connection.  *again: nothing happened and the database invites a repetition. */
static enum status write_once(struct store *s, struct db *db, write_fn fn, void *arg, bool relaxed, bool *again,
                              struct error *e)
{
    enum status st = relaxed ? db_begin_relaxed(db, e) : db_begin(db, e);
    *again = st != OK && db->broken;
    if (st != OK)
        return st;
    st = store_call(db, fn, arg, e);
    if (st != OK) {
        *again = db->failure.status == ST_BUSY || db->broken;
        db_rollback(db);
        return st;
    }
    st = db_commit(db, e);
    *again = st == ST_BUSY || (st == ST_UNAVAILABLE && db->broken);
    atomic_store(&s->doubtful, st != OK);
    atomic_fetch_add(&s->commits, st == OK);
    return st;
}

static enum status write_pooled(struct store *s, write_fn fn, void *arg, bool relaxed, struct error *e)
{
    static _Thread_local bool inside;
    if (inside)
        return fail(e, ST_INTERNAL, "store_write() was called inside a write function");
    int lost = 0;
    for (int tries = 1;; tries++) {
        struct db *db;
        bool again = false;
        *e = (struct error){ 0 };
        enum status st = pool_take(&s->writers, &db, e);
        if (st != OK)
            return st;
        inside = true;
        st = write_once(s, db, fn, arg, relaxed, &again, e);
        inside = false;
        lost += db->broken;
        pool_give(&s->writers, db);
        if (!again || tries == STORE_TRIES_MAX || lost > 1)
            return st;
        if (st == ST_BUSY)
            clock_sleep_ms(tries * 5); /* let the other one finish */
    }
}

static enum status store_write_as(struct store *s, write_fn fn, void *arg, bool relaxed, struct error *e)
{
    struct error text = { 0 };
    enum status st;
    int64_t begin_us = clock_mono_us();
    atomic_fetch_add(&s->writes, 1);
    if (atomic_load(&s->closing))
        st = fail(&text, ST_SHUTDOWN, "the program is stopping");
    else if (s->writer)
        st = writer_run(s->writer, fn, arg, relaxed, &text);
    else
        st = write_pooled(s, fn, arg, relaxed, &text);
    histogram_observe(&s->times.write, clock_mono_us() - begin_us);
    if (st == ST_UNAVAILABLE || st == ST_UNKNOWN || st == ST_INTERNAL || st == ST_BUSY)
        atomic_fetch_add(&s->errors, 1);
    if (st != OK && e)
        *e = text;
    return st;
}

enum status store_write(struct store *s, write_fn fn, void *arg, struct error *e)
{
    return store_write_as(s, fn, arg, false, e);
}

enum status store_write_relaxed(struct store *s, write_fn fn, void *arg, struct error *e)
{
    return store_write_as(s, fn, arg, true, e);
}

void store_settle(struct store *s)
{
    if (s->flush)
        flush_settle(s->flush);
}

/* --- reads --- */

enum status store_read_begin(struct store *s, struct db **db, struct error *e)
{
    struct error text = { 0 };
    enum status st = OK;
    int64_t begin_us = clock_mono_us();
    for (int tries = 0; tries < 2; tries++) { /* a connection may have died unseen: nothing has run on it yet */
        st = pool_take(&s->readers, db, &text);
        if (st != OK)
            break;
        st = db_begin(*db, &text);
        (*db)->read_since_us = begin_us;
        if (st == OK)
            return OK;
        bool broken = (*db)->broken;
        pool_give(&s->readers, *db);
        if (!broken)
            break;
    }
    *db = NULL;
    atomic_fetch_add(&s->errors, 1);
    if (e)
        *e = text;
    return st;
}

enum status store_read_begin_settled(struct store *s, struct db **db, struct error *e)
{
    int64_t version;
    enum status st = store_read_begin(s, db, e);
    if (st != OK || !s->flush)
        return st;
    st = db_get_int(*db, &version, NULL, e, "SELECT max(version) FROM schema_migrations"); /* the snapshot */
    if (st == OK) {
        flush_settle(s->flush);
        return OK;
    }
    store_read_end(s, *db);
    *db = NULL;
    return st;
}

void store_read_end(struct store *s, struct db *db)
{
    histogram_observe(&s->times.read, clock_mono_us() - db->read_since_us);
    pool_give(&s->readers, db);
}

/* --- questions --- */

enum db_kind store_kind(const struct store *s)
{
    return s->driver->kind;
}

static enum status check_round_trip(struct db *db, void *arg, struct error *e)
{
    struct store *s = arg;
    int64_t version;
    if (!atomic_load(&s->doubtful))
        return db_get_int(db, &version, NULL, e, "SELECT max(version) FROM schema_migrations");
    return db_run(db, e,
                  "INSERT INTO settings (name, value) VALUES ('store_check', $1) "
                  "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                  p_text("1"));
}

enum status store_check(struct store *s, struct error *e)
{
    return store_write_relaxed(s, check_round_trip, s, e);
}

void store_count(struct store *s, struct store_counters *out)
{
    out->commits = atomic_load(&s->commits);
    out->writes = atomic_load(&s->writes);
    out->errors = atomic_load(&s->errors);
    out->reconnects = atomic_load(&s->reconnects);
    out->queue_depth = s->writer ? writer_depth(s->writer) : 0;
}

const struct store_times *store_times(const struct store *s)
{
    return &s->times;
}

enum status db_now_ms(struct db *db, int64_t *now_ms, struct error *e)
{
    return db->driver->now_ms(db, now_ms, e);
}

int64_t store_owner_id(struct store *s)
{
    return s->owner_id;
}

enum status store_owner_alive(struct db *db, int64_t owner_id, bool *alive, struct error *e)
{
    *alive = true;
    if (owner_id == db->owner_id)
        return OK;
    return db->driver->owner_alive(db, owner_id, alive, e);
}

enum status store_owners_gone(struct db *db, const char *sql, int64_t gone[STORE_OWNERS_MAX], int *count,
                              struct error *e)
{
    int owners = 0;
    *count = 0;
    struct stmt *s = db_query(db, sql);
    while (db_step(s))
        if (owners < STORE_OWNERS_MAX)
            gone[owners++] = db_int(s, 0);
    if (db_done(s, e))
        return e->status;
    for (int i = 0; i < owners; i++) {
        bool alive;
        if (store_owner_alive(db, gone[i], &alive, e))
            return e->status;
        if (!alive)
            gone[(*count)++] = gone[i];
    }
    return OK;
}
