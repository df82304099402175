/* SPDX-License-Identifier: MIT
 * tool: the table of tools, their results and their arguments.  A result can only be made by tool_ok, tool_fail,
 * tool_ask and tool_error, so that no handler can forget to answer.  Worker threads; no database work here. */
#include "router/tool.h"
#include "base/json.h"
#include "router/tool_rows.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

const struct tool *const tool_table[] = {
    &tool_add_task,
    &tool_list_tasks,
    &tool_complete_task,
    &tool_update_task,
    &tool_delete_task,
    &tool_set_reminder,
    &tool_add_note,
    &tool_list_notes,
    &tool_update_note,
    &tool_log_sleep,
    &tool_log_exercise,
    &tool_log_water,
    &tool_log_sauna,
    &tool_log_body,
    &tool_delete_log,
    &tool_ask_question,
    NULL,
};

struct tool_result {
    enum tool_outcome outcome;
    struct reply reply;
    struct json_object *data;
    struct error error; /* TOOL_ERROR */
};

const struct tool *tool_find(const char *name)
{
    for (const struct tool *const *t = tool_table; name && *t; t++)
        if (!strcmp((*t)->name, name))
            return *t;
    return NULL;
}

/* --- arguments --- */

const struct arg_value *arg_get(const struct tool_args *args, const char *name)
{
    for (int i = 0; i < TOOL_ARGS_MAX && args->tool->args[i].name; i++)
        if (!strcmp(args->tool->args[i].name, name))
            return &args->value[i];
    abort(); /* a defect: the handler asks for an argument that its row does not have */
}

const char *arg_text(const struct tool_args *args, const char *name)
{
    const struct arg_value *v = arg_get(args, name);
    return v->present ? v->text : NULL;
}

double arg_number(const struct tool_args *args, const char *name, double fallback)
{
    const struct arg_value *v = arg_get(args, name);
    return v->present ? v->number : fallback;
}

int64_t arg_integer(const struct tool_args *args, const char *name, int64_t fallback)
{
    const struct arg_value *v = arg_get(args, name);
    return v->present ? (int64_t)v->number : fallback;
}

bool arg_flag(const struct tool_args *args, const char *name, bool fallback)
{
    const struct arg_value *v = arg_get(args, name);
    return v->present ? v->boolean : fallback;
}

bool arg_cleared(const struct tool_args *args, const char *name)
{
    return arg_get(args, name)->cleared;
}

/* --- results --- */

static struct tool_result *result_new(struct tool_ctx *ctx, enum tool_outcome outcome)
{
    struct tool_result *r = arena_alloc(ctx->arena, sizeof *r);
    r->outcome = outcome;
    r->data = json_keep(ctx->arena, json_object_new_object());
    reply_init(&r->reply, ctx->arena);
    json_set_bool(r->data, "ok", outcome == TOOL_OK);
    return r;
}

static PRINTF(4, 0) struct tool_result *result_say(struct tool_ctx *ctx, enum tool_outcome outcome, const char *key,
                                                   const char *fmt, va_list ap)
{
    struct tool_result *r = result_new(ctx, outcome);
    const char *words = arena_vprintf(ctx->arena, fmt, ap);
    reply_text(&r->reply, words);
    json_set_str(r->data, key, words);
    return r;
}

struct tool_result *tool_ok(struct tool_ctx *ctx)
{
    return result_new(ctx, TOOL_OK);
}

struct tool_result *tool_fail(struct tool_ctx *ctx, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct tool_result *r = result_say(ctx, TOOL_FAIL, "error", fmt, ap);
    va_end(ap);
    return r;
}

struct tool_result *tool_ask(struct tool_ctx *ctx, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct tool_result *r = result_say(ctx, TOOL_ASK, "question", fmt, ap);
    va_end(ap);
    return r;
}

struct tool_result *tool_error(struct tool_ctx *ctx, const struct error *e)
{
    struct tool_result *r = result_new(ctx, TOOL_ERROR);
    r->error = *e;
    reply_text(&r->reply, status_row(e->status)->sentence);
    json_set_str(r->data, "error", status_row(e->status)->sentence);
    return r;
}

struct tool_result *tool_status(struct tool_ctx *ctx, const struct error *e)
{
    switch (e->status) {
    case ST_INVALID:
    case ST_NOT_FOUND:
    case ST_EXISTS:
    case ST_CONFLICT:
    case ST_LIMIT:
        return tool_fail(ctx, "%s", e->text);
    default:
        return tool_error(ctx, e);
    }
}

enum tool_outcome tool_outcome(const struct tool_result *r)
{
    return r->outcome;
}

const struct error *tool_result_error(const struct tool_result *r)
{
    return &r->error;
}

struct reply *tool_reply(struct tool_result *r)
{
    return &r->reply;
}

struct json_object *tool_data(struct tool_result *r)
{
    return r->data;
}
