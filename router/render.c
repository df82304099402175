/* SPDX-License-Identifier: MIT
 * render: cards and lines.  Called by the task and note tools after they have read the row back, on worker threads.  It
 * asks the database nothing. */
#include "router/render.h"
#include "base/json.h"
#include "base/text.h"
#include "router/when.h"
#include <string.h>

enum { LINE_UNITS_MAX = 90 }; /* about two lines on a phone */

const char *render_day(struct arena *arena, const struct civil *at, const struct civil *now)
{
    const char *text = arena_printf(arena, "%.3s %d %.3s", civil_weekday_name[civil_weekday(at)], at->day,
                                    civil_month_name[at->month - 1]);
    if (at->year != now->year)
        text = arena_printf(arena, "%s %d", text, at->year);
    if (at->hour >= 0)
        text = arena_printf(arena, "%s %02d:%02d", text, at->hour, at->minute);
    return text;
}

const char *render_day_text(struct arena *arena, const char *date, const struct civil *now)
{
    struct civil at;
    return civil_parse(date, &at) ? render_day(arena, &at, now) : date;
}

const char *render_line(struct arena *arena, const char *content, size_t units)
{
    size_t len = strcspn(content, "\n"), keep = text_prefix_utf16(content, len, units);
    return arena_printf(arena, "%.*s%s", (int)keep, content, content[keep] ? "…" : "");
}

static const char *described(struct tool_ctx *ctx, const char *date)
{
    struct civil at;
    return civil_parse(date, &at) ? when_describe(ctx->arena, &at, &ctx->now) : date;
}

/* The reminder on the person's wall clock; NULL = none to come. */
static bool reminder_civil(struct tool_ctx *ctx, const struct task *t, struct civil *out)
{
    struct error ignored;
    return t->remind_at_ms && !t->reminded_at_ms && !t->completed &&
           !zone_to_civil(ctx->user->zone, t->remind_at_ms, out, &ignored);
}

void render_task(struct tool_ctx *ctx, struct reply *r, const char *title, const struct task *t)
{
    struct civil reminder;
    reply_bold(r, title);
    reply_line(r);
    reply_text(r, t->content);
    reply_line(r);
    if (t->due_date) {
        reply_printf(r, "Due: %s", described(ctx, t->due_date));
        reply_line(r);
    }
    if (t->repeat) {
        reply_printf(r, "🔁 %s", when_describe_repeat(ctx->arena, t->repeat));
        reply_line(r);
    }
    if (reminder_civil(ctx, t, &reminder)) {
        struct civil due = { 0 };
        bool then = t->due_date && civil_parse(t->due_date, &due) && civil_compare(&due, &reminder) == 0;
        if (then)
            reply_text(r, "⏰ I will remind you then");
        else
            reply_printf(r, "⏰ Reminder: %s", when_describe(ctx->arena, &reminder, &ctx->now));
        reply_line(r);
    }
    reply_printf(r, "ID %lld", (long long)t->id);
}

void render_task_buttons(struct reply *r, const struct task *t)
{
    reply_button(r, false, "Done", "done:%lld", (long long)t->id);
    reply_button(r, true, "Edit date", "date:%lld", (long long)t->id);
}

void render_task_line(struct tool_ctx *ctx, struct reply *r, const struct task *t)
{
    reply_printf(r, "%s%lld · %s", t->completed ? "✓ " : "", (long long)t->id,
                 render_line(ctx->arena, t->content, LINE_UNITS_MAX));
    if (t->due_date && !t->completed)
        reply_printf(r, " · %s", render_day_text(ctx->arena, t->due_date, &ctx->now));
    if (t->repeat && !t->completed)
        reply_text(r, " 🔁");
    reply_line(r);
}

struct json_object *render_task_json(struct tool_ctx *ctx, const struct task *t)
{
    struct json_object *o = json_object_new_object();
    struct civil reminder;
    char text[CIVIL_TEXT_BYTES];
    json_set_int(o, "id", t->id);
    json_set_str(o, "content", t->content);
    json_set_str(o, "category", t->category);
    json_set_str(o, "due_date", t->due_date);
    json_set_bool(o, "completed", t->completed);
    if (t->repeat)
        json_set_str(o, "repeat", when_describe_repeat(ctx->arena, t->repeat));
    if (reminder_civil(ctx, t, &reminder))
        json_set_str(o, "reminder", civil_format(&reminder, text));
    return o;
}

void render_note(struct reply *r, const char *title, const struct note *n)
{
    reply_bold(r, title);
    reply_line(r);
    reply_text(r, n->content);
    reply_line(r);
    reply_printf(r, "ID %lld", (long long)n->id);
}

void render_note_line(struct tool_ctx *ctx, struct reply *r, const struct note *n)
{
    const char *day = arena_strndup(ctx->arena, n->created_date, strlen("2026-11-21"));
    reply_printf(r, "%lld · %s · %s", (long long)n->id, render_line(ctx->arena, n->content, LINE_UNITS_MAX),
                 render_day_text(ctx->arena, day, &ctx->now));
    reply_line(r);
}

struct json_object *render_note_json(const struct note *n)
{
    struct json_object *o = json_object_new_object();
    json_set_int(o, "id", n->id);
    json_set_str(o, "content", n->content);
    json_set_str(o, "category", n->category);
    json_set_str(o, "created_date", n->created_date);
    return o;
}
