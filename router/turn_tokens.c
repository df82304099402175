/* SPDX-License-Identifier: MIT
 * turn_tokens: what the model calls of a turn cost: noted as they happen, written as rows of `usage` with whatever ends
 * the turn (or its step), and held against DAILY_TOKEN_LIMIT.  Days begin at midnight of the server's zone; that the
 * limit is reached is said once a day. */
#include "router/turn_internal.h"

void turn_note_usage(struct turn *t, const struct model_reply *r, const char *outcome)
{
    t->report->model_ms += r->elapsed_ms;
    t->report->input_tokens += r->input_tokens;
    t->report->output_tokens += r->output_tokens;
    for (int i = 0; i < r->asked_count && t->usage_count < TURN_USAGE_MAX; i++)
        t->usage[t->usage_count++] = (struct usage){
            .inbox_id = t->row->id,
            .provider = r->asked[i].provider,
            .model = r->asked[i].model,
            .outcome = r->asked[i].answered ? outcome : "failed",
            .input_tokens = r->asked[i].input_tokens,
            .cached_tokens = r->asked[i].cached_tokens,
            .output_tokens = r->asked[i].output_tokens,
            .elapsed_ms = r->asked[i].elapsed_ms,
        };
}

enum status turn_put_usage(struct turn *t, struct db *db, struct error *e)
{
    if (t->tells_limit && usage_limit_tell(db, t->now_ms, e))
        return e->status;
    for (int i = 0; i < t->usage_count; i++)
        if (usage_add(db, &t->usage[i], t->now_ms, e))
            return e->status;
    return OK;
}

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
