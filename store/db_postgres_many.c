/* SPDX-License-Identifier: MIT
 * db_postgres_many: one statement for many parameter rows in libpq's pipeline mode: one round trip and one
 * sync for the batch.  Called through db_run_many() inside a transaction, by the thread that holds the
 * connection.  Must never send without also reading: both sides would wait on full sockets. */
#include "store/db_postgres.h"
#include "base/arena.h"
#include <stdlib.h>

enum { PIPELINE_ROWS_UNREAD_MAX = 64 }; /* rows sent between two looks at what has come back */

struct pipeline {
    struct pg *db;
    size_t rows;
    size_t answered;  /* rows whose results were read */
    bool in_row;      /* a result of the next row was read, not yet the NULL behind it */
    bool synced;      /* the answer to the sync was read */
    int64_t *changed; /* may be NULL */
    enum status status;
    struct error *error;
};

/* One type per column: the first row that has a value decides. */
static enum status column_types(const struct param *params, size_t rows, size_t columns, unsigned char *types,
                                struct error *e)
{
    for (size_t c = 0; c < columns; c++) {
        types[c] = PARAM_NULL;
        for (size_t r = 0; r < rows; r++) {
            enum param_type type = params[r * columns + c].type;
            if (types[c] == PARAM_NULL)
                types[c] = (unsigned char)type;
            else if (type != PARAM_NULL && type != types[c])
                return fail(e, ST_INTERNAL, "parameter %zu has different types in rows of one db_run_many", c + 1);
        }
    }
    return OK;
}

static void pipeline_take(struct pipeline *p, PGresult *res)
{
    ExecStatusType got = PQresultStatus(res);
    p->synced = got == PGRES_PIPELINE_SYNC;
    p->in_row = !p->synced;
    if (got == PGRES_COMMAND_OK || got == PGRES_TUPLES_OK) {
        if (p->changed && p->answered < p->rows)
            p->changed[p->answered] = strtoll(PQcmdTuples(res), NULL, 10);
    } else if (!p->synced && got != PGRES_PIPELINE_ABORTED && p->status == OK) {
        p->status = pg_fail(p->db, res, p->error); /* the aborted ones are the rows behind it */
    }
    PQclear(res);
    if (PQstatus(p->db->raw) != CONNECTION_OK)
        p->db->base.broken = true;
}

/* One step of reading; false when there is nothing (more) to read now. */
static bool pipeline_next(struct pipeline *p)
{
    PGresult *res = PQgetResult(p->db->raw);
    if (res) {
        pipeline_take(p, res);
        return true;
    }
    bool end_of_row = p->in_row;
    p->answered += end_of_row;
    p->in_row = false;
    return end_of_row;
}

/* Send what is queued, reading meanwhile so that the server can go on.  Does not wait for results: the
 * server may hold them back until the sync. */
static void pipeline_flush(struct pipeline *p)
{
    int64_t deadline_ms = pg_deadline(p->db);
    while (!p->db->base.broken) {
        int unsent = PQflush(p->db->raw);
        while (!PQisBusy(p->db->raw) && pipeline_next(p))
            ;
        if (unsent == 0)
            return;
        if (unsent < 0 || !pg_poll(p->db, true, deadline_ms))
            p->db->base.broken = true;
    }
}

/* Read up to the answer of the sync. */
static void pipeline_end(struct pipeline *p)
{
    int64_t deadline_ms = pg_deadline(p->db);
    if (!PQpipelineSync(p->db->raw))
        p->db->base.broken = true;
    while (!p->synced && !p->db->base.broken)
        if (!pg_wait(p->db, deadline_ms) || !pipeline_next(p))
            p->db->base.broken = true; /* nothing to read before the sync: the link is gone */
}

static void pipeline_run(struct pipeline *p, const char *name, const struct param *params, size_t columns)
{
    struct pg_params values;
    pg_params_init(&values, columns);
    for (size_t i = 0; i < p->rows && p->status == OK && !p->db->base.broken; i++) {
        pg_params_set(&values, params + i * columns);
        if (!PQsendQueryPrepared(p->db->raw, name, values.count, values.values, values.bytes, values.formats, 0))
            p->status = pg_fail(p->db, NULL, p->error);
        if ((i + 1) % PIPELINE_ROWS_UNREAD_MAX == 0)
            pipeline_flush(p);
    }
    pg_params_release(&values);
    pipeline_end(p);
}

enum status pg_run_many(struct db *base, const char *sql, const struct param *params, size_t rows, size_t columns,
                        int64_t *changed, struct error *e)
{
    struct pg *db = pg_of(base);
    unsigned char types[PG_PARAMS_MAX];
    const char *name = NULL;
    if (columns > PG_PARAMS_MAX)
        return fail(e, ST_LIMIT, "a statement has %zu parameters; at most %d", columns, PG_PARAMS_MAX);
    enum status st = column_types(params, rows, columns, types, e);
    if (st == OK)
        st = pg_prepare(db, sql, types, columns, &name, e);
    if (st == OK)
        st = pg_send_waiting(db, e);
    if (st != OK)
        return st;
    struct pipeline p = { .db = db, .rows = rows, .changed = changed, .error = e };
    PQenterPipelineMode(db->raw);
    pipeline_run(&p, name, params, columns);
    if (!db->base.broken && !PQexitPipelineMode(db->raw))
        db->base.broken = true; /* something is left in it: nobody may use this connection */
    if (db->base.broken && p.status == OK)
        p.status = fail(e, ST_UNAVAILABLE, "database: the connection was lost in a batch");
    return p.status;
}
