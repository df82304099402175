/* SPDX-License-Identifier: MIT
 * mcp_tools: see mcp_tools.h: the table, and what its rows give: schemas and the check of arguments.  A new tool is a
 * row in a file of its own and a line in tool_table. */
#include "bot/mcp_tools.h"

#include "base/json.h"
#include <string.h>

static const struct mcp_tool *const tool_table[] = { &mcp_tool_ask, &mcp_tool_notify, &mcp_tool_approve, NULL };

const struct mcp_tool *mcp_tool_find(const char *name)
{
    for (int i = 0; tool_table[i]; i++)
        if (strcmp(tool_table[i]->name, name) == 0)
            return tool_table[i];
    return NULL;
}

static const struct mcp_arg *arg_find(const struct mcp_tool *tool, const char *name)
{
    for (const struct mcp_arg *arg = tool->args; arg->name; arg++)
        if (strcmp(arg->name, name) == 0)
            return arg;
    return NULL;
}

/* ---- schemas ---- */

static struct json_object *schema(const char *type, const char *doc)
{
    struct json_object *o = json_object_new_object();
    json_set_str(o, "type", type);
    if (doc)
        json_set_str(o, "description", doc);
    return o;
}

static struct json_object *schema_choices(const char *choices)
{
    struct json_object *list = json_object_new_array();
    while (*choices) {
        size_t len = strcspn(choices, "|");
        json_push(list, json_object_new_string_len(choices, (int)len));
        choices += len + (choices[len] == '|');
    }
    return list;
}

static struct json_object *schema_option(void)
{
    struct json_object *o = json_object_new_object(), *forms = json_object_new_array();
    struct json_object *pair = schema("object", NULL), *members = json_object_new_object();
    struct json_object *required = json_object_new_array();
    json_push(required, json_object_new_string("label"));
    json_set(members, "label", schema("string", "What the button says; a few words."));
    json_set(members, "value", schema("string", "What you get when it is chosen; the label when left out."));
    json_set(pair, "properties", members);
    json_set(pair, "required", required);
    json_set_bool(pair, "additionalProperties", false);
    json_push(forms, schema("string", "The button's label, which is also the answer."));
    json_push(forms, pair);
    json_set(o, "anyOf", forms);
    return o;
}

static struct json_object *schema_arg(const struct mcp_arg *arg)
{
    static const char *const type_name[] = { [MCP_TEXT] = "string",  [MCP_SPAN] = "string",   [MCP_CHOICE] = "string",
                                             [MCP_FLAG] = "boolean", [MCP_OPTIONS] = "array", [MCP_OBJECT] = "object" };
    struct json_object *o = schema(type_name[arg->type], arg->doc);
    if (arg->type == MCP_CHOICE)
        json_set(o, "enum", schema_choices(arg->choices));
    if (arg->type == MCP_OPTIONS) {
        json_set(o, "items", schema_option());
        json_set_int(o, "maxItems", MCP_OPTIONS_MAX);
    }
    return o;
}

static struct json_object *schema_input(const struct mcp_tool *tool)
{
    struct json_object *o = schema("object", NULL);
    struct json_object *properties = json_object_new_object(), *required = json_object_new_array();
    for (const struct mcp_arg *arg = tool->args; arg->name; arg++) {
        json_set(properties, arg->name, schema_arg(arg));
        if (arg->required)
            json_push(required, json_object_new_string(arg->name));
    }
    json_set(o, "properties", properties);
    json_set(o, "required", required);
    if (!tool->open)
        json_set_bool(o, "additionalProperties", false);
    return o;
}

/* None of them reads or destroys anything where the agent works; a person outside is the open world. */
static struct json_object *annotations(const struct mcp_tool *tool)
{
    struct json_object *o = json_object_new_object();
    json_set_str(o, "title", tool->title);
    json_set_bool(o, "readOnlyHint", false);
    json_set_bool(o, "destructiveHint", false);
    json_set_bool(o, "idempotentHint", false);
    json_set_bool(o, "openWorldHint", true);
    return o;
}

struct json_object *mcp_tool_list(void)
{
    struct json_object *list = json_object_new_array();
    for (int i = 0; tool_table[i]; i++) {
        const struct mcp_tool *tool = tool_table[i];
        struct json_object *o = json_object_new_object();
        json_set_str(o, "name", tool->name);
        json_set_str(o, "title", tool->title);
        json_set_str(o, "description", tool->doc);
        json_set(o, "inputSchema", schema_input(tool));
        if (tool->output)
            json_set(o, "outputSchema", tool->output());
        json_set(o, "annotations", annotations(tool));
        json_push(list, o);
    }
    return list;
}

/* ---- the check of arguments ---- */

static bool is_blank(struct json_object *o)
{
    return !json_object_is_type(o, json_type_string) ||
           json_object_get_string(o)[strspn(json_object_get_string(o), " \t\r\n")] == '\0';
}

static enum status check_options(const struct mcp_arg *arg, struct json_object *list, struct error *e)
{
    if (!json_object_is_type(list, json_type_array))
        return fail(e, ST_INVALID, "%s must be an array of strings or {label, value}.", arg->name);
    size_t count = json_object_array_length(list);
    if (count > MCP_OPTIONS_MAX)
        return fail(e, ST_LIMIT, "%s has %zu entries; %d at most.", arg->name, count, MCP_OPTIONS_MAX);
    for (size_t i = 0; i < count; i++) {
        struct json_object *one = json_object_array_get_idx(list, i);
        struct json_object *label = json_object_is_type(one, json_type_object) ? json_at(one, "label") : one;
        if (is_blank(label))
            return fail(e, ST_INVALID, "%s[%zu] must be a string or an object with a label.", arg->name, i);
        if (json_has(one, "value") && is_blank(json_at(one, "value")))
            return fail(e, ST_INVALID, "%s[%zu].value must be a string.", arg->name, i);
    }
    return OK;
}

static bool is_choice(const char *choices, const char *s)
{
    for (size_t len; *choices; choices += len + (choices[len] == '|')) {
        len = strcspn(choices, "|");
        if (strlen(s) == len && memcmp(s, choices, len) == 0)
            return true;
    }
    return false;
}

static enum status check_arg(const struct mcp_arg *arg, struct json_object *v, struct error *e)
{
    switch (arg->type) {
    case MCP_SPAN:
        if (json_object_is_type(v, json_type_int))
            return OK;
        /* fall through */
    case MCP_TEXT:
        return is_blank(v) ? fail(e, ST_INVALID, "%s must be a string that is not empty.", arg->name) : OK;
    case MCP_CHOICE:
        if (json_object_is_type(v, json_type_string) && is_choice(arg->choices, json_object_get_string(v)))
            return OK;
        return fail(e, ST_INVALID, "%s must be one of %s.", arg->name, arg->choices);
    case MCP_FLAG:
        return json_object_is_type(v, json_type_boolean) ? OK
                                                         : fail(e, ST_INVALID, "%s must be true or false.", arg->name);
    case MCP_OPTIONS:
        return check_options(arg, v, e);
    case MCP_OBJECT:
        break;
    }
    return json_object_is_type(v, json_type_object) ? OK : fail(e, ST_INVALID, "%s must be an object.", arg->name);
}

static enum status check_arguments(const struct mcp_tool *tool, struct json_object *arguments, struct error *e)
{
    for (const struct mcp_arg *arg = tool->args; arg->name; arg++)
        if (arg->required && !json_has(arguments, arg->name))
            return fail(e, ST_INVALID, "%s needs %s.", tool->name, arg->name);
    json_object_object_foreach(arguments, name, value)
    {
        const struct mcp_arg *arg = arg_find(tool, name);
        if (!arg && !tool->open)
            return fail(e, ST_INVALID, "%s has no argument \"%.60s\".", tool->name, name);
        if (arg && value && check_arg(arg, value, e))
            return e->status;
    }
    return OK;
}

/* ---- calls ---- */

enum status mcp_tool_plan(struct arena *arena, const struct mcp_call *call, const char *project, const char *fresh_id,
                          struct mcp_plan *plan, struct error *e)
{
    *plan = (struct mcp_plan){ .count = 0 };
    enum status s = check_arguments(call->tool, call->arguments, e);
    if (s == OK)
        s = call->tool->plan(arena, call, project, fresh_id, plan, e);
    return s;
}

struct json_object *mcp_tool_result(struct arena *arena, const struct mcp_call *call, const struct mcp_plan *plan,
                                    const struct mcp_outcome *outcome)
{
    return call->tool->result(arena, call->arguments, plan, outcome);
}

struct json_object *mcp_text_result(const char *text, bool is_error)
{
    struct json_object *o = json_object_new_object(), *content = json_object_new_array();
    struct json_object *block = json_object_new_object();
    json_set_str(block, "type", "text");
    json_set_str(block, "text", text);
    json_push(content, block);
    json_set(o, "content", content);
    json_set_bool(o, "isError", is_error);
    return o;
}
