/* SPDX-License-Identifier: MIT
 * question_rows: lists and counts of tasks and notes for a question: what is open, due, overdue, done in a
 * period; the notes of a period. */
#include "base/json.h"
#include "base/text.h"
#include "router/question.h"
#include "store/categories.h"
#include "store/notes.h"
#include "store/tasks.h"
#include <string.h>

enum { LINE_UNITS = 200 }; /* of one row in a list: the row itself opens by its button */

static const char *day_text(struct arena *arena, const struct civil *day)
{
    char text[CIVIL_TEXT_BYTES];
    return arena_strdup(arena, civil_format(day, text));
}

static const char *first_line(struct arena *arena, const char *content)
{
    size_t len = strcspn(content, "\n"), cut = text_prefix_utf16(content, len, LINE_UNITS);
    return arena_printf(arena, "%.*s%s", (int)cut, content, content[cut] ? "…" : "");
}

/* [from, to) of the period as UTC text in the person's zone. */
static enum status instants(struct tool_ctx *ctx, const struct when_range *p, const char **from, const char **to,
                            struct error *error)
{
    struct civil end = p->to;
    int64_t begin_ms, end_ms;
    char text[CIVIL_TEXT_BYTES];
    civil_add_days(&end, 1);
    enum status st = zone_to_instant(ctx->user->zone, &p->from, &begin_ms, error);
    if (st == OK)
        st = zone_to_instant(ctx->user->zone, &end, &end_ms, error);
    if (st != OK)
        return st;
    *from = arena_strdup(ctx->arena, clock_format_utc(begin_ms, text));
    *to = arena_strdup(ctx->arena, clock_format_utc(end_ms, text));
    return OK;
}

static enum status category_id(struct tool_ctx *ctx, const char *name, int64_t *id, struct error *error)
{
    struct category category;
    bool found;
    *id = 0;
    if (!name)
        return OK;
    enum status st = category_find(ctx->db, ctx->arena, ctx->user->id, name, &category, &found, error);
    if (st == OK)
        *id = found ? category.id : -1; /* no such category: nothing is in it */
    return st;
}

/* --- tasks --- */

/* A period that lies behind and was meant ahead: "due friday". */
static struct when_range ahead(struct tool_ctx *ctx, const struct when_range *p)
{
    struct when_range out = *p;
    struct when_options options = { .now = ctx->now, .day_first = when_day_first(ctx->user->language) };
    struct when w;
    struct civil today = ctx->now;
    today.hour = -1;
    bool past = strstr(p->words ? p->words : "", "last") || strstr(p->words ? p->words : "", "yesterday");
    if (civil_compare(&p->to, &today) < 0 && !past && p->words && when_find(ctx->arena, p->words, &options, &w) &&
        w.has_date) {
        out.from = out.to = w.at;
        out.from.hour = out.to.hour = -1;
    }
    return out;
}

static enum status tasks_read(struct tool_ctx *ctx, const struct intent *q, struct when_range *period,
                              struct task **list, int *count, struct error *error)
{
    struct task_filter filter = { .state = q->done ? TASKS_DONE : TASKS_OPEN };
    enum status st = category_id(ctx, q->category, &filter.category_id, error);
    if (st != OK)
        return st;
    if (q->overdue)
        filter.overdue_at = day_text(ctx->arena, &ctx->now);
    filter.undated = q->undated;
    if (q->period_count > 0 && !q->done && !q->overdue) {
        *period = ahead(ctx, &q->period[0]);
        filter.due_from = day_text(ctx->arena, &period->from);
        filter.due_to = day_text(ctx->arena, &period->to);
    } else if (q->period_count > 0) {
        *period = q->period[0];
    }
    st = task_list(ctx->db, ctx->arena, ctx->user->id, &filter, list, count, error);
    if (st != OK || !q->done || q->period_count == 0)
        return st;
    const char *from, *to;
    int kept = 0;
    st = instants(ctx, period, &from, &to, error);
    for (int i = 0; st == OK && i < *count; i++) {
        const char *at = (*list)[i].completed_date ? (*list)[i].completed_date : "";
        if (strcmp(at, from) >= 0 && strcmp(at, to) < 0)
            (*list)[kept++] = (*list)[i];
    }
    *count = kept;
    return st;
}

static const char *task_line(struct tool_ctx *ctx, const struct task *t)
{
    struct civil due;
    const char *line = first_line(ctx->arena, t->content);
    if (t->due_date && !t->completed && civil_parse(t->due_date, &due))
        line = arena_printf(ctx->arena, "%s · %s", line, when_describe(ctx->arena, &due, &ctx->now));
    return line;
}

static struct json_object *task_json(struct tool_ctx *ctx, const struct task *t)
{
    struct json_object *o = json_object_new_object();
    json_set_str(o, "id", arena_printf(ctx->arena, "task_%lld", (long long)t->id));
    json_set_str(o, "content", first_line(ctx->arena, t->content));
    if (t->category)
        json_set_str(o, "category", t->category);
    if (t->due_date)
        json_set_str(o, "due_date", t->due_date);
    if (t->completed_date)
        json_set_str(o, "completed_date", t->completed_date);
    return o;
}

static void heading(struct reply *r, struct tool_ctx *ctx, const char *what, int count, const struct intent *q,
                    const struct when_range *period)
{
    if (count == 0)
        reply_printf(r, "No %ss", what);
    else
        reply_bold(r, arena_printf(ctx->arena, "%d %s%s", count, what, count == 1 ? "" : "s"));
    if (q->category)
        reply_printf(r, " in %s", q->category);
    if (q->period_count > 0)
        reply_printf(r, ", %s", question_period(ctx, period));
    reply_line(r);
}

static enum status answer_tasks(struct tool_ctx *ctx, const struct intent *q, struct reply *r, struct json_object *data,
                                struct error *error)
{
    struct task *list;
    int count;
    struct when_range period = { 0 };
    enum status st = tasks_read(ctx, q, &period, &list, &count, error);
    if (st != OK)
        return st;
    struct json_object *out = json_object_new_array();
    json_set_int(data, "count", count);
    json_set(data, "tasks", out);
    heading(r, ctx,
            q->done           ? "completed task"
            : q->overdue      ? "overdue task"
            : q->period_count ? "task"
                              : "open task",
            count, q, &period);
    for (int i = 0; i < count && i < QUESTION_LIST_MAX; i++) {
        json_push(out, task_json(ctx, &list[i]));
        if (q->figure == FIGURE_COUNT && i >= QUESTION_ITEMS_SHOWN)
            continue;
        reply_printf(r, "• %s ", task_line(ctx, &list[i]));
        reply_code(r, arena_printf(ctx->arena, "[task %lld]", (long long)list[i].id));
        reply_line(r);
        if (i < QUESTION_ITEMS_SHOWN)
            reply_button(r, i > 0, arena_printf(ctx->arena, "%lld", (long long)list[i].id), "show:task:%lld",
                         (long long)list[i].id);
    }
    int shown = q->figure == FIGURE_COUNT ? QUESTION_ITEMS_SHOWN : QUESTION_LIST_MAX;
    if (count > shown) {
        reply_printf(r, "… and %d more: /tasks", count - shown);
        reply_line(r);
    }
    return OK;
}

/* --- notes --- */

static enum status answer_notes(struct tool_ctx *ctx, const struct intent *q, struct reply *r, struct json_object *data,
                                struct error *error)
{
    struct note_filter filter = { 0 };
    struct note *list;
    const char *from = "", *to = "9999";
    int count, kept = 0;
    enum status st = category_id(ctx, q->category, &filter.category_id, error);
    if (st == OK)
        st = note_list(ctx->db, ctx->arena, ctx->user->id, &filter, &list, &count, error);
    if (st == OK && q->period_count > 0)
        st = instants(ctx, &q->period[0], &from, &to, error);
    if (st != OK)
        return st;
    for (int i = 0; i < count; i++)
        if (strcmp(list[i].created_date, from) >= 0 && strcmp(list[i].created_date, to) < 0)
            list[kept++] = list[i];
    struct json_object *out = json_object_new_array();
    json_set_int(data, "count", kept);
    json_set(data, "notes", out);
    heading(r, ctx, "note", kept, q, &q->period[0]);
    int shown = q->figure == FIGURE_LATEST ? 1 : q->figure == FIGURE_COUNT ? QUESTION_ITEMS_SHOWN : QUESTION_LIST_MAX;
    for (int i = 0; i < kept && i < shown; i++) {
        struct json_object *o = json_object_new_object();
        json_set_str(o, "id", arena_printf(ctx->arena, "note_%lld", (long long)list[i].id));
        json_set_str(o, "content", first_line(ctx->arena, list[i].content));
        json_set_str(o, "created_date", list[i].created_date);
        json_push(out, o);
        reply_printf(r, "• %s ", first_line(ctx->arena, list[i].content));
        reply_code(r, arena_printf(ctx->arena, "[note %lld]", (long long)list[i].id));
        reply_line(r);
        if (i < QUESTION_ITEMS_SHOWN)
            reply_button(r, i > 0, arena_printf(ctx->arena, "%lld", (long long)list[i].id), "show:note:%lld",
                         (long long)list[i].id);
    }
    if (kept > shown) {
        reply_printf(r, "… and %d more: /notes", kept - shown);
        reply_line(r);
    }
    return OK;
}

enum status question_rows(struct tool_ctx *ctx, const struct intent *q, struct reply *r, struct json_object *data,
                          struct error *error)
{
    return q->subject == SUBJECT_NOTES ? answer_notes(ctx, q, r, data, error) : answer_tasks(ctx, q, r, data, error);
}
