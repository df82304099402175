/* SPDX-License-Identifier: MIT
 * db_postgres: the PostgreSQL driver: statements, transactions, liveness and hints of one connection.
 * Called through db.c by the thread that holds the connection.
 * Session state is used throughout (prepared statements, advisory locks, LISTEN): a pooler between us and
 * the server must run in session mode; PgBouncer's transaction mode is not supported. */
#include "store/db_postgres.h"
#include "base/arena.h"
#include "base/limits.h"
#include <stdio.h>
#include <stdlib.h>

enum { /* pg_type.oid: fixed for ever in the catalogue */
       OID_BOOL = 16,
       OID_BYTEA = 17,
       OID_INT8 = 20,
       OID_TEXT = 25,
       OID_FLOAT4 = 700,
       OID_FLOAT8 = 701
};
enum { OWNER_LOCK_CLASS = 0x57e3a4d }; /* first key of the owners' advisory locks; any constant of ours */

struct pg_stmt {
    struct stmt base;
    PGresult *res;
    int row;               /* the current one; -1 before the first */
    unsigned char **blobs; /* decoded bytea of the current row by column, freed at the next */
};

static struct pg_stmt *stmt_of(struct stmt *s)
{
    return (struct pg_stmt *)s;
}

/* --- parameters --- */

void pg_params_init(struct pg_params *p, size_t count)
{
    *p = (struct pg_params){ .count = (int)count };
    p->values = xcalloc(count + 1, sizeof *p->values);
    p->bytes = xcalloc(count + 1, sizeof *p->bytes);
    p->formats = xcalloc(count + 1, sizeof *p->formats);
    p->numbers = xcalloc(count + 1, sizeof *p->numbers);
}

void pg_params_release(struct pg_params *p)
{
    free(p->values);
    free(p->bytes);
    free(p->formats);
    free(p->numbers);
}

static void number_put(unsigned char out[8], uint64_t bits) /* network order */
{
    for (int i = 0; i < 8; i++)
        out[i] = (unsigned char)(bits >> (56 - 8 * i));
}

void pg_params_set(struct pg_params *out, const struct param *params)
{
    for (int i = 0; i < out->count; i++) {
        const struct param *p = &params[i];
        uint64_t bits = (uint64_t)p->integer;
        if (p->type == PARAM_REAL)
            memcpy(&bits, &p->real, sizeof bits);
        number_put(out->numbers[i], bits);
        out->formats[i] = 1;
        bool number = p->type == PARAM_INT || p->type == PARAM_REAL;
        out->bytes[i] = number ? 8 : (int)param_bytes(p);
        if (number)
            out->values[i] = (const char *)out->numbers[i];
        else if (p->type == PARAM_BLOB && !p->bytes)
            out->values[i] = ""; /* an empty blob, not null */
        else
            out->values[i] = p->type == PARAM_NULL ? NULL : p->bytes;
    }
}

static Oid type_oid(unsigned char type)
{
    static const Oid oid[] = { [PARAM_NULL] = 0, /* taken from its place in the statement */
                               [PARAM_INT] = OID_INT8,
                               [PARAM_REAL] = OID_FLOAT8,
                               [PARAM_TEXT] = OID_TEXT,
                               [PARAM_BLOB] = OID_BYTEA };
    return oid[type];
}

/* --- prepared statements --- */

static enum status pg_prepare_new(struct pg *db, const char *name, const char *sql, const unsigned char *types,
                                  size_t count, struct error *e)
{
    Oid oids[PG_PARAMS_MAX];
    for (size_t i = 0; i < count; i++)
        oids[i] = type_oid(types[i]);
    if (!PQsendPrepare(db->raw, name, sql, (int)count, oids))
        return pg_fail(db, NULL, e);
    PGresult *res = pg_collect(db);
    enum status st = PQresultStatus(res) == PGRES_COMMAND_OK ? OK : pg_no_answer(db, res, e);
    PQclear(res);
    return st;
}

enum status pg_prepare(struct pg *db, const char *sql, const unsigned char *types, size_t count, const char **name,
                       struct error *e)
{
    size_t sql_bytes = strlen(sql) + 1;
    if (count > PG_PARAMS_MAX)
        return fail(e, ST_LIMIT, "a statement has %zu parameters; at most %d", count, PG_PARAMS_MAX);
    char *key = xmalloc(sql_bytes + count);
    memcpy(key, sql, sql_bytes);
    if (count)
        memcpy(key + sql_bytes, types, count);
    char *found = cache_find(&db->cache, key, sql_bytes + count);
    enum status st = OK;
    if (!found) {
        char fresh[PG_NAME_BYTES];
        snprintf(fresh, sizeof fresh, "s%u", ++db->prepared);
        st = pg_prepare_new(db, fresh, sql, types, count, e);
        if (st == OK) {
            found = xstrdup(fresh);
            char *evicted = cache_put(&db->cache, key, sql_bytes + count, found);
            char drop[PG_NAME_BYTES + 16];
            snprintf(drop, sizeof drop, "DEALLOCATE %s", evicted ? evicted : "");
            st = evicted ? pg_exec(db, drop, e) : OK;
            free(evicted);
        }
    }
    free(key);
    *name = found;
    return st;
}

enum status pg_prepare_for(struct pg *db, const char *sql, const struct param *params, size_t count, const char **name,
                           struct error *e)
{
    unsigned char types[PG_PARAMS_MAX];
    for (size_t i = 0; i < count && i < PG_PARAMS_MAX; i++)
        types[i] = (unsigned char)params[i].type;
    return pg_prepare(db, sql, types, count, name, e);
}

static PGresult *execute(struct pg *db, const char *name, const struct pg_params *p)
{
    if (pg_waits(db))
        return pg_send_along(db, name, p, NULL);
    if (!PQsendQueryPrepared(db->raw, name, p->count, p->values, p->bytes, p->formats, 0))
        return NULL;
    return pg_collect(db);
}

/* --- the driver's functions --- */

static enum status pg_query(struct db *base, const char *sql, const struct param *params, size_t count,
                            struct stmt **out, struct error *e)
{
    struct pg *db = pg_of(base);
    const char *name = NULL;
    enum status st = pg_prepare_for(db, sql, params, count, &name, e);
    if (st != OK)
        return st;
    struct pg_params p;
    pg_params_init(&p, count);
    pg_params_set(&p, params);
    PGresult *res = execute(db, name, &p);
    pg_params_release(&p);
    ExecStatusType got = PQresultStatus(res);
    if (got != PGRES_COMMAND_OK && got != PGRES_TUPLES_OK) {
        st = pg_no_answer(db, res, e);
        PQclear(res);
        return st;
    }
    struct pg_stmt *s = xcalloc(1, sizeof *s);
    s->res = res;
    s->row = -1;
    *out = &s->base;
    return OK;
}

static void blobs_drop(struct pg_stmt *s)
{
    for (int i = 0; s->blobs && i < PQnfields(s->res); i++)
        PQfreemem(s->blobs[i]);
    free(s->blobs);
    s->blobs = NULL;
}

static bool pg_step(struct stmt *base)
{
    struct pg_stmt *s = stmt_of(base);
    blobs_drop(s);
    if (s->row + 1 >= PQntuples(s->res))
        return false;
    s->row++;
    return true;
}

static bool pg_is_null(struct stmt *s, int column)
{
    return PQgetisnull(stmt_of(s)->res, stmt_of(s)->row, column);
}

static const char *pg_value(struct stmt *s, int column)
{
    return PQgetvalue(stmt_of(s)->res, stmt_of(s)->row, column);
}

static bool pg_is_true(struct stmt *s, int column)
{
    return pg_value(s, column)[0] == 't';
}

static int64_t pg_get_int(struct stmt *s, int column)
{
    Oid type = PQftype(stmt_of(s)->res, column);
    if (type == OID_BOOL)
        return pg_is_true(s, column);
    if (type != OID_FLOAT8 && type != OID_FLOAT4)
        return strtoll(pg_value(s, column), NULL, 10);
    double v = strtod(pg_value(s, column), NULL);
    if (v >= 9223372036854775807.0)
        return INT64_MAX;
    return v <= -9223372036854775808.0 ? INT64_MIN : (int64_t)v;
}

static double pg_get_real(struct stmt *s, int column)
{
    if (PQftype(stmt_of(s)->res, column) == OID_BOOL)
        return pg_is_true(s, column);
    return strtod(pg_value(s, column), NULL);
}

static const char *pg_get_text(struct stmt *s, int column)
{
    if (PQftype(stmt_of(s)->res, column) == OID_BOOL)
        return pg_is_true(s, column) ? "1" : "0";
    return pg_value(s, column);
}

static const void *pg_get_blob(struct stmt *base, int column, size_t *len)
{
    struct pg_stmt *s = stmt_of(base);
    const char *value = pg_value(base, column);
    *len = (size_t)PQgetlength(s->res, s->row, column);
    if (PQftype(s->res, column) != OID_BYTEA)
        return value;
    if (!s->blobs)
        s->blobs = xcalloc((size_t)PQnfields(s->res), sizeof *s->blobs);
    if (!s->blobs[column])
        s->blobs[column] = PQunescapeBytea((const unsigned char *)value, len);
    if (!s->blobs[column])
        abort(); /* out of memory */
    *len = (*len >= 2 && value[0] == '\\') ? (strlen(value) - 2) / 2 : *len;
    return s->blobs[column];
}

static int pg_columns(struct stmt *s)
{
    return PQnfields(stmt_of(s)->res);
}

static const char *pg_column_name(struct stmt *s, int column)
{
    return PQfname(stmt_of(s)->res, column);
}

static int64_t pg_changes(struct stmt *s)
{
    PGresult *res = stmt_of(s)->res;
    if (strncmp(PQcmdStatus(res), "SELECT", 6) == 0) /* would be the number of rows read */
        return 0;
    return strtoll(PQcmdTuples(res), NULL, 10);
}

static enum status pg_finish(struct stmt *base, struct error *e)
{
    (void)e;
    struct pg_stmt *s = stmt_of(base);
    blobs_drop(s);
    PQclear(s->res);
    free(s);
    return OK;
}

static enum status pg_script(struct db *base, const char *sql, struct error *e)
{
    struct pg *db = pg_of(base);
    enum status st = pg_send_waiting(db, e);
    return st == OK ? pg_exec(db, sql, e) : st;
}

/* A reader's goes at once: a connection that died unseen is found here, where nothing has run and another will do. */
static enum status pg_begin(struct db *base, bool durable, struct error *e)
{
    struct pg *db = pg_of(base);
    pg_later_drop(base); /* of a transaction that ended with its connection's trouble */
    db->begin_unsent = true;
    db->begin_relaxed = !durable;
    return base->writer ? OK : pg_send_waiting(db, e);
}

/* COMMIT, with what waits in front of it. */
static enum status commit_send(struct pg *db, struct error *e)
{
    if (!pg_waits(db))
        return pg_exec(db, "COMMIT", e);
    PGresult *res = pg_send_along(db, NULL, NULL, "COMMIT");
    enum status st = PQresultStatus(res) == PGRES_COMMAND_OK ? OK : pg_no_answer(db, res, e);
    if (!res) /* in what state is it? */
        db->base.broken = true;
    PQclear(res);
    return st;
}

static enum status pg_commit(struct db *base, struct error *e)
{
    struct pg *db = pg_of(base);
    if (db->begin_unsent && db->later_count == 0) { /* nothing was asked of it */
        db->begin_unsent = false;
        return OK;
    }
    if (!pg_alive(base)) { /* it broke before COMMIT was sent: the server has rolled back */
        base->broken = true;
        return fail(e, ST_UNAVAILABLE, "database: the connection was lost before the commit");
    }
    PGTransactionStatusType before = PQtransactionStatus(db->raw);
    if (before != (db->begin_unsent ? PQTRANS_IDLE : PQTRANS_INTRANS)) /* COMMIT would answer ROLLBACK, a success */
        return fail(e, ST_INTERNAL, "database: the transaction cannot be committed");
    enum status st = commit_send(db, e);
    if (st == OK || !base->broken)
        return st;
    return fail(e, ST_UNKNOWN, "database: the connection broke while the commit was under way; it may have happened");
}

static enum status pg_rollback(struct db *base, struct error *e)
{
    struct pg *db = pg_of(base);
    bool begun = !db->begin_unsent;
    pg_later_drop(base);
    db->begin_unsent = false;
    return begun ? pg_exec(db, "ROLLBACK", e) : OK;
}

static enum status pg_set_timeout(struct db *db, int64_t timeout_ms, struct error *e)
{
    char sql[128];
    long long lock_ms = timeout_ms == DB_STATEMENT_TIMEOUT_MS ? DB_BUSY_TIMEOUT_MS : timeout_ms;
    snprintf(sql, sizeof sql, "SET statement_timeout=%lld; SET lock_timeout=%lld", (long long)timeout_ms, lock_ms);
    db->timeout_ms = timeout_ms;
    return pg_exec(pg_of(db), sql, e);
}

static enum status pg_now_ms(struct db *db, int64_t *now_ms, struct error *e)
{
    return db_get_int(db, now_ms, NULL, e, "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint");
}

/* --- owners and hints --- */

/* A lock we can have belongs to nobody: its owner's session, and so its process, is gone. */
static enum status pg_owner_alive(struct db *db, int64_t owner_id, bool *alive, struct error *e)
{
    int64_t free_lock = 0;
    enum status st = db_get_int(db, &free_lock, NULL, e, "SELECT pg_try_advisory_xact_lock($1::int, $2::int)",
                                p_int(OWNER_LOCK_CLASS), p_int(owner_id));
    *alive = st != OK || !free_lock;
    return st;
}

static enum status pg_hear(struct db *db, int64_t owner_id, const char *const *channels, struct error *e)
{
    int64_t got = 0;
    enum status st = db_get_int(db, &got, NULL, e, "SELECT pg_try_advisory_lock($1::int, $2::int)",
                                p_int(OWNER_LOCK_CLASS), p_int(owner_id));
    if (st == OK && !got) /* our own lost session may hold it until the server notices */
        return fail(e, ST_BUSY, "database: owner %lld is still announced by another session", (long long)owner_id);
    for (int i = 0; st == OK && channels[i]; i++) {
        char sql[64];
        snprintf(sql, sizeof sql, "LISTEN %s", channels[i]);
        st = pg_exec(pg_of(db), sql, e);
    }
    return st;
}

static int pg_hear_fd(struct db *db)
{
    return PQsocket(pg_of(db)->raw);
}

static bool pg_heard(struct db *base, char *channel, size_t channel_bytes)
{
    struct pg *db = pg_of(base);
    if (!PQconsumeInput(db->raw) || PQstatus(db->raw) != CONNECTION_OK)
        base->broken = true;
    for (PGnotify *n; (n = PQnotifies(db->raw));) {
        bool other = n->be_pid != PQbackendPID(db->raw);
        snprintf(channel, channel_bytes, "%s", n->relname);
        PQfreemem(n);
        if (other)
            return true;
    }
    return false;
}

const struct db_driver postgres_driver = {
    .kind = DB_POSTGRES,
    .scheme = { "postgres://", "postgresql://", NULL },
    .open = pg_open,
    .close = pg_close,
    .query = pg_query,
    .step = pg_step,
    .is_null = pg_is_null,
    .get_int = pg_get_int,
    .get_real = pg_get_real,
    .get_text = pg_get_text,
    .get_blob = pg_get_blob,
    .columns = pg_columns,
    .column_name = pg_column_name,
    .changes = pg_changes,
    .finish = pg_finish,
    .run_many = pg_run_many,
    .script = pg_script,
    .run_later = pg_run_later,
    .later_drop = pg_later_drop,
    .begin = pg_begin,
    .commit = pg_commit,
    .rollback = pg_rollback,
    .set_timeout = pg_set_timeout,
    .alive = pg_alive,
    .now_ms = pg_now_ms,
    .owner_alive = pg_owner_alive,
    .hear = pg_hear,
    .hear_fd = pg_hear_fd,
    .heard = pg_heard,
    .backup_lines = pg_backup_lines,
};
