/* SPDX-License-Identifier: MIT
 * tool_schema: a tool's arguments as the JSON schema that is sent to the model.  Bounds and units stand in the
 * descriptions: keywords like `minimum` are refused by some servers' strict modes, and the server checks them anyway.
 * Every byte is paid for with each request: what the name says, and how dates are written (prompt.c), is not repeated.
 */
#include "base/buf.h"
#include "base/json.h"
#include "base/limits.h"
#include "router/tool.h"
#include <string.h>

enum { DESCRIPTION_BYTES_MAX = 2 * KIB }; /* one argument's words */

static const char *schema_type(enum arg_type type)
{
    switch (type) {
    case ARG_NUMBER:
        return "number";
    case ARG_INTEGER:
        return "integer";
    case ARG_BOOL:
        return "boolean";
    default:
        return "string";
    }
}

static void describe_bounds(struct buf *b, const struct arg *arg)
{
    if (arg->type != ARG_NUMBER && arg->type != ARG_INTEGER)
        return;
    if (arg->unit)
        buf_printf(b, " %g to %g %s.", arg->min, arg->max, arg->unit);
    else if (arg->max > 0 && arg->max < 1e9) /* ids have no bound worth saying */
        buf_printf(b, " %g to %g.", arg->min, arg->max);
}

static void describe_form(struct buf *b, const struct arg *arg)
{
    if (arg->type == ARG_DATE)
        buf_puts(b, " A date.");
    if (arg->type == ARG_WHEN)
        buf_puts(b, " A date, with a time if said.");
    if (arg->type == ARG_REPEAT)
        buf_puts(b, " \"every tuesday\" or an RFC 5545 rule.");
    if (arg->flags & ARG_PAST)
        buf_puts(b, " Not in the future.");
    if (arg->flags & ARG_CLEARABLE)
        buf_puts(b, " \"none\" removes it.");
}

static struct json_object *schema_choices(const char *choices)
{
    struct json_object *list = json_object_new_array();
    while (choices && *choices) {
        size_t len = strcspn(choices, "|");
        json_push(list, json_object_new_string_len(choices, (int)len));
        choices += len + (choices[len] == '|');
    }
    return list;
}

static struct json_object *schema_arg(const struct arg *arg)
{
    struct json_object *o = json_object_new_object();
    struct buf words = BUF_INIT(DESCRIPTION_BYTES_MAX);
    buf_puts(&words, arg->doc);
    describe_form(&words, arg);
    describe_bounds(&words, arg);
    json_set_str(o, "type", schema_type(arg->type));
    const char *text = buf_str(&words);
    if (*text)
        json_set_str(o, "description", text + (*text == ' '));
    if (arg->type == ARG_CHOICE)
        json_set(o, "enum", schema_choices(arg->choices));
    buf_release(&words);
    return o;
}

struct json_object *tool_schema(const struct tool *tool)
{
    struct json_object *o = json_object_new_object();
    struct json_object *properties = json_object_new_object(), *required = json_object_new_array();
    for (const struct arg *arg = tool->args; arg->name; arg++) {
        json_set(properties, arg->name, schema_arg(arg));
        if (arg->flags & ARG_REQUIRED)
            json_push(required, json_object_new_string(arg->name));
    }
    json_set_str(o, "type", "object");
    json_set(o, "properties", properties);
    json_set(o, "required", required);
    json_set_bool(o, "additionalProperties", false);
    return o;
}
