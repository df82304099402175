/* SPDX-License-Identifier: MIT
 * command_usage: /usage: what models and embedding servers were asked, what came from their caches, what it costs by
 * list prices, and what is left of the day's limit.  Sums of the whole instance, so the owner alone sees them.
 * Worker threads. */
#include "router/price.h"
#include "router/turn_internal.h"

#include <stdio.h>
#include <string.h>

enum { MODELS_SHOWN_MAX = 12, PERIODS = 3 };

struct totals {
    const char *provider, *model;
    int64_t calls, failed, input, cached, output, elapsed_ms;
    double dollars;
    bool unpriced; /* the price of some call is not known */
    bool paid;     /* some call was not to a server of one's own */
};

struct usage_view {
    struct turn *turn;
    struct totals period[PERIODS]; /* 0 = 30 days, 1 = 7 days, 2 = today; each holds the next */
    struct totals model[MODELS_SHOWN_MAX];
    int models, more;
    struct usage_day day;
};

static void add(struct totals *t, const struct usage_sum *u)
{
    struct price_tokens tokens = { u->input_tokens, u->cached_tokens, u->output_tokens };
    bool spent = u->input_tokens + u->output_tokens > 0;
    t->calls += u->calls;
    t->failed += u->failed;
    t->input += u->input_tokens;
    t->cached += u->cached_tokens;
    t->output += u->output_tokens;
    t->elapsed_ms += u->elapsed_ms;
    t->paid |= strcmp(u->provider, PRICE_LOCAL) != 0;
    t->unpriced |= !price_add(u->provider, u->model, u->day, &tokens, &t->dollars) && spent;
}

static struct totals *model_of(struct usage_view *v, const struct usage_sum *u)
{
    for (int i = 0; i < v->models; i++)
        if (strcmp(v->model[i].model, u->model) == 0 && strcmp(v->model[i].provider, u->provider) == 0)
            return &v->model[i];
    if (v->models == MODELS_SHOWN_MAX)
        return NULL;
    struct totals *t = &v->model[v->models++];
    t->provider = u->provider;
    t->model = u->model;
    return t;
}

static enum status view_read(struct usage_view *v, struct db *db, struct error *e)
{
    static const int days_back[PERIODS] = { 29, 6, 0 };
    struct turn *t = v->turn;
    struct usage_sum *sum;
    int64_t since_ms[PERIODS];
    int count;
    for (int i = 0; i < PERIODS; i++) {
        struct civil midnight = t->now;
        midnight.hour = midnight.minute = midnight.second = 0;
        civil_add_days(&midnight, -days_back[i]);
        if (zone_to_instant(t->user.zone, &midnight, &since_ms[i], e))
            return e->status;
    }
    if (usage_sums(db, t->arena, since_ms, PERIODS, &sum, &count, e) ||
        usage_today(db, t->env->zone, t->now_ms, &v->day, e))
        return e->status;
    for (int i = 0; i < count; i++) {
        struct totals *model = model_of(v, &sum[i]);
        for (int p = 0; p <= sum[i].period; p++)
            add(&v->period[p], &sum[i]);
        if (model)
            add(model, &sum[i]);
        else
            v->more++;
    }
    return OK;
}

/* --- words --- */

/* 1234567 → "1,234,567" */
static const char *number(struct arena *a, int64_t n)
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%lld", (long long)n), at = 0;
    char *out = arena_alloc(a, 40);
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0 && digits[i - 1] != '-')
            out[at++] = ',';
        out[at++] = digits[i];
    }
    return out;
}

static const char *cost(struct arena *a, const struct totals *t)
{
    if (!t->paid)
        return "free (a server of your own)";
    if (t->unpriced && t->dollars <= 0)
        return "no price known";
    const char *most = t->unpriced ? "at least " : "";
    return t->dollars < 0.1 ? arena_printf(a, "%s$%.4f", most, t->dollars)
                            : arena_printf(a, "%s$%.2f", most, t->dollars);
}

static void say_totals(struct usage_view *v, struct reply *r, const struct totals *t)
{
    struct arena *a = v->turn->arena;
    reply_printf(r, "%s %s", number(a, t->calls), t->calls == 1 ? "call" : "calls");
    if (t->failed > 0)
        reply_printf(r, " (%s failed)", number(a, t->failed));
    reply_printf(r, ", %s tokens in", number(a, t->input));
    if (t->cached > 0 && t->input > 0)
        reply_printf(r, " (%d %% cached)", (int)(t->cached * 100 / t->input));
    reply_printf(r, ", %s out, %s", number(a, t->output), cost(a, t));
}

static void say_periods(struct usage_view *v, struct reply *r)
{
    static const char *const name[PERIODS] = { "Last 30 days", "Last 7 days", "Today" };
    for (int p = PERIODS - 1; p >= 0; p--) {
        reply_bold(r, name[p]);
        reply_text(r, ": ");
        if (v->period[p].calls > 0)
            say_totals(v, r, &v->period[p]);
        else
            reply_text(r, "no calls");
        reply_line(r);
    }
}

static void say_models(struct usage_view *v, struct reply *r)
{
    if (v->models == 0)
        return;
    reply_gap(r);
    reply_bold(r, "By model, last 30 days");
    reply_line(r);
    for (int i = 0; i < v->models; i++) {
        struct totals *t = &v->model[i];
        reply_text(r, "• ");
        reply_code(r, t->model);
        reply_printf(r, " (%s): ", t->provider);
        say_totals(v, r, t);
        reply_printf(r, ", %.1f s a call", (double)t->elapsed_ms / 1000 / (double)t->calls);
        reply_line(r);
    }
    if (v->more > 0)
        reply_printf(r, "… and more models, which the sums above hold too.");
}

static void say_limit(struct usage_view *v, struct reply *r)
{
    const struct turn_env *env = v->turn->env;
    struct arena *a = v->turn->arena;
    int64_t left = env->daily_token_limit - v->day.tokens;
    reply_gap(r);
    if (env->daily_token_limit <= 0)
        reply_text(r, "No daily limit is set (DAILY_TOKEN_LIMIT).");
    else if (left > 0)
        reply_printf(r, "%s of %s tokens are left until midnight (%s).", number(a, left),
                     number(a, env->daily_token_limit), env->zone);
    else
        reply_printf(r, "Today's limit of %s tokens is used up until midnight (%s); the built-in parser reads on.",
                     number(a, env->daily_token_limit), env->zone);
    if (v->period[0].paid) {
        reply_line(r);
        reply_text(r, "Costs are estimates by list prices of " PRICE_TABLE_DATE ".");
    }
}

enum status turn_usage(struct turn *t, struct error *e)
{
    struct usage_view v = { .turn = t };
    struct reply r;
    struct db *db;
    bool console = strcmp(t->in.channel, "console") == 0;
    if (!console && t->in.from_id != t->env->allowed[0]) {
        turn_say(t, "Only the owner of this bot sees what its models are used for.");
        return turn_finish(t, e);
    }
    if (store_read_begin(t->env->store, &db, e))
        return e->status;
    enum status s = view_read(&v, db, e);
    store_read_end(t->env->store, db);
    if (s)
        return s;
    reply_init(&r, t->arena);
    say_periods(&v, &r);
    say_models(&v, &r);
    say_limit(&v, &r);
    return turn_say_reply(t, &r, e);
}
