/* SPDX-License-Identifier: MIT
 * fuzz_tool_args: any JSON as the arguments of every tool, as it stands and with the tool's own names put to its
 * values.  What passes is within the bounds of its row; what does not has a sentence. */
#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include "router/tool.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void check_text(const struct arg *arg, const char *s)
{
    size_t max = arg->type == ARG_TEXT && arg->max > 0 ? (size_t)arg->max : MESSAGE_BYTES_MAX;
    if (!s || !*s || !text_valid(s, strlen(s)) || (arg->type == ARG_TEXT && strlen(s) > max))
        abort();
}

static void check_moment(const struct arg *arg, const struct arg_value *v, const struct civil *now)
{
    if (!civil_valid(&v->when) || (arg->type == ARG_DATE && v->when.hour != -1) ||
        ((arg->flags & ARG_PAST) && civil_days_between(now, &v->when) > 0))
        abort();
}

static void check_value(const struct arg *arg, const struct arg_value *v, const struct civil *now)
{
    if (v->cleared && (!(arg->flags & ARG_CLEARABLE) || v->present))
        abort();
    if (!v->present && !v->cleared && (arg->flags & ARG_REQUIRED))
        abort();
    if (!v->present)
        return;
    if (arg->type == ARG_NUMBER || arg->type == ARG_INTEGER) {
        if (!(v->number >= -9e15 && v->number <= 9e15) ||
            (arg->min < arg->max && !(v->number >= arg->min && v->number <= arg->max)))
            abort();
    } else if (arg->type == ARG_DATE || arg->type == ARG_WHEN) {
        check_moment(arg, v, now);
    } else if (arg->type == ARG_REPEAT) {
        if (!v->repeat || !text_valid(v->repeat, strlen(v->repeat)))
            abort();
    } else if (arg->type != ARG_BOOL) {
        check_text(arg, v->text);
    }
}

static void check_tool(const struct tool *tool, struct tool_ctx *ctx, struct json_object *arguments)
{
    struct tool_args args;
    struct error e;
    if (tool_validate(tool, ctx, arguments, &args, &e) != OK) {
        if (e.status != ST_INVALID || !*e.text || !text_valid(e.text, strlen(e.text)))
            abort();
        return;
    }
    for (int i = 0; tool->args[i].name; i++)
        check_value(&tool->args[i], &args.value[i], &ctx->now);
}

/* The same values under the names this tool has, in their order. */
static struct json_object *renamed(struct arena *a, const struct tool *tool, struct json_object *given)
{
    struct json_object *out = json_keep(a, json_object_new_object());
    int i = 0;
    json_object_object_foreach(given, key, value)
    {
        (void)key;
        if (!tool->args[i].name)
            break;
        json_set(out, tool->args[i++].name, json_object_get(value));
    }
    return out;
}

/* The first byte picks whose clock and language it is. */
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    if (size < 1)
        return 0;
    struct user user = { .id = 1, .language = data[0] & 1 ? "en-US" : "de", .zone = "Europe/Berlin", .name = "" };
    struct tool_ctx ctx = { .arena = arena_new(), .user = &user, .now = { 2026, 11, 20, 9, 30, 0 } };
    struct json_object *arguments;
    struct error e;
    if (data[0] & 2)
        ctx.now = (struct civil){ 2024, 2, 29, 23, 59, 0 };
    if (json_parse_in(ctx.arena, (const char *)data + 1, size - 1, &arguments, &e) == OK)
        for (const struct tool *const *t = tool_table; *t; t++) {
            check_tool(*t, &ctx, arguments);
            if (json_object_is_type(arguments, json_type_object))
                check_tool(*t, &ctx, renamed(ctx.arena, *t, arguments));
        }
    arena_free(ctx.arena);
    return 0;
}
