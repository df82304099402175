/* SPDX-License-Identifier: MIT
 * turn_calls: the tool calls of one answer: all are validated before the first is executed; then they run in order, in
 * one transaction, and their confirmations become one reply. */
#include "router/turn_internal.h"

#include "base/json.h"
#include "router/question_search.h"
#include "router/tool_rows.h"

#include <string.h>

/* A model that repeats itself must not make a person's task twice.  -1: this call is the first of its kind. */
static int find_same(const struct turn *t, const struct tool_args *args)
{
    bool counts = args->tool->policy == TOOL_READS || args->tool->policy == TOOL_ADDS_UP;
    for (int i = 0; !counts && i < t->call_count; i++)
        if (tool_args_equal(&t->args[i], args))
            return i;
    return -1;
}

enum status turn_add_call(struct turn *t, const char *name, struct json_object *arguments, struct error *e)
{
    const struct tool *tool = tool_find(name);
    if (!tool)
        return fail(e, ST_INVALID, "there is no tool named %.60s", name);
    if (t->call_count == TURN_CALLS_MAX)
        return fail(e, ST_LIMIT, "one message can hold at most %d actions", TURN_CALLS_MAX);
    struct tool_ctx ctx = turn_tool_ctx(t, NULL, NULL);
    struct tool_args *args = &t->args[t->call_count];
    if (tool_validate(tool, &ctx, arguments, args, e))
        return e->status;
    if (t->call_count == 0) {
        t->reads_only = true;
        t->has_question = false;
        t->same_count = 0;
    }
    t->same_as[t->call_count] = find_same(t, args);
    t->same_count += t->same_as[t->call_count] >= 0;
    t->reads_only = t->reads_only && tool->policy == TOOL_READS;
    t->has_question = t->has_question || tool == &tool_ask_question;
    t->call_count++;
    t->report->calls++;
    return OK;
}

void turn_clear_calls(struct turn *t)
{
    t->call_count = 0;
    t->reads_only = t->has_question = false;
}

void turn_append_result(struct turn *t, struct reply *to, struct tool_result *r, bool only_one)
{
    struct reply *from = tool_reply(r);
    enum tool_outcome o = tool_outcome(r);
    if (o == TOOL_FAIL && !only_one) { /* beside confirmations a failure must stand out */
        reply_gap(to);
        reply_text(to, "✗ ");
        buf_puts(&to->html, buf_str(&from->html));
    } else if (only_one || o == TOOL_ASK) {
        reply_append(to, from);
    } else { /* many cards: their own buttons would be a wall; Undo below covers all */
        from->button_count = 0;
        reply_append(to, from);
    }
    if (o != TOOL_OK && t->worst == TOOL_OK)
        t->worst = o;
}

static enum status run_one(struct turn *t, struct tool_ctx *ctx, int i, struct reply *to, struct error *e)
{
    int64_t begin_ms = clock_mono_ms();
    struct tool_result *r = t->args[i].tool->run(ctx, &t->args[i]);
    t->report->tool_ms += clock_mono_ms() - begin_ms;
    t->call_outcome[i] = tool_outcome(r);
    if (t->call_outcome[i] == TOOL_ERROR) {
        *e = *tool_result_error(r);
        return e->status;
    }
    t->data[i] = tool_data(r);
    if (t->call_outcome[i] != TOOL_OK)
        json_set_str(t->data[i], "problem", html_to_plain(t->arena, buf_str(&tool_reply(r)->html)));
    turn_append_result(t, to, r, t->call_count - t->same_count == 1);
    return OK;
}

enum status turn_act_calls(struct turn *t, struct tool_ctx *ctx, struct error *e)
{
    t->worst = TOOL_OK;
    for (int i = 0; i < t->call_count; i++) {
        if (t->skip_reads && t->args[i].tool->policy == TOOL_READS)
            continue;
        int first = t->same_as[i];
        if (first < 0 && run_one(t, ctx, i, &t->reply, e))
            return e->status;
        if (first >= 0) { /* told to the model with the same row; the person reads of it once */
            t->data[i] = t->data[first];
            t->call_outcome[i] = t->call_outcome[first];
        }
    }
    return OK;
}

enum status turn_read_calls(struct turn *t, struct reply *answers, struct error *e)
{
    struct db *db;
    for (int i = 0; i < t->call_count; i++)
        if (t->args[i].tool == &tool_ask_question)
            search_prepare(t->arena, arg_text(&t->args[i], "query"));
    if (store_read_begin(t->env->store, &db, e))
        return e->status;
    struct tool_ctx ctx = turn_tool_ctx(t, db, NULL);
    enum status s = OK;
    t->worst = TOOL_OK;
    for (int i = 0; i < t->call_count && s == OK; i++)
        if (t->args[i].tool->policy == TOOL_READS)
            s = run_one(t, &ctx, i, t->args[i].tool == &tool_ask_question ? answers : &t->lead, e);
    store_read_end(t->env->store, db);
    return s;
}

enum status turn_run_calls(struct turn *t, struct error *e)
{
    if (t->reads_only && turn_read_calls(t, &t->lead, e))
        return e->status;
    t->act = t->reads_only ? NULL : turn_act_calls;
    return turn_finish(t, e);
}
