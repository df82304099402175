/* SPDX-License-Identifier: MIT
 * db_postgres_later: what goes along with the next round trip: a writer's BEGIN, and statements whose outcome nobody
 * waits for (db_run_later).  They are sent in front of the next statement, or of COMMIT, in libpq's pipeline mode; the
 * first that fails keeps the server from all that follow it.
 * Must never call a COMMIT failed that may have happened. */
#include "store/driver.h"

#include "base/arena.h"
#include "store/db_postgres.h"

#include <stdlib.h>

static const char begin_sql[] = "BEGIN", relaxed_sql[] = "SET LOCAL synchronous_commit=off";

void pg_later_drop(struct db *base)
{
    struct pg *db = pg_of(base);
    for (int i = 0; i < db->later_count; i++) {
        struct pg_later *l = &db->later[i];
        for (int k = 0; k < l->params.count; k++)
            if (l->params.values[k] != (const char *)l->params.numbers[k])
                free((void *)(uintptr_t)l->params.values[k]);
        pg_params_release(&l->params);
    }
    db->later_count = 0;
}

/* The last result of a pipeline of so many commands, the first failed one if any; NULL when the link broke.  Reads up
 * to its sync. */
static PGresult *pipeline_collect(struct pg *db, int commands)
{
    int64_t deadline_ms = pg_deadline(db);
    PGresult *kept = NULL;
    for (int nulls = 0; nulls <= 2 * commands && PQstatus(db->raw) == CONNECTION_OK;) { /* one behind each result */
        if (!pg_wait(db, deadline_ms))
            break;
        PGresult *res = PQgetResult(db->raw);
        ExecStatusType got = PQresultStatus(res);
        nulls += res == NULL;
        if (res && got == PGRES_PIPELINE_SYNC) {
            PQclear(res);
            return kept;
        }
        if (res && got != PGRES_PIPELINE_ABORTED && !(kept && PQresultStatus(kept) == PGRES_FATAL_ERROR)) {
            PQclear(kept);
            kept = res;
        } else {
            PQclear(res);
        }
    }
    db->base.broken = true;
    if (PQresultStatus(kept) != PGRES_FATAL_ERROR) { /* not the statement's own */
        PQclear(kept);
        kept = NULL;
    }
    return kept;
}

static bool add_command(PGconn *c, const char *sql)
{
    return PQsendQueryParams(c, sql, 0, NULL, NULL, NULL, NULL, 0);
}

static bool add_prepared(PGconn *c, const char *name, const struct pg_params *p)
{
    return PQsendQueryPrepared(c, name, p->count, p->values, p->bytes, p->formats, 0);
}

static bool add_waiting(struct pg *db)
{
    bool sent = !db->begin_unsent ||
                (add_command(db->raw, begin_sql) && (!db->begin_relaxed || add_command(db->raw, relaxed_sql)));
    for (int i = 0; i < db->later_count && sent; i++)
        sent = add_prepared(db->raw, db->later[i].name, &db->later[i].params);
    return sent;
}

PGresult *pg_send_along(struct pg *db, const char *name, const struct pg_params *p, const char *command)
{
    enum { OTHERS_MAX = 3 }; /* BEGIN, SET LOCAL, and the one that they go along with */
    PGconn *c = db->raw;
    PGresult *res = NULL;
    int commands = db->later_count + OTHERS_MAX;
    bool sent = PQenterPipelineMode(c) && add_waiting(db) && (!p || add_prepared(c, name, p)) &&
                (!command || add_command(c, command)) && PQpipelineSync(c);
    db->begin_unsent = false;
    pg_later_drop(&db->base);
    if (sent)
        res = pipeline_collect(db, commands);
    if (!sent || (!db->base.broken && !PQexitPipelineMode(c)))
        db->base.broken = true; /* something is left in it: nobody may use this connection */
    return res;
}

enum status pg_send_waiting(struct pg *db, struct error *e)
{
    if (!pg_waits(db))
        return OK;
    PGresult *res = pg_send_along(db, NULL, NULL, NULL);
    enum status st = PQresultStatus(res) == PGRES_COMMAND_OK || PQresultStatus(res) == PGRES_TUPLES_OK
                         ? OK
                         : pg_no_answer(db, res, e);
    PQclear(res);
    return st;
}

/* What the parameters point to is the caller's, and gone when it is sent. */
static void params_keep(struct pg_params *p)
{
    for (int i = 0; i < p->count; i++)
        if (p->values[i] && p->values[i] != (const char *)p->numbers[i]) {
            char *copy = xmalloc((size_t)p->bytes[i] + 1);
            memcpy(copy, p->values[i], (size_t)p->bytes[i]);
            copy[p->bytes[i]] = '\0';
            p->values[i] = copy;
        }
}

enum status pg_run_later(struct db *base, const char *sql, const struct param *params, size_t count, struct error *e)
{
    struct pg *db = pg_of(base);
    const char *name = NULL;
    enum status st = db->later_count == PG_LATER_MAX ? pg_send_waiting(db, e) : OK;
    if (st == OK)
        st = pg_prepare_for(db, sql, params, count, &name, e);
    if (st != OK)
        return st;
    struct pg_later *l = &db->later[db->later_count++];
    snprintf(l->name, sizeof l->name, "%s", name);
    pg_params_init(&l->params, count);
    pg_params_set(&l->params, params);
    params_keep(&l->params);
    return OK;
}
