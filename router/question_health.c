/* SPDX-License-Identifier: MIT
 * question_health: figures over health logs.  Every answer says its period and how many entries it stands on; "no
 * entries" is an answer too. */
#include "base/json.h"
#include "router/question.h"
#include "store/health_text.h"
#include <string.h>

struct point {
    int64_t id;
    double value;
    char date[CIVIL_TEXT_BYTES];
};
/* One column of one kind over one period. */
struct series {
    struct tool_ctx *ctx;
    const struct intent *intent;
    struct analyzer *analyzer;
    double sum;
    int count, days;
    struct point min, max, first, last;
    struct point day; /* water counts by days: the day being added up */
};

static void extremes(struct series *s, const struct point *p)
{
    if (!*s->min.date || p->value < s->min.value)
        s->min = *p;
    if (!*s->max.date || p->value > s->max.value)
        s->max = *p;
}

/* The least and the most of water are days, not glasses. */
static void day_add(struct series *s, const struct point *p)
{
    bool same = strcmp(s->day.date, p->date) == 0;
    if (!same && *s->day.date)
        extremes(s, &s->day);
    double before = same ? s->day.value : 0;
    s->day = *p;
    s->day.value += before;
}

static bool series_add(const struct health_log *log, void *arg)
{
    struct series *s = arg;
    if (!log->has[s->intent->column])
        return true;
    if (s->intent->activity && log->activity &&
        !intent_same_activity(s->analyzer, s->ctx->arena, s->intent->activity, log->activity))
        return true;
    struct point p = { .id = log->id, .value = log->value[s->intent->column] };
    strncpy(p.date, log->date, sizeof p.date - 1);
    if (s->count == 0)
        s->first = p;
    if (s->intent->kind == HEALTH_WATER)
        day_add(s, &p);
    else
        extremes(s, &p);
    s->days += s->count == 0 || strcmp(s->last.date, p.date) != 0;
    s->last = p;
    s->sum += p.value;
    s->count++;
    return true;
}

static const char *day_text(struct arena *arena, const struct civil *day)
{
    char text[CIVIL_TEXT_BYTES];
    return arena_strdup(arena, civil_format(day, text));
}

static enum status series_read(struct tool_ctx *ctx, const struct intent *intent, const struct when_range *period,
                               struct series *s, struct error *error)
{
    *s = (struct series){ .ctx = ctx, .intent = intent, .analyzer = analyzer_new() };
    struct health_query q = { .kind = intent->kind, .user_id = ctx->user->id };
    if (period) {
        q.from = day_text(ctx->arena, &period->from);
        q.to = day_text(ctx->arena, &period->to);
    }
    enum status st = health_each(ctx->db, &q, series_add, s, error);
    analyzer_free(s->analyzer);
    if (*s->day.date)
        extremes(s, &s->day);
    return st;
}

/* --- words --- */

static const struct health_value *column(const struct intent *q)
{
    return &health_tables[q->kind].value[q->column];
}

static const char *subject_name(struct arena *arena, const struct intent *q)
{
    static const char *const body[] = { "Weight", "Body fat", "Muscle" };
    if (q->kind == HEALTH_BODY)
        return body[q->column];
    if (q->kind == HEALTH_SAUNA && q->column == 1)
        return "Sauna temperature";
    return q->activity ? arena_printf(arena, "Exercise (%s)", q->activity) : health_tables[q->kind].title;
}

static const char *noun(const struct intent *q, int count)
{
    static const char *const one[] = { "night", "workout", "drink", "sauna session", "measurement" };
    static const char *const many[] = { "nights", "workouts", "drinks", "sauna sessions", "measurements" };
    return count == 1 ? one[q->kind] : many[q->kind];
}

static const char *amount(struct tool_ctx *ctx, const struct intent *q, double value)
{
    return figure_unit(ctx->arena, value, column(q)->unit);
}

static const char *day_words(struct tool_ctx *ctx, const char *date)
{
    struct civil day;
    return civil_parse(date, &day) ? when_describe(ctx->arena, &day, &ctx->now) : date;
}

const char *question_period(struct tool_ctx *ctx, const struct when_range *p)
{
    static const char *const lead[] = { "in the ", "in ", "on ", "for ", "during ", "over ", "from ", "since ", "at " };
    const char *words = p->words ? p->words : "", *from = day_words(ctx, day_text(ctx->arena, &p->from));
    for (size_t i = 0; i < sizeof lead / sizeof *lead; i++)
        if (strncasecmp(words, lead[i], strlen(lead[i])) == 0 && strcmp(lead[i], "since ") != 0)
            words += strlen(lead[i]);
    if (civil_compare(&p->from, &p->to) == 0)
        return from;
    static const char *const day[] = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" };
    const char *span =
        arena_printf(ctx->arena, "%s %s – %s %s", day[civil_weekday(&p->from)], day_text(ctx->arena, &p->from),
                     day[civil_weekday(&p->to)], day_text(ctx->arena, &p->to));
    return *words ? arena_printf(ctx->arena, "%s (%s)", words, span) : span;
}

static bool additive(const struct intent *q)
{
    return q->kind != HEALTH_BODY && !(q->kind == HEALTH_SAUNA && q->column == 1);
}

/* The mean over what a person counts by: nights, days of drinking, sessions. */
static double mean(const struct series *s)
{
    int over = s->intent->kind == HEALTH_WATER ? s->days : s->count;
    return over ? s->sum / over : 0;
}

static const char *per(const struct intent *q)
{
    static const char *const words[] = { " a night", " a workout", " a day", " a session", "" };
    return q->column == 0 ? words[q->kind] : "";
}

/* --- one figure --- */

static const char *count_text(struct tool_ctx *ctx, const struct series *s)
{
    const struct intent *q = s->intent;
    int n = q->days ? s->days : s->count;
    return arena_printf(ctx->arena, "%d %s", n, q->days ? n == 1 ? "day" : "days" : noun(q, n));
}

static const char *point_text(struct tool_ctx *ctx, const struct series *s, const struct point *p)
{
    return arena_printf(ctx->arena, "%s, %s", amount(ctx, s->intent, p->value), day_words(ctx, p->date));
}

static const char *change_text(struct tool_ctx *ctx, const struct series *s)
{
    const struct intent *q = s->intent;
    return arena_printf(ctx->arena, "%s: from %s (%s) to %s (%s)",
                        figure_change(ctx->arena, s->last.value - s->first.value, column(q)->unit),
                        amount(ctx, q, s->first.value), s->first.date, amount(ctx, q, s->last.value), s->last.date);
}

static const char *usual_text(struct tool_ctx *ctx, const struct series *s)
{
    const struct intent *q = s->intent;
    const char *average = arena_printf(ctx->arena, "%s%s on average", amount(ctx, q, mean(s)), per(q));
    if (s->count == 1 || (q->kind == HEALTH_WATER && s->days == 1))
        return amount(ctx, q, s->sum);
    if (!additive(q))
        return q->kind == HEALTH_BODY ? arena_printf(ctx->arena, "%s; %s", average, change_text(ctx, s)) : average;
    if (q->kind == HEALTH_SLEEP)
        return arena_printf(ctx->arena, "%s, %s in total", average, amount(ctx, q, s->sum));
    return arena_printf(ctx->arena, "%s in total, %s", amount(ctx, q, s->sum), average);
}

static const char *figure_text(struct tool_ctx *ctx, const struct series *s, enum figure figure)
{
    const struct intent *q = s->intent;
    switch (figure) {
    case FIGURE_COUNT:
        return count_text(ctx, s);
    case FIGURE_SUM:
        return additive(q) ? arena_printf(ctx->arena, "%s in total", amount(ctx, q, s->sum)) : usual_text(ctx, s);
    case FIGURE_AVERAGE:
        return arena_printf(ctx->arena, "%s%s on average", amount(ctx, q, mean(s)), per(q));
    case FIGURE_MIN:
        return point_text(ctx, s, &s->min);
    case FIGURE_MAX:
        return point_text(ctx, s, &s->max);
    case FIGURE_LATEST:
        return point_text(ctx, s, &s->last);
    case FIGURE_FIRST:
        return point_text(ctx, s, &s->first);
    case FIGURE_CHANGE:
        return change_text(ctx, s);
    default:
        return usual_text(ctx, s);
    }
}

/* What a model needs to phrase the same. */
static struct json_object *series_json(const struct series *s, const struct when_range *period)
{
    struct arena *arena = s->ctx->arena;
    struct json_object *o = json_object_new_object();
    json_set_str(o, "kind", health_tables[s->intent->kind].name);
    json_set_str(o, "column", column(s->intent)->column);
    json_set_str(o, "unit", column(s->intent)->unit);
    if (s->intent->activity)
        json_set_str(o, "activity", s->intent->activity);
    if (period) {
        json_set_str(o, "from", day_text(arena, &period->from));
        json_set_str(o, "to", day_text(arena, &period->to));
    }
    json_set_int(o, "entries", s->count);
    json_set_int(o, "days", s->days);
    if (s->count == 0)
        return o;
    const struct {
        const char *name;
        double value;
    } figures[] = { { "sum", s->sum },       { "average", mean(s) },      { "min", s->min.value },
                    { "max", s->max.value }, { "first", s->first.value }, { "last", s->last.value } };
    for (size_t i = additive(s->intent) ? 0 : 1; i < sizeof figures / sizeof *figures; i++)
        json_set(o, figures[i].name,
                 json_object_new_double_s(figures[i].value, figure_number(arena, figures[i].value, 2)));
    json_set_str(o, "min_date", s->min.date);
    json_set_str(o, "max_date", s->max.date);
    json_set_str(o, "first_date", s->first.date);
    json_set_str(o, "last_date", s->last.date);
    return o;
}

/* --- answers --- */

static void say_entries(struct tool_ctx *ctx, const struct series *s, const char *period, struct reply *r)
{
    const char *entries = s->count == 1 ? "1 entry" : arena_printf(ctx->arena, "%d entries", s->count);
    const char *span = period ? period : arena_printf(ctx->arena, "all time, since %s", s->first.date);
    reply_printf(r, "%s · %s", span, entries);
    reply_line(r);
}

/* Nothing in the period: say so, and what there is. */
static enum status say_none(struct tool_ctx *ctx, const struct intent *q, const char *period, struct reply *r,
                            struct error *error)
{
    struct series all;
    enum status st = series_read(ctx, q, NULL, &all, error);
    if (st != OK)
        return st;
    reply_bold(r, subject_name(ctx->arena, q));
    reply_printf(r, ": no entries%s%s.", period ? " for " : "", period ? period : "");
    reply_line(r);
    if (all.count > 0) {
        reply_printf(r, "The latest is %s.", point_text(ctx, &all, &all.last));
        reply_line(r);
    }
    return OK;
}

static enum status answer_one(struct tool_ctx *ctx, const struct intent *q, enum figure figure,
                              const struct when_range *period, struct reply *r, struct json_object *list,
                              struct error *error)
{
    struct series s;
    enum status st = series_read(ctx, q, period, &s, error);
    if (st != OK)
        return st;
    json_push(list, series_json(&s, period));
    const char *span = period ? question_period(ctx, period) : NULL;
    if (s.count == 0)
        return say_none(ctx, q, span, r, error);
    reply_printf(r, "%s: ", subject_name(ctx->arena, q));
    reply_bold(r, figure_text(ctx, &s, figure));
    reply_line(r);
    if (q->kind == HEALTH_EXERCISE && figure == FIGURE_COUNT && s.count > 0) {
        reply_printf(r, "%s in total", amount(ctx, q, s.sum));
        reply_line(r);
    }
    say_entries(ctx, &s, span, r);
    return OK;
}

/* The one number that is compared: what adds up by its sum where the periods are alike, else the mean. */
static double compared_value(const struct series *s, enum figure figure)
{
    switch (figure) {
    case FIGURE_COUNT:
        return s->intent->days ? s->days : s->count;
    case FIGURE_SUM:
        return s->sum;
    case FIGURE_MIN:
        return s->min.value;
    case FIGURE_MAX:
        return s->max.value;
    default:
        return mean(s);
    }
}

static enum status answer_compare(struct tool_ctx *ctx, const struct intent *q, enum figure figure, struct reply *r,
                                  struct json_object *list, struct error *error)
{
    struct series s[2];
    if (figure == FIGURE_NONE || figure == FIGURE_CHANGE || figure == FIGURE_LATEST || figure == FIGURE_FIRST)
        figure =
            q->kind == HEALTH_EXERCISE || (q->kind == HEALTH_SAUNA && q->column == 0) ? FIGURE_SUM : FIGURE_AVERAGE;
    bool in_order = civil_compare(&q->period[0].from, &q->period[1].from) <= 0;
    reply_bold(r, subject_name(ctx->arena, q));
    reply_line(r);
    for (int i = 0; i < 2; i++) { /* the earlier first, so that the change reads forward */
        const struct when_range *period = &q->period[in_order ? i : 1 - i];
        enum status st = series_read(ctx, q, period, &s[i], error);
        if (st != OK)
            return st;
        json_push(list, series_json(&s[i], period));
        reply_printf(r, "%s: ", question_period(ctx, period));
        reply_bold(r, s[i].count ? figure_text(ctx, &s[i], figure) : "no entries");
        reply_printf(r, " · %d %s", s[i].count, s[i].count == 1 ? "entry" : "entries");
        reply_line(r);
    }
    if (s[0].count == 0 || s[1].count == 0)
        return OK;
    double change = compared_value(&s[1], figure) - compared_value(&s[0], figure);
    reply_printf(r, "Change: %s",
                 figure != FIGURE_COUNT ? figure_change(ctx->arena, change, column(q)->unit)
                 : change == 0          ? "none"
                                        : arena_printf(ctx->arena, "%+.0f", change));
    reply_line(r);
    return OK;
}

/* "more than last week": the week after it, up to today. */
static void fill_second(struct tool_ctx *ctx, struct intent *q)
{
    struct when_range given = q->period[0];
    struct civil today = ctx->now;
    today.hour = -1;
    int length = civil_days_between(&given.from, &given.to) + 1;
    struct when_range other = { .words = "" };
    if (civil_compare(&given.to, &today) < 0) {
        other.from = given.to;
        civil_add_days(&other.from, 1);
        other.to = other.from;
        civil_add_days(&other.to, length - 1);
        if (civil_compare(&other.to, &today) > 0)
            other.to = today;
        q->period[0] = other;
        q->period[1] = given;
    } else {
        other.to = given.from;
        civil_add_days(&other.to, -1);
        other.from = other.to;
        civil_add_days(&other.from, 1 - length);
        q->period[1] = other;
    }
    q->period_count = 2;
}

static struct when_range last_days(const struct tool_ctx *ctx, int days)
{
    struct when_range r = { .from = ctx->now, .to = ctx->now, .words = "the last 7 days" };
    r.from.hour = r.to.hour = -1;
    r.from.minute = r.from.second = r.to.minute = r.to.second = 0;
    civil_add_days(&r.from, 1 - days);
    if (days == 1)
        r.words = "today";
    return r;
}

static enum status answer_overview(struct tool_ctx *ctx, const struct intent *asked, struct reply *r,
                                   struct json_object *list, struct error *error)
{
    struct when_range week = asked->period_count ? asked->period[0] : last_days(ctx, 7);
    int kinds = 0;
    reply_bold(r, "Health");
    reply_printf(r, ", %s", question_period(ctx, &week));
    reply_line(r);
    for (int kind = 0; kind < HEALTH_KINDS; kind++) {
        struct intent q = { .subject = SUBJECT_LOGS, .kind = (enum health_kind)kind, .rest = "" };
        struct series s, all;
        enum status st = series_read(ctx, &q, &week, &s, error);
        if (st == OK)
            st = series_read(ctx, &q, NULL, &all, error);
        if (st != OK)
            return st;
        if (all.count == 0)
            continue;
        kinds++;
        json_push(list, series_json(&s, &week));
        reply_printf(r, "%s: ", subject_name(ctx->arena, &q));
        if (s.count > 0)
            reply_printf(r, "%s (%d %s)", usual_text(ctx, &s), s.count, s.count == 1 ? "entry" : "entries");
        else
            reply_printf(r, "none; the latest is %s", point_text(ctx, &all, &all.last));
        reply_line(r);
    }
    if (kinds == 0) {
        reply_text(r, "No health logs yet. Write for example “slept 7h30” or “drank 500 ml”.");
        reply_line(r);
    }
    return OK;
}

/* A question without a period means the one a person would. */
static bool usual_period(struct tool_ctx *ctx, const struct intent *q, enum figure *figure, struct when_range *out)
{
    if (*figure != FIGURE_NONE && *figure != FIGURE_SUM)
        return false;
    if (q->kind == HEALTH_BODY || (q->kind == HEALTH_SLEEP && q->how_much)) {
        *figure = FIGURE_LATEST;
        return false;
    }
    *out = last_days(ctx, q->kind == HEALTH_WATER ? 1 : 7);
    return true;
}

enum status question_health(struct tool_ctx *ctx, const struct intent *asked, struct reply *r, struct json_object *data,
                            struct error *error)
{
    struct json_object *list = json_object_new_array();
    struct intent q = *asked;
    struct when_range usual;
    enum figure figure = q.figure;
    json_set(data, "figures", list);
    if (q.subject == SUBJECT_OVERVIEW)
        return answer_overview(ctx, &q, r, list, error);
    if (q.compare) {
        if (q.period_count == 1)
            fill_second(ctx, &q);
        return answer_compare(ctx, &q, figure, r, list, error);
    }
    if (q.period_count > 0)
        return answer_one(ctx, &q, figure, &q.period[0], r, list, error);
    bool period = usual_period(ctx, &q, &figure, &usual);
    return answer_one(ctx, &q, figure, period ? &usual : NULL, r, list, error);
}
