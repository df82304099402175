/* SPDX-License-Identifier: MIT
 * tools_health: the rows and handlers that log sleep, exercise, water, sauna and body figures, and the one
 * that removes a wrong log.  Run by the turn inside its transaction on a worker thread.  The
 * confirmation is rendered from the row that was written, with one line of context when there is data. */
#include "base/json.h"
#include "router/tool_rows.h"
#include "router/when.h"
#include "store/health.h"
#include "store/health_text.h"
#include <string.h>

/* One write in progress: every step may fail, the first failure stays. */
struct logging {
    struct tool_ctx *ctx;
    const struct health_table *table;
    struct health_log log;
    struct error error;
    enum status status;
};

static struct civil day_of(const struct tool_ctx *ctx, const struct tool_args *args)
{
    const struct arg_value *given = arg_get(args, "date");
    struct civil day = given->present ? given->when : ctx->now;
    day.hour = -1;
    day.minute = day.second = 0;
    return day;
}

static const char *day_text(struct arena *arena, const struct civil *day)
{
    char text[CIVIL_TEXT_BYTES];
    return arena_strdup(arena, civil_format(day, text));
}

static const char *day_described(struct tool_ctx *ctx, const char *date)
{
    struct civil day;
    return civil_parse(date, &day) ? when_describe(ctx->arena, &day, &ctx->now) : date;
}

static void logging_init(struct logging *l, struct tool_ctx *ctx, const struct tool_args *args, enum health_kind kind)
{
    *l = (struct logging){ .ctx = ctx, .table = &health_tables[kind] };
    struct civil day = day_of(ctx, args);
    char now[CIVIL_TEXT_BYTES];
    l->log.kind = kind;
    l->log.date = day_text(ctx->arena, &day);
    l->log.created_date = arena_strdup(ctx->arena, clock_format_utc(ctx->now_ms, now));
    for (int i = 0; i < l->table->value_count; i++) {
        const struct arg_value *v = arg_get(args, l->table->value[i].column);
        l->log.has[i] = v->present;
        l->log.value[i] = v->number;
    }
    if (l->table->has_activity)
        l->log.activity = arg_text(args, "activity_type");
    if (l->table->has_notes)
        l->log.notes = arg_text(args, "notes");
}

static void logging_insert(struct logging *l)
{
    struct tool_ctx *ctx = l->ctx;
    l->status = health_insert(ctx->db, ctx->user->id, &l->log, &l->error);
    if (l->status == OK)
        l->status = journal_inserted(ctx->journal, l->table->table, l->log.id, &l->error);
    if (l->status == OK)
        journal_note(ctx->journal, "logged %s %lld", l->table->name, (long long)l->log.id);
}

static void put_values(struct json_object *data, const struct health_log *log)
{
    const struct health_table *t = &health_tables[log->kind];
    json_set_int(data, "id", log->id);
    json_set_str(data, "kind", t->name);
    json_set_str(data, "date", log->date);
    for (int i = 0; i < t->value_count; i++)
        if (log->has[i])
            json_set_num(data, t->value[i].column, log->value[i]);
    if (log->activity)
        json_set_str(data, "activity_type", log->activity);
    if (log->notes && *log->notes)
        json_set_str(data, "notes", log->notes);
}

/* ✓ Sleep logged / 7 h 30 min · Fri 2026-11-20 (today) / notes / context / ID 12 */
static struct tool_result *logging_done(struct logging *l, const char *aside, const char *context)
{
    struct tool_ctx *ctx = l->ctx;
    if (l->status != OK)
        return tool_error(ctx, &l->error);
    struct tool_result *result = tool_ok(ctx);
    struct reply *r = tool_reply(result);
    reply_text(r, "✓ ");
    reply_bold(r, arena_printf(ctx->arena, "%s logged", l->table->title));
    if (aside)
        reply_printf(r, ", %s", aside);
    reply_line(r);
    reply_printf(r, "%s · %s", health_phrase(ctx->arena, &l->log), day_described(ctx, l->log.date));
    reply_line(r);
    if (l->log.notes && *l->log.notes) {
        reply_italic(r, l->log.notes);
        reply_line(r);
    }
    if (context) {
        reply_text(r, context);
        reply_line(r);
    }
    reply_printf(r, "ID %lld", (long long)l->log.id);
    put_values(tool_data(result), &l->log);
    if (context)
        json_set_str(tool_data(result), "context", context);
    return result;
}

/* --- context lines --- */

struct week {
    double sum;
    int rows, days;
    char last_date[CIVIL_TEXT_BYTES];
};

static bool week_add(const struct health_log *log, void *arg)
{
    struct week *w = arg;
    w->sum += log->value[0];
    w->rows++;
    if (strcmp(w->last_date, log->date) != 0) {
        w->days++;
        strncpy(w->last_date, log->date, sizeof w->last_date - 1);
    }
    return true;
}

/* The `days` days that end with the log's. */
static void logging_span(struct logging *l, int days, struct week *w)
{
    struct civil from = { 0 };
    *w = (struct week){ 0 };
    if (l->status != OK || !civil_parse(l->log.date, &from))
        return;
    civil_add_days(&from, 1 - days);
    struct health_query q = {
        .kind = l->log.kind, .user_id = l->ctx->user->id, .from = day_text(l->ctx->arena, &from), .to = l->log.date
    };
    l->status = health_each(l->ctx->db, &q, week_add, w, &l->error);
}

/* --- handlers --- */

/* A second night of the same day replaces the first; undo brings it back. */
static const char *sleep_replace(struct logging *l, const struct health_log *before)
{
    struct tool_ctx *ctx = l->ctx;
    l->log.id = before->id;
    l->log.created_date = before->created_date;
    if (!l->log.notes)
        l->log.notes = before->notes; /* a corrected number keeps its remark */
    l->status = journal_changing(ctx->journal, l->table->table, l->log.id, &l->error);
    if (l->status == OK)
        l->status = health_update(ctx->db, ctx->user->id, &l->log, &l->error);
    const char *old = figure_number(ctx->arena, before->value[0], 2);
    journal_note(ctx->journal, "changed sleep %lld from %s h", (long long)l->log.id, old);
    return arena_printf(ctx->arena, "replaced %s h", old);
}

static struct tool_result *run_sleep(struct tool_ctx *ctx, const struct tool_args *args)
{
    struct logging l;
    struct health_log before = { 0 };
    const char *aside = NULL;
    bool found = false;
    logging_init(&l, ctx, args, HEALTH_SLEEP);
    struct health_query same = { .kind = HEALTH_SLEEP, .user_id = ctx->user->id, .from = l.log.date, .to = l.log.date };
    l.status = health_first(ctx->db, ctx->arena, &same, &before, &found, &l.error);
    if (l.status == OK && found)
        aside = sleep_replace(&l, &before);
    else if (l.status == OK)
        logging_insert(&l);
    struct week w;
    logging_span(&l, 7, &w);
    const char *context = NULL;
    if (w.rows > 1)
        context = arena_printf(ctx->arena, "7-day average %s (%d nights)",
                               figure_unit(ctx->arena, w.sum / w.rows, "hours"), w.rows);
    struct tool_result *result = logging_done(&l, aside, context);
    if (tool_outcome(result) == TOOL_OK && aside)
        json_set_num(tool_data(result), "replaced_hours", before.value[0]);
    return result;
}

static struct tool_result *run_exercise(struct tool_ctx *ctx, const struct tool_args *args)
{
    struct logging l;
    struct week w;
    logging_init(&l, ctx, args, HEALTH_EXERCISE);
    logging_insert(&l);
    logging_span(&l, 7, &w);
    const char *context = NULL;
    if (w.rows > 1)
        context = arena_printf(ctx->arena, "Last 7 days: %s in %d workouts", figure_unit(ctx->arena, w.sum, "minutes"),
                               w.rows);
    return logging_done(&l, NULL, context);
}

static struct tool_result *run_water(struct tool_ctx *ctx, const struct tool_args *args)
{
    struct logging l;
    struct week day;
    logging_init(&l, ctx, args, HEALTH_WATER);
    logging_insert(&l);
    logging_span(&l, 1, &day);
    struct tool_result *result = logging_done(
        &l, NULL, arena_printf(ctx->arena, "Total of the day: %s", figure_unit(ctx->arena, day.sum, "ml")));
    if (tool_outcome(result) == TOOL_OK)
        json_set_num(tool_data(result), "day_total_ml", day.sum);
    return result;
}

static struct tool_result *run_sauna(struct tool_ctx *ctx, const struct tool_args *args)
{
    struct logging l;
    struct week w;
    logging_init(&l, ctx, args, HEALTH_SAUNA);
    logging_insert(&l);
    logging_span(&l, 30, &w);
    const char *context = w.rows > 1 ? arena_printf(ctx->arena, "%d sessions in 30 days", w.rows) : NULL;
    return logging_done(&l, NULL, context);
}

struct previous {
    const struct health_log *log;
    struct arena *arena;
    double value[HEALTH_VALUES_MAX];
    bool has[HEALTH_VALUES_MAX];
    const char *date; /* of the newest value found */
};

/* Newest first: take the first value of each column measured before this row. */
static bool previous_add(const struct health_log *log, void *arg)
{
    struct previous *p = arg;
    bool missing = false;
    if (log->id == p->log->id)
        return true;
    for (int i = 0; i < HEALTH_VALUES_MAX; i++) {
        if (log->has[i] && !p->has[i] && p->log->has[i]) {
            p->has[i] = true;
            p->value[i] = log->value[i];
            if (!p->date)
                p->date = arena_strdup(p->arena, log->date);
        }
        missing |= p->log->has[i] && !p->has[i];
    }
    return missing;
}

/* "−0.6 kg since Mon 2026-11-16 (4 days ago)" */
static const char *body_change(struct logging *l)
{
    struct tool_ctx *ctx = l->ctx;
    struct previous p = { .log = &l->log, .arena = ctx->arena };
    struct health_query q = { .kind = HEALTH_BODY, .user_id = ctx->user->id, .to = l->log.date, .newest_first = true };
    if (l->status == OK)
        l->status = health_each(ctx->db, &q, previous_add, &p, &l->error);
    if (l->status != OK || !p.date)
        return NULL;
    static const char *const word[] = { "", " fat", " muscle" };
    const char *text = "";
    for (int i = 0; i < HEALTH_VALUES_MAX; i++)
        if (p.has[i])
            text =
                arena_printf(ctx->arena, "%s%s%s%s", text, *text ? ", " : "",
                             figure_change(ctx->arena, l->log.value[i] - p.value[i], l->table->value[i].unit), word[i]);
    return arena_printf(ctx->arena, "%s since %s", text, day_described(ctx, p.date));
}

static struct tool_result *run_body(struct tool_ctx *ctx, const struct tool_args *args)
{
    struct logging l;
    logging_init(&l, ctx, args, HEALTH_BODY);
    if (!l.log.has[0] && !l.log.has[1] && !l.log.has[2])
        return tool_ask(ctx, "What did you measure: weight in kg, body fat in %% or muscle in kg?");
    logging_insert(&l);
    const char *context = body_change(&l);
    return logging_done(&l, NULL, context);
}

/* --- removing a wrong row --- */

static struct tool_result *delete_row(struct tool_ctx *ctx, const struct health_log *log)
{
    struct error error = { 0 };
    const struct health_table *t = &health_tables[log->kind];
    enum status st = journal_changing(ctx->journal, t->table, log->id, &error);
    if (st == OK)
        st = health_delete(ctx->db, ctx->user->id, log->kind, log->id, ctx->now_ms, &error);
    if (st != OK)
        return tool_error(ctx, &error);
    journal_note(ctx->journal, "deleted %s %lld", t->name, (long long)log->id);
    struct tool_result *result = tool_ok(ctx);
    struct reply *r = tool_reply(result);
    reply_text(r, "✓ ");
    reply_bold(r, arena_printf(ctx->arena, "%s log deleted", t->title));
    reply_line(r);
    reply_printf(r, "%s · %s", health_phrase(ctx->arena, log), day_described(ctx, log->date));
    reply_line(r);
    reply_printf(r, "ID %lld", (long long)log->id);
    put_values(tool_data(result), log);
    json_set_bool(tool_data(result), "deleted", true);
    return result;
}

enum { CANDIDATES_MAX = 8 }; /* buttons of one question */
struct candidates {
    struct arena *arena;
    struct health_log log[CANDIDATES_MAX];
    int count, more;
};

static bool candidate_add(const struct health_log *log, void *arg)
{
    struct candidates *c = arg;
    if (c->count == CANDIDATES_MAX) {
        c->more++;
        return true;
    }
    struct health_log *copy = &c->log[c->count++];
    *copy = *log;
    copy->date = arena_strdup(c->arena, log->date);
    copy->created_date = arena_strdup(c->arena, log->created_date);
    copy->activity = arena_strdup(c->arena, log->activity);
    copy->notes = arena_strdup(c->arena, log->notes);
    return true;
}

static struct tool_result *ask_which(struct tool_ctx *ctx, const struct candidates *c)
{
    const struct health_table *t = &health_tables[c->log[0].kind];
    struct tool_result *result =
        tool_ask(ctx, "Which %s log of %s should go?%s", t->name, day_described(ctx, c->log[0].date),
                 c->more ? " (There are more; name one by its ID.)" : "");
    for (int i = 0; i < c->count; i++)
        reply_button(
            tool_reply(result), false,
            arena_printf(ctx->arena, "%s (ID %lld)", health_phrase(ctx->arena, &c->log[i]), (long long)c->log[i].id),
            "dellog:%s:%lld", t->name, (long long)c->log[i].id);
    return result;
}

static struct tool_result *run_delete(struct tool_ctx *ctx, const struct tool_args *args)
{
    enum health_kind kind;
    struct error error = { 0 };
    if (!health_kind_find(arg_text(args, "kind"), &kind))
        return tool_fail(ctx, "There is no such kind of log.");
    const struct health_table *t = &health_tables[kind];
    struct candidates c = { .arena = ctx->arena };
    struct health_query q = { .kind = kind, .user_id = ctx->user->id };
    const struct arg_value *id = arg_get(args, "log_id"), *date = arg_get(args, "date");
    if (!id->present && !date->present)
        return tool_ask(ctx, "Which %s log should go? Tell me its day or its ID.", t->name);
    if (id->present)
        q.id = (int64_t)id->number;
    if (date->present) {
        struct civil day = day_of(ctx, args);
        q.from = q.to = day_text(ctx->arena, &day);
    }
    if (health_each(ctx->db, &q, candidate_add, &c, &error) != OK)
        return tool_error(ctx, &error);
    if (c.count == 0 && id->present)
        return tool_fail(ctx, "There is no %s log with ID %lld%s.", t->name, (long long)q.id,
                         date->present ? " on that day" : "");
    if (c.count == 0)
        return tool_fail(ctx, "There is no %s log on %s.", t->name, day_described(ctx, q.from));
    return c.count == 1 ? delete_row(ctx, &c.log[0]) : ask_which(ctx, &c);
}

/* --- the rows --- */

#define ARG_LOG_DATE                                                                                                   \
    {                                                                                                                  \
        "date", ARG_DATE, ARG_PAST, 0, 0, NULL, NULL, "Default: today."                                                \
    }
#define ARG_LOG_NOTES                                                                                                  \
    {                                                                                                                  \
        "notes", ARG_TEXT, 0, 0, HEALTH_NOTES_BYTES_MAX, NULL, NULL, ""                                                \
    }

const struct tool tool_log_sleep = {
    "log_sleep",
    TOOL_WRITES,
    "Log how long the person slept. One row per day (of waking up): a second log of it replaces the first.",
    { { "hours", ARG_NUMBER, ARG_REQUIRED, SLEEP_HOURS_MIN, SLEEP_HOURS_MAX, "hours", NULL, "\"7h30\" is 7.5." },
      ARG_LOG_DATE,
      ARG_LOG_NOTES },
    run_sleep,
};

const struct tool tool_log_exercise = {
    "log_exercise",
    TOOL_ADDS_UP,
    "Log one finished workout. Not for plans (add_task).",
    { { "activity_type", ARG_TEXT, ARG_REQUIRED, 0, HEALTH_ACTIVITY_BYTES_MAX, NULL, NULL,
        "One or two words: \"running\"." },
      { "duration_minutes", ARG_NUMBER, ARG_REQUIRED, EXERCISE_MINUTES_MIN, EXERCISE_MINUTES_MAX, "minutes", NULL, "" },
      ARG_LOG_DATE,
      ARG_LOG_NOTES },
    run_exercise,
};

const struct tool tool_log_water = {
    "log_water",
    TOOL_ADDS_UP,
    "Log water that was drunk; adds to the day's total. A glass is 250 ml.",
    { { "amount_ml", ARG_NUMBER, ARG_REQUIRED, WATER_ML_MIN, WATER_ML_MAX, "ml", NULL, "" }, ARG_LOG_DATE },
    run_water,
};

const struct tool tool_log_sauna = {
    "log_sauna",
    TOOL_ADDS_UP,
    "Log one sauna session.",
    { { "duration_minutes", ARG_NUMBER, ARG_REQUIRED, SAUNA_MINUTES_MIN, SAUNA_MINUTES_MAX, "minutes", NULL, "" },
      { "temperature_c", ARG_NUMBER, 0, SAUNA_CELSIUS_MIN, SAUNA_CELSIUS_MAX, "°C", NULL, "" },
      ARG_LOG_DATE,
      ARG_LOG_NOTES },
    run_sauna,
};

const struct tool tool_log_body = {
    "log_body",
    TOOL_WRITES,
    "Log at least one of weight, body fat, muscle mass. Convert pounds to kilograms.",
    { { "weight_kg", ARG_NUMBER, 0, BODY_WEIGHT_KG_MIN, BODY_WEIGHT_KG_MAX, "kg", NULL, "" },
      { "body_fat_percent", ARG_NUMBER, 0, BODY_FAT_PERCENT_MIN, BODY_FAT_PERCENT_MAX, "%", NULL, "" },
      { "muscle_kg", ARG_NUMBER, 0, BODY_MUSCLE_KG_MIN, BODY_MUSCLE_KG_MAX, "kg", NULL, "" },
      ARG_LOG_DATE },
    run_body,
};

const struct tool tool_delete_log = {
    "delete_log",
    TOOL_DESTRUCTIVE,
    "Remove one wrong health log, named by its ID or its day. To correct a night call log_sleep again instead.",
    { { "kind", ARG_CHOICE, ARG_REQUIRED, 0, 0, NULL, "sleep|exercise|water|sauna|body", "" },
      { "date", ARG_DATE, ARG_PAST, 0, 0, NULL, NULL, "" },
      { "log_id", ARG_INTEGER, 0, 1, TOOL_ID_MAX, NULL, NULL, "" } },
    run_delete,
};
