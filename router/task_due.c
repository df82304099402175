/* SPDX-License-Identifier: MIT
 * task_due: due dates, reminders, repeats.  Called by the task tools before they write a row, on worker threads.
 * Zones are base/clock's (ICU), recurrences when.h's (libical): no calendar arithmetic here. */
#include "router/task_due.h"
#include "router/when.h"

const char *due_text(struct arena *arena, const struct civil *at)
{
    char text[CIVIL_TEXT_BYTES];
    struct civil minute = *at;
    minute.second = 0;
    return arena_strdup(arena, civil_format(&minute, text));
}

static struct civil remind_time(const struct civil *due)
{
    struct civil at = *due;
    if (at.hour < 0)
        at.hour = REMIND_HOUR, at.minute = 0;
    at.second = 0;
    return at;
}

static enum status instant(struct tool_ctx *ctx, const struct civil *at, int64_t *ms, struct error *e)
{
    return zone_to_instant(ctx->user->zone, at, ms, e);
}

/* Where a reminder that belongs to `before` goes when the date becomes `due`: one that stood at the date's own time
 * takes the new time, one of its own keeps its hour and its distance in days. */
static enum status reminder_moved(struct tool_ctx *ctx, const struct task *t, const struct civil *before,
                                  const struct civil *due, struct civil *out, struct error *e)
{
    struct civil tied = remind_time(before), old;
    int64_t tied_ms;
    enum status st = instant(ctx, &tied, &tied_ms, e);
    *out = remind_time(due);
    if (st || tied_ms == t->remind_at_ms)
        return st;
    st = zone_to_civil(ctx->user->zone, t->remind_at_ms, &old, e);
    civil_add_days(&old, civil_days_between(before, due));
    if (!st)
        *out = old;
    return st;
}

enum status task_set_due(struct tool_ctx *ctx, struct task *t, const struct civil *due, enum remind remind,
                         struct error *e)
{
    struct civil before, at;
    bool had_date = t->due_date && civil_parse(t->due_date, &before);
    bool had = t->remind_at_ms != 0, had_time = had_date && before.hour >= 0;
    enum status st = OK;
    if (!due) {
        t->due_date = t->repeat = NULL;
        t->remind_at_ms = t->reminded_at_ms = 0;
        return OK;
    }
    t->due_date = due_text(ctx->arena, due);
    at = remind_time(due);
    bool wanted = remind == REMIND_YES || (remind == REMIND_AUTO && due->hour >= 0) ||
                  (remind == REMIND_KEEP && (had || (due->hour >= 0 && !had_time)));
    if (remind == REMIND_KEEP && had && had_date)
        st = reminder_moved(ctx, t, &before, due, &at, e);
    t->remind_at_ms = t->reminded_at_ms = 0;
    if (st || !wanted)
        return st;
    int64_t at_ms;
    st = zone_to_instant_after(ctx->user->zone, &at, ctx->now_ms, &at_ms, e);
    if (!st && at_ms > ctx->now_ms)
        t->remind_at_ms = at_ms;
    return st;
}

enum status task_set_reminder(struct tool_ctx *ctx, struct task *t, const struct civil *when, bool *past,
                              struct error *e)
{
    struct civil at = remind_time(when);
    int64_t at_ms;
    enum status st = zone_to_instant_after(ctx->user->zone, &at, ctx->now_ms, &at_ms, e);
    if (st)
        return st;
    *past = at_ms <= ctx->now_ms;
    if (*past)
        return OK;
    t->remind_at_ms = at_ms;
    t->reminded_at_ms = 0;
    if (!t->due_date)
        t->due_date = due_text(ctx->arena, when);
    return OK;
}

bool task_next_due(struct tool_ctx *ctx, const struct task *t, struct civil *next)
{
    struct civil due, after;
    if (!t->repeat || !t->due_date || !civil_parse(t->due_date, &due))
        return false;
    struct civil now = ctx->now;
    if (due.hour < 0)
        now.hour = -1, now.minute = now.second = 0;
    after = civil_compare(&due, &now) >= 0 ? due : now;
    return when_next(t->repeat, &due, &after, next);
}

bool task_overdue(struct tool_ctx *ctx, const struct task *t)
{
    struct civil due;
    if (!t->due_date || !civil_parse(t->due_date, &due))
        return false;
    int days = civil_days_between(&ctx->now, &due);
    return days < 0 || (days == 0 && due.hour >= 0 && civil_compare(&due, &ctx->now) < 0);
}
