/* SPDX-License-Identifier: MIT
 * turn_limit: DAILY_TOKEN_LIMIT.  Days begin at midnight of the server's zone; what is over is said once a day. */
#include "router/turn_internal.h"

static enum status limit_read(struct turn *t, struct db *db, bool *over, bool *first, struct error *e)
{
    struct usage_day day;
    int64_t told_ms = 0;
    if (usage_today(db, t->env->zone, t->now_ms, &day, e) || usage_limit_told(db, &told_ms, e))
        return e->status;
    *over = day.tokens >= t->env->daily_token_limit;
    *first = *over && told_ms < day.midnight_ms;
    return OK;
}

enum status turn_over_limit(struct turn *t, bool *over, bool *first, struct error *e)
{
    struct db *db;
    *over = *first = false;
    if (t->env->daily_token_limit <= 0)
        return OK;
    if (store_read_begin(t->env->store, &db, e))
        return e->status;
    enum status s = limit_read(t, db, over, first, e);
    store_read_end(t->env->store, db);
    t->tells_limit = s == OK && *first;
    return s;
}
