/* SPDX-License-Identifier: MIT
 * tools_tasks: adding and changing tasks, and reminders.  Run by the turn inside its transaction on a worker thread.
 * Listing is tools_tasks_list.c, completing and deleting tools_tasks_close.c.  Confirmations come from the row as it
 * was read back. */
#include "base/json.h"
#include "base/limits.h"
#include "router/match.h"
#include "router/render.h"
#include "router/task_due.h"
#include "router/task_find.h"
#include "router/tool_rows.h"
#include "router/when.h"
#include "store/categories.h"
#include <string.h>

static struct tool_result *confirmed(struct tool_ctx *ctx, const char *title, const struct task *t)
{
    struct tool_result *result = tool_ok(ctx);
    struct reply *r = tool_reply(result);
    render_task(ctx, r, title, t);
    if (!t->completed && task_overdue(ctx, t)) {
        reply_line(r);
        reply_italic(r, "That date is in the past.");
        json_set_bool(tool_data(result), "due_in_the_past", true);
    }
    if (!t->completed)
        render_task_buttons(r, t);
    json_set(tool_data(result), "task", render_task_json(ctx, t));
    return result;
}

/* --- repeats --- */

/* The rule to set: the argument of its own, else the one in the words of the date. */
static const char *rule_of(const struct tool_args *args, const char *date)
{
    const struct arg_value *repeat = arg_get(args, "repeat"), *due = arg_get(args, date);
    return repeat->present ? repeat->repeat : due->present ? due->repeat : NULL;
}

/* The first date of a repeat that came without one; false = the rule gives none. */
static bool first_date(struct tool_ctx *ctx, const struct arg_value *repeat, struct civil *out)
{
    struct civil today = ctx->now, before;
    if (repeat->when.year) {
        *out = repeat->when;
        return true;
    }
    today.hour = -1, today.minute = today.second = 0;
    before = today;
    civil_add_days(&before, -1);
    return when_next(repeat->repeat, &today, &before, out);
}

/* --- add_task --- */

static enum status insert(struct tool_ctx *ctx, struct task *t, const char *category, struct error *e)
{
    struct category c;
    char now[CIVIL_TEXT_BYTES];
    enum status st = category_ensure(ctx->db, ctx->arena, ctx->user->id, category, ctx->now_ms, &c, e);
    if (st)
        return st;
    t->category_id = c.id;
    t->created_date = arena_strdup(ctx->arena, clock_format_utc(ctx->now_ms, now));
    t->channel = ctx->channel;
    t->chat_id = ctx->chat_id;
    st = task_insert(ctx->db, ctx->arena, ctx->user->id, t, t, e);
    if (!st)
        st = journal_inserted(ctx->journal, "tasks", t->id, e);
    if (!st)
        journal_note(ctx->journal, "added task %lld", (long long)t->id);
    return st;
}

static struct tool_result *added(struct tool_ctx *ctx, const struct task *t)
{
    return confirmed(ctx, arena_printf(ctx->arena, "✓ Task added to %s", t->category), t);
}

static struct tool_result *run_add(struct tool_ctx *ctx, const struct tool_args *args)
{
    struct error e;
    const struct arg_value *due = arg_get(args, "due_date"), *repeat = arg_get(args, "repeat");
    struct civil first = due->when;
    bool dated = due->present || (repeat->present && first_date(ctx, repeat, &first));
    enum remind remind = !arg_get(args, "remind")->present ? REMIND_AUTO
                         : arg_flag(args, "remind", false) ? REMIND_YES
                                                           : REMIND_NO;
    struct task t = { .content = arg_text(args, "content") };
    if (!dated && remind == REMIND_YES)
        return tool_ask(ctx, "When should I remind you of “%s”?", render_line(ctx->arena, t.content, 80));
    if (dated && task_set_due(ctx, &t, &first, remind, &e))
        return tool_status(ctx, &e);
    t.repeat = dated ? rule_of(args, "due_date") : NULL;
    return insert(ctx, &t, arg_text(args, "category"), &e) ? tool_status(ctx, &e) : added(ctx, &t);
}

/* --- update_task --- */

static enum status save(struct tool_ctx *ctx, struct task *t, struct error *e)
{
    enum status st = journal_changing(ctx->journal, "tasks", t->id, e);
    if (!st)
        st = task_save(ctx->db, ctx->arena, ctx->user->id, t, t, e);
    if (!st)
        journal_note(ctx->journal, "changed task %lld", (long long)t->id);
    return st;
}

/* The new text: new_content; or content, when an id already says which task. */
static const char *new_text(const struct tool_args *args, const struct task *t)
{
    const char *text = arg_text(args, "new_content");
    if (!text && arg_get(args, "task_id")->present)
        text = arg_text(args, "content");
    return text ? text : t->content;
}

static enum status change_date(struct tool_ctx *ctx, const struct tool_args *args, struct task *t, struct error *e)
{
    const struct arg_value *due = arg_get(args, "due_date"), *repeat = arg_get(args, "repeat");
    enum remind remind = !arg_get(args, "remind")->present ? REMIND_KEEP
                         : arg_flag(args, "remind", false) ? REMIND_YES
                                                           : REMIND_NO;
    struct civil at;
    enum status st = OK;
    if (due->cleared)
        st = task_set_due(ctx, t, NULL, remind, e);
    else if (due->present)
        st = task_set_due(ctx, t, &due->when, remind, e);
    else if (repeat->present && !t->due_date && first_date(ctx, repeat, &at))
        st = task_set_due(ctx, t, &at, remind, e);
    else if (remind != REMIND_KEEP && t->due_date && civil_parse(t->due_date, &at))
        st = task_set_due(ctx, t, &at, remind, e);
    if (repeat->cleared)
        t->repeat = NULL;
    else if (t->due_date && rule_of(args, "due_date"))
        t->repeat = rule_of(args, "due_date");
    return st;
}

static enum status change_rest(struct tool_ctx *ctx, const struct tool_args *args, struct task *t, struct error *e)
{
    struct category c;
    t->content = new_text(args, t);
    if (arg_flag(args, "reopen", false)) {
        t->completed = false;
        t->completed_date = NULL;
        if (t->remind_at_ms && t->remind_at_ms <= ctx->now_ms)
            t->remind_at_ms = 0; /* its moment passed while the task was done */
    }
    if (!arg_get(args, "category")->present)
        return OK;
    enum status st =
        category_ensure(ctx->db, ctx->arena, ctx->user->id, arg_text(args, "category"), ctx->now_ms, &c, e);
    t->category_id = st ? 0 : c.id;
    return st;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && !strcmp(a, b));
}

static bool same_task(const struct task *a, const struct task *b)
{
    return same_text(a->content, b->content) && a->category_id == b->category_id &&
           same_text(a->due_date, b->due_date) && same_text(a->repeat, b->repeat) && a->completed == b->completed &&
           a->remind_at_ms == b->remind_at_ms;
}

static bool names_a_change(const struct tool_args *args)
{
    static const char *const names[] = { "new_content", "due_date", "category", "repeat", "remind", "reopen" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (arg_get(args, names[i])->present || arg_get(args, names[i])->cleared)
            return true;
    return arg_get(args, "task_id")->present && arg_get(args, "content")->present;
}

static struct tool_result *run_update(struct tool_ctx *ctx, const struct tool_args *args)
{
    struct error e;
    struct task before, t;
    bool reopen = arg_flag(args, "reopen", false);
    struct task_find how = { reopen ? "Which one should be open again?" : "Which task should change?", "pick",
                             reopen ? TASKS_DONE : TASKS_OPEN };
    if (!names_a_change(args))
        return tool_fail(ctx, "What should change: the text, the date, the category, the repetition?");
    struct tool_result *answer = task_find(ctx, args, &how, &before);
    if (answer)
        return answer;
    t = before;
    if (change_date(ctx, args, &t, &e) || change_rest(ctx, args, &t, &e))
        return tool_status(ctx, &e);
    if (!t.due_date && arg_flag(args, "remind", false))
        return tool_ask(ctx, "When should I remind you of “%s”?", render_line(ctx->arena, t.content, 80));
    if (same_task(&before, &t))
        return confirmed(ctx, "Task unchanged: it is already so", &t);
    if (save(ctx, &t, &e))
        return tool_status(ctx, &e);
    return confirmed(ctx, before.completed && !t.completed ? "✓ Task reopened" : "✓ Task updated", &t);
}

/* --- set_reminder --- */

/* Words name an existing task only when they are its whole text: "remind me to call mom" is no change of "call mom
 * about the trip".  NULL: go on; t->id 0 = a new task. */
static struct tool_result *reminder_task(struct tool_ctx *ctx, const struct tool_args *args, struct task *t)
{
    struct task_find how = { "Which task should I remind you of?", "pick", TASKS_OPEN };
    struct task_filter open = { .state = TASKS_OPEN };
    struct error e;
    struct task *list;
    int count, hits = 0;
    const char *words = arg_text(args, "content");
    *t = (struct task){ 0 };
    if (arg_get(args, "task_id")->present)
        return task_find(ctx, args, &how, t);
    if (!words)
        return tool_ask(ctx, "What should I remind you of?");
    if (task_list(ctx->db, ctx->arena, ctx->user->id, &open, &list, &count, &e))
        return tool_error(ctx, &e);
    struct match *m = match_new(ctx->arena, words);
    for (int i = 0; i < count; i++)
        if (match_grade(m, list[i].content) == MATCH_EXACT && ++hits)
            *t = list[i];
    return hits > 1 ? task_find(ctx, args, &how, t) : NULL;
}

static struct tool_result *run_reminder(struct tool_ctx *ctx, const struct tool_args *args)
{
    struct error e;
    struct task t;
    bool past = false;
    const struct arg_value *when = arg_get(args, "when");
    struct tool_result *answer = reminder_task(ctx, args, &t);
    if (answer)
        return answer;
    if (t.completed)
        return tool_fail(ctx, "Task %lld is done; reopen it first.", (long long)t.id);
    if (task_set_reminder(ctx, &t, &when->when, &past, &e))
        return tool_status(ctx, &e);
    if (past)
        return tool_ask(ctx, "%s is in the past. When should I remind you?",
                        when_describe(ctx->arena, &when->when, &ctx->now));
    t.repeat = when->repeat ? when->repeat : t.repeat;
    if (t.id)
        return save(ctx, &t, &e) ? tool_status(ctx, &e) : confirmed(ctx, "✓ Reminder set", &t);
    t.content = arg_text(args, "content");
    return insert(ctx, &t, arg_text(args, "category"), &e) ? tool_status(ctx, &e) : added(ctx, &t);
}

/* --- the rows --- */

const struct tool tool_add_task = {
    "add_task",
    TOOL_WRITES,
    "Add one thing to do. Not for facts to remember (add_note), nor for what was already done (log_exercise and the "
    "like).",
    { { "content", ARG_TEXT, ARG_REQUIRED, 0, TASK_CONTENT_BYTES_MAX, NULL, NULL,
        "What to do, in the person's words, without the date: \"Buy bread\"." },
      { "category", ARG_TEXT, 0, 0, CATEGORY_NAME_BYTES_MAX, NULL, NULL, "\"Work/Projects\": one below another." },
      { "due_date", ARG_WHEN, 0, 0, 0, NULL, NULL, "" },
      { "repeat", ARG_REPEAT, 0, 0, 0, NULL, NULL, "" },
      { "remind", ARG_BOOL, 0, 0, 0, NULL, NULL, "Default: when due_date has a time. A day without one: 09:00." } },
    run_add,
};

const struct tool tool_update_task = {
    "update_task",
    TOOL_WRITES,
    "Change a task, or open a completed one again; named by task_id, or by its words in content. To mark it done use "
    "complete_task.",
    { { "task_id", ARG_INTEGER, 0, 1, TOOL_ID_MAX, NULL, NULL, "" },
      { "content", ARG_TEXT, 0, 0, TASK_CONTENT_BYTES_MAX, NULL, NULL, "" },
      { "new_content", ARG_TEXT, 0, 0, TASK_CONTENT_BYTES_MAX, NULL, NULL, "" },
      { "due_date", ARG_WHEN, ARG_CLEARABLE, 0, 0, NULL, NULL, "" },
      { "category", ARG_TEXT, 0, 0, CATEGORY_NAME_BYTES_MAX, NULL, NULL, "" },
      { "repeat", ARG_REPEAT, ARG_CLEARABLE, 0, 0, NULL, NULL, "" },
      { "remind", ARG_BOOL, 0, 0, 0, NULL, NULL, "" },
      { "reopen", ARG_BOOL, 0, 0, 0, NULL, NULL, "" } },
    run_update,
};

const struct tool tool_set_reminder = {
    "set_reminder",
    TOOL_WRITES,
    "Remind of an existing task (task_id, or content with its whole text), or of something new, which becomes a task. "
    "For a new task with a due date add_task is enough: it reminds by itself.",
    { { "when", ARG_WHEN, ARG_REQUIRED, 0, 0, NULL, NULL, "A day without a time: 09:00." },
      { "task_id", ARG_INTEGER, 0, 1, TOOL_ID_MAX, NULL, NULL, "" },
      { "content", ARG_TEXT, 0, 0, TASK_CONTENT_BYTES_MAX, NULL, NULL, "\"Call mom\"." },
      { "category", ARG_TEXT, 0, 0, CATEGORY_NAME_BYTES_MAX, NULL, NULL, "For a new task." } },
    run_reminder,
};
