/* SPDX-License-Identifier: MIT
 * tools_tasks_close: completing and deleting tasks.  Run by the turn inside its transaction on a worker thread.  A
 * repeating task is never closed while it has a next time; deleting more than one task needs a tap. */
#include "base/json.h"
#include "base/limits.h"
#include "router/render.h"
#include "router/task_due.h"
#include "router/task_find.h"
#include "router/tool_rows.h"
#include "router/when.h"
#include "store/categories.h"

enum { LINE_UNITS = 80 };

/* --- complete_task --- */

/* Close it, or move a repeating one on; *moved tells which. */
static enum status complete(struct tool_ctx *ctx, struct task *t, bool *moved, struct error *e)
{
    struct civil next;
    char now[CIVIL_TEXT_BYTES];
    enum status st = journal_changing(ctx->journal, "tasks", t->id, e);
    *moved = task_next_due(ctx, t, &next);
    if (*moved && !st) {
        st = task_set_due(ctx, t, &next, REMIND_KEEP, e);
    } else {
        t->completed = true;
        t->completed_date = arena_strdup(ctx->arena, clock_format_utc(ctx->now_ms, now));
    }
    if (!st)
        st = task_save(ctx->db, ctx->arena, ctx->user->id, t, t, e);
    if (!st)
        journal_note(ctx->journal, "completed task %lld", (long long)t->id);
    return st;
}

static struct tool_result *run_complete(struct tool_ctx *ctx, const struct tool_args *args)
{
    struct error e;
    struct task t;
    struct civil due;
    bool moved;
    struct task_find how = { "Which one is done?", "done", TASKS_OPEN };
    struct tool_result *answer = task_find(ctx, args, &how, &t);
    if (answer)
        return answer;
    if (t.completed)
        return tool_fail(ctx, "Task %lld “%s” is already done.", (long long)t.id,
                         render_line(ctx->arena, t.content, LINE_UNITS));
    if (complete(ctx, &t, &moved, &e))
        return tool_status(ctx, &e);
    struct tool_result *result = tool_ok(ctx);
    struct reply *r = tool_reply(result);
    reply_bold(r, arena_printf(ctx->arena, "✓ Done: %s", render_line(ctx->arena, t.content, LINE_UNITS)));
    reply_line(r);
    if (moved && civil_parse(t.due_date, &due)) {
        reply_printf(r, "🔁 Next: %s", when_describe(ctx->arena, &due, &ctx->now));
        reply_line(r);
    }
    reply_printf(r, "ID %lld", (long long)t.id);
    json_set(tool_data(result), "task", render_task_json(ctx, &t));
    json_set_bool(tool_data(result), "moved_to_next_date", moved);
    return result;
}

/* --- delete_task --- */

static enum status delete_one(struct tool_ctx *ctx, int64_t id, struct error *e)
{
    enum status st = journal_changing(ctx->journal, "tasks", id, e);
    return st ? st : task_delete(ctx->db, ctx->user->id, id, ctx->now_ms, e);
}

static struct tool_result *deleted(struct tool_ctx *ctx, const struct task *t)
{
    struct error e;
    if (delete_one(ctx, t->id, &e))
        return tool_status(ctx, &e);
    journal_note(ctx->journal, "deleted task %lld", (long long)t->id);
    struct tool_result *result = tool_ok(ctx);
    struct reply *r = tool_reply(result);
    reply_bold(r, "🗑 Task deleted");
    reply_line(r);
    reply_text(r, t->content);
    reply_line(r);
    reply_printf(r, "ID %lld", (long long)t->id);
    json_set(tool_data(result), "deleted", render_task_json(ctx, t));
    return result;
}

static struct tool_result *ask_all(struct tool_ctx *ctx, const struct category *c, int count)
{
    const char *where = c->id ? arena_printf(ctx->arena, " in %s", c->path) : "";
    struct tool_result *r = tool_ask(ctx, "Delete all %d open tasks%s?", count, where);
    reply_button(tool_reply(r), false, arena_printf(ctx->arena, "Delete all %d open tasks%s", count, where),
                 "delall:%lld:%d", (long long)c->id, count);
    reply_button(tool_reply(r), false, "Keep them", "keep");
    json_set_int(tool_data(r), "count", count);
    return r;
}

static struct tool_result *deleted_all(struct tool_ctx *ctx, const struct task *list, int count)
{
    struct error e;
    int gone = 0;
    for (int i = 0; i < count; i++) {
        enum status st = delete_one(ctx, list[i].id, &e);
        if (st && st != ST_NOT_FOUND) /* another turn was quicker with this one */
            return tool_error(ctx, &e);
        gone += st == OK;
    }
    journal_note(ctx->journal, "deleted %d tasks", gone);
    struct tool_result *result = tool_ok(ctx);
    reply_bold(tool_reply(result), arena_printf(ctx->arena, "🗑 %d open tasks deleted", gone));
    json_set_int(tool_data(result), "deleted_count", gone);
    return result;
}

static struct tool_result *delete_all(struct tool_ctx *ctx, const struct tool_args *args)
{
    struct error e;
    struct category c = { 0 };
    struct task *list;
    int count;
    bool found = true;
    const char *name = arg_text(args, "category");
    if (name && category_find(ctx->db, ctx->arena, ctx->user->id, name, &c, &found, &e))
        return tool_status(ctx, &e);
    if (!found)
        return tool_fail(ctx, "You have no category “%s”.", name);
    struct task_filter f = { .state = TASKS_OPEN, .category_id = c.id };
    if (task_list(ctx->db, ctx->arena, ctx->user->id, &f, &list, &count, &e))
        return tool_error(ctx, &e);
    if (!count)
        return tool_fail(ctx, "There are no open tasks%s%s.", c.id ? " in " : "", c.id ? c.path : "");
    if (count == 1)
        return deleted(ctx, &list[0]);
    return ctx->rows_confirmed == count ? deleted_all(ctx, list, count) : ask_all(ctx, &c, count);
}

static struct tool_result *run_delete(struct tool_ctx *ctx, const struct tool_args *args)
{
    struct task t;
    struct task_find how = { "Which one should go?", "del", TASKS_OPEN };
    if (arg_flag(args, "all", false))
        return delete_all(ctx, args);
    struct tool_result *answer = task_find(ctx, args, &how, &t);
    return answer ? answer : deleted(ctx, &t);
}

/* --- the rows --- */

const struct tool tool_complete_task = {
    "complete_task",
    TOOL_WRITES,
    "Mark a task as done, when the person says so (\"I bought the bread\"); named by task_id, or by its words in "
    "content. A repeating task moves to its next date.",
    { { "task_id", ARG_INTEGER, 0, 1, TOOL_ID_MAX, NULL, NULL, "" },
      { "content", ARG_TEXT, 0, 0, TASK_CONTENT_BYTES_MAX, NULL, NULL, "\"bread\"." } },
    run_complete,
};

const struct tool tool_delete_task = {
    "delete_task",
    TOOL_DESTRUCTIVE,
    "Remove a task that is no longer wanted (one that was done: complete_task); named by task_id, or by its words in "
    "content. all: every open task, or every one of a category; the person is then asked first.",
    { { "task_id", ARG_INTEGER, 0, 1, TOOL_ID_MAX, NULL, NULL, "" },
      { "content", ARG_TEXT, 0, 0, TASK_CONTENT_BYTES_MAX, NULL, NULL, "\"bread\"." },
      { "all", ARG_BOOL, 0, 0, 0, NULL, NULL, "" },
      { "category", ARG_TEXT, 0, 0, CATEGORY_NAME_BYTES_MAX, NULL, NULL, "With all." } },
    run_delete,
};
