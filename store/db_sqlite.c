/* SPDX-License-Identifier: MIT
 * db_sqlite: the SQLite driver: statements and transactions of one connection.
 * Called through db.c by the thread that holds the connection (connections are opened NOMUTEX).
 * Must never keep a statement un-reset: an unfinished one holds its snapshot and the log grows. */
#include "store/db_sqlite.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/limits.h"
#include <assert.h>
#include <ctype.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

struct prepared {
    sqlite3_stmt *raw;
    bool busy;    /* in use by an open statement */
    bool orphan;  /* not in the cache (any more): finalised after use */
    int slots;    /* parameters in the text */
    int number[]; /* of each slot: SQLite counts $2 as the first when it stands first */
};

struct sqlite_stmt {
    struct stmt base;
    struct prepared *prepared;
    int code;   /* of the newest sqlite3_step() */
    bool fresh; /* that step was the one of query(), step() has not handed it out */
};

static struct sqlite_stmt *stmt_of(struct stmt *s)
{
    return (struct sqlite_stmt *)s;
}

/* --- prepared statements --- */

static void prepared_free(void *value)
{
    struct prepared *p = value;
    sqlite3_finalize(p->raw);
    free(p);
}

static enum status prepared_make(struct sqlite *db, const char *sql, struct prepared **out, struct error *e)
{
    sqlite3_stmt *raw = NULL;
    const char *tail = NULL;
    int code = sqlite3_prepare_v3(db->raw, sql, -1, SQLITE_PREPARE_PERSISTENT, &raw, &tail);
    if (code != SQLITE_OK)
        return sqlite_fail(db, code, e);
    while (tail && (isspace((unsigned char)*tail) || *tail == ';'))
        tail++;
    if (!raw || (tail && *tail)) {
        sqlite3_finalize(raw);
        return fail(e, ST_INTERNAL, "a query must be exactly one statement");
    }
    int slots = sqlite3_bind_parameter_count(raw);
    struct prepared *p = xcalloc(1, sizeof *p + (size_t)slots * sizeof p->number[0]);
    p->raw = raw;
    p->slots = slots;
    for (int i = 0; i < slots; i++) {
        const char *name = sqlite3_bind_parameter_name(raw, i + 1);
        p->number[i] = name && name[0] == '$' ? atoi(name + 1) : 0;
    }
    *out = p;
    return OK;
}

static enum status prepared_get(struct sqlite *db, const char *sql, struct prepared **out, struct error *e)
{
    size_t bytes = strlen(sql);
    struct prepared *p = cache_find(&db->cache, sql, bytes);
    if (p && !p->busy) {
        p->busy = true;
        *out = p;
        return OK;
    }
    bool twin = p != NULL; /* the cached one is in use: this one lives for one use */
    enum status st = prepared_make(db, sql, &p, e);
    if (st != OK)
        return st;
    assert(p != NULL); /* sqlite_fail() never says OK */
    p->busy = true;
    p->orphan = twin;
    if (!twin) {
        struct prepared *evicted = cache_put(&db->cache, sql, bytes, p);
        if (evicted && evicted->busy)
            evicted->orphan = true;
        else if (evicted)
            prepared_free(evicted);
    }
    *out = p;
    return OK;
}

static void prepared_give(struct prepared *p)
{
    sqlite3_reset(p->raw);
    sqlite3_clear_bindings(p->raw);
    p->busy = false;
    if (p->orphan)
        prepared_free(p);
}

/* A statement that changes rows does all of it in its first step, while its caller's texts are there; one that reads
 * looks at them again in every step. */
static int bind_one(sqlite3_stmt *raw, int slot, const struct param *p)
{
    sqlite3_destructor_type copy = sqlite3_stmt_readonly(raw) ? SQLITE_TRANSIENT : SQLITE_STATIC;
    switch (p->type) {
    case PARAM_INT:
        return sqlite3_bind_int64(raw, slot, p->integer);
    case PARAM_REAL:
        return sqlite3_bind_double(raw, slot, p->real);
    case PARAM_TEXT:
        return p->bytes ? sqlite3_bind_text64(raw, slot, p->bytes, param_bytes(p), copy, SQLITE_UTF8)
                        : sqlite3_bind_null(raw, slot);
    case PARAM_BLOB: /* a NULL pointer would bind null, not an empty blob */
        return sqlite3_bind_blob64(raw, slot, p->bytes ? p->bytes : "", p->len, copy);
    case PARAM_NULL:
        break;
    }
    return sqlite3_bind_null(raw, slot);
}

static enum status bind_all(struct sqlite *db, struct prepared *p, const struct param *params, size_t count,
                            struct error *e)
{
    for (int i = 0; i < p->slots; i++) {
        if (p->number[i] < 1 || (size_t)p->number[i] > count)
            return fail(e, ST_INTERNAL, "a statement asks for parameter $%d of %zu", p->number[i], count);
        int code = bind_one(p->raw, i + 1, &params[p->number[i] - 1]);
        if (code != SQLITE_OK)
            return sqlite_fail(db, code, e);
    }
    return OK;
}

static int sqlite_advance(struct sqlite *db, sqlite3_stmt *raw)
{
    db->deadline_ms = db->base.timeout_ms ? clock_mono_ms() + db->base.timeout_ms : 0;
    int code = sqlite3_step(raw);
    db->deadline_ms = 0;
    return code;
}

/* --- the driver's functions --- */

static void sqlite_close(struct db *base)
{
    struct sqlite *db = sqlite_of(base);
    cache_clear(&db->cache, prepared_free);
    sqlite3_close(db->raw);
    free(db);
}

static enum status sqlite_query(struct db *base, const char *sql, const struct param *params, size_t count,
                                struct stmt **out, struct error *e)
{
    struct sqlite *db = sqlite_of(base);
    struct prepared *p;
    enum status st = prepared_get(db, sql, &p, e);
    if (st != OK)
        return st;
    st = bind_all(db, p, params, count, e);
    int code = st == OK ? sqlite_advance(db, p->raw) : SQLITE_OK;
    if (st == OK && code != SQLITE_ROW && code != SQLITE_DONE)
        st = sqlite_fail(db, code, e);
    if (st != OK) {
        prepared_give(p);
        return st;
    }
    struct sqlite_stmt *s = xcalloc(1, sizeof *s);
    s->prepared = p;
    s->code = code;
    s->fresh = true;
    *out = &s->base;
    return OK;
}

static bool sqlite_step(struct stmt *base)
{
    struct sqlite_stmt *s = stmt_of(base);
    struct sqlite *db = sqlite_of(base->db);
    if (!s->fresh && s->code == SQLITE_ROW)
        s->code = sqlite_advance(db, s->prepared->raw);
    s->fresh = false;
    if (s->code == SQLITE_ROW)
        return true;
    if (s->code != SQLITE_DONE)
        base->status = sqlite_fail(db, s->code, &base->error);
    return false;
}

static bool sqlite_is_null(struct stmt *s, int column)
{
    return sqlite3_column_type(stmt_of(s)->prepared->raw, column) == SQLITE_NULL;
}

static int64_t sqlite_get_int(struct stmt *s, int column)
{
    return sqlite3_column_int64(stmt_of(s)->prepared->raw, column);
}

static double sqlite_get_real(struct stmt *s, int column)
{
    return sqlite3_column_double(stmt_of(s)->prepared->raw, column);
}

static const char *sqlite_get_text(struct stmt *s, int column)
{
    return (const char *)sqlite3_column_text(stmt_of(s)->prepared->raw, column);
}

static const void *sqlite_get_blob(struct stmt *s, int column, size_t *len)
{
    sqlite3_stmt *raw = stmt_of(s)->prepared->raw;
    const void *bytes = sqlite3_column_blob(raw, column);
    *len = (size_t)sqlite3_column_bytes(raw, column);
    return bytes ? bytes : "";
}

static int sqlite_columns(struct stmt *s)
{
    return sqlite3_column_count(stmt_of(s)->prepared->raw);
}

static const char *sqlite_column_name(struct stmt *s, int column)
{
    const char *name = sqlite3_column_name(stmt_of(s)->prepared->raw, column);
    return name ? name : "";
}

/* The counter keeps the last change's value through a SELECT, and is set when a statement ends. */
static int64_t sqlite_changes(struct stmt *s)
{
    return sqlite3_stmt_readonly(stmt_of(s)->prepared->raw) ? 0 : sqlite3_changes64(sqlite_of(s->db)->raw);
}

/* Rows of a RETURNING that nobody read: run to the end, where foreign keys are checked. */
static enum status sqlite_finish(struct stmt *base, struct error *e)
{
    struct sqlite_stmt *s = stmt_of(base);
    struct sqlite *db = sqlite_of(base->db);
    enum status st = OK;
    if (base->status == OK && !sqlite3_stmt_readonly(s->prepared->raw)) {
        while (s->code == SQLITE_ROW)
            s->code = sqlite_advance(db, s->prepared->raw);
        if (s->code != SQLITE_DONE)
            st = sqlite_fail(db, s->code, e);
    }
    prepared_give(s->prepared);
    free(s);
    return st;
}

static enum status sqlite_run_many(struct db *base, const char *sql, const struct param *rows, size_t row_count,
                                   size_t columns, int64_t *changed, struct error *e)
{
    struct sqlite *db = sqlite_of(base);
    struct prepared *p;
    enum status st = prepared_get(db, sql, &p, e);
    if (st != OK)
        return st;
    for (size_t i = 0; i < row_count && st == OK; i++) {
        st = bind_all(db, p, rows + i * columns, columns, e);
        int code = SQLITE_ROW;
        while (st == OK && code == SQLITE_ROW)
            code = sqlite_advance(db, p->raw);
        if (st == OK && code != SQLITE_DONE)
            st = sqlite_fail(db, code, e);
        if (st == OK && changed)
            changed[i] = sqlite3_stmt_readonly(p->raw) ? 0 : sqlite3_changes64(db->raw);
        sqlite3_reset(p->raw);
    }
    prepared_give(p);
    return st;
}

static enum status sqlite_script(struct db *base, const char *sql, struct error *e)
{
    struct sqlite *db = sqlite_of(base);
    db->deadline_ms = base->timeout_ms ? clock_mono_ms() + base->timeout_ms : 0;
    int code = sqlite3_exec(db->raw, sql, NULL, NULL, NULL);
    db->deadline_ms = 0;
    return code == SQLITE_OK ? OK : sqlite_fail(db, code, e);
}

/* A statement without parameters and rows, prepared once per connection. */
static enum status sqlite_do(struct db *base, const char *sql, struct error *e)
{
    struct stmt *s;
    enum status st = sqlite_query(base, sql, NULL, 0, &s, e);
    if (st != OK)
        return st;
    s->db = base;
    return sqlite_finish(s, e);
}

static enum status sqlite_begin(struct db *base, bool durable, struct error *e)
{
    struct sqlite *db = sqlite_of(base);
    if (!base->writer)
        return sqlite_do(base, "BEGIN", e);
    base->wrote = false;
    durable &= !base->flushed_apart;
    if (durable != db->durable) { /* cannot be changed inside a transaction */
        enum status st = sqlite_script(base, durable ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL", e);
        if (st != OK)
            return st;
        db->durable = durable;
    }
    return sqlite_do(base, "BEGIN IMMEDIATE", e);
}

static enum status sqlite_commit(struct db *base, struct error *e)
{
    return sqlite_do(base, "COMMIT", e);
}

static enum status sqlite_rollback(struct db *base, struct error *e)
{
    if (sqlite3_get_autocommit(sqlite_of(base)->raw))
        return OK; /* a failed COMMIT may have ended it already */
    return sqlite_do(base, "ROLLBACK", e);
}

static enum status sqlite_set_timeout(struct db *base, int64_t timeout_ms, struct error *e)
{
    (void)e;
    base->timeout_ms = timeout_ms;
    return OK;
}

static bool sqlite_alive(struct db *base)
{
    return !base->broken;
}

/* The wall clock, which in this process runs backwards only when it was set: leases compare two of these, and the
 * little steps of a clock that is being trimmed must not show.  See clock_step.h for the large ones. */
static enum status sqlite_now_ms(struct db *base, int64_t *now_ms, struct error *e)
{
    static _Atomic int64_t newest;
    (void)base;
    (void)e;
    int64_t now = clock_wall_ms(), last = newest;
    while ((now > last || now < last - CLOCK_STEP_MS) && !atomic_compare_exchange_weak(&newest, &last, now))
        ;
    *now_ms = now > last || now < last - CLOCK_STEP_MS ? now : last;
    return OK;
}

/* The server's lock on the file says that no other process claims rows; without it nobody can tell. */
static enum status sqlite_owner_alive(struct db *base, int64_t owner_id, bool *alive, struct error *e)
{
    (void)owner_id;
    (void)e;
    *alive = !base->owner_alone;
    return OK;
}

const struct db_driver sqlite_driver = {
    .kind = DB_SQLITE,
    .scheme = { "sqlite://", NULL },
    .open = sqlite_open,
    .close = sqlite_close,
    .query = sqlite_query,
    .step = sqlite_step,
    .is_null = sqlite_is_null,
    .get_int = sqlite_get_int,
    .get_real = sqlite_get_real,
    .get_text = sqlite_get_text,
    .get_blob = sqlite_get_blob,
    .columns = sqlite_columns,
    .column_name = sqlite_column_name,
    .changes = sqlite_changes,
    .finish = sqlite_finish,
    .run_many = sqlite_run_many,
    .script = sqlite_script,
    .begin = sqlite_begin,
    .commit = sqlite_commit,
    .rollback = sqlite_rollback,
    .log_open = sqlite_log_open,
    .log_flush = sqlite_log_flush,
    .log_room = sqlite_log_room,
    .log_fold = sqlite_log_fold,
    .set_timeout = sqlite_set_timeout,
    .alive = sqlite_alive,
    .now_ms = sqlite_now_ms,
    .owner_alive = sqlite_owner_alive,
    .lock_server = sqlite_lock_server,
    .backup = sqlite_backup,
    .restore = sqlite_restore,
};
