/* SPDX-License-Identifier: MIT
 * turn_limit: DAILY_TOKEN_LIMIT.  Days begin at midnight of the server's zone; what is over is said once a day. */
#include "router/turn_internal.h"

static enum status limit_read(struct turn *t, struct db *db, int64_t midnight_ms, bool *over, bool *first,
                              struct error *e)
{
    int64_t tokens = 0, told_ms = 0;
    if (usage_tokens_since(db, midnight_ms, &tokens, e) || usage_limit_told(db, &told_ms, e))
        return e->status;
    *over = tokens >= t->env->daily_token_limit;
    *first = *over && told_ms < midnight_ms;
    return OK;
}

enum status turn_over_limit(struct turn *t, bool *over, bool *first, struct error *e)
{
    struct civil midnight;
    int64_t midnight_ms;
    struct db *db;
    *over = *first = false;
    if (t->env->daily_token_limit <= 0)
        return OK;
    if (zone_to_civil(t->env->zone, t->now_ms, &midnight, e))
        return e->status;
    midnight.hour = midnight.minute = midnight.second = 0;
    if (zone_to_instant(t->env->zone, &midnight, &midnight_ms, e) || store_read_begin(t->env->store, &db, e))
        return e->status;
    enum status s = limit_read(t, db, midnight_ms, over, first, e);
    store_read_end(t->env->store, db);
    t->tells_limit = s == OK && *first;
    return s;
}
