/* SPDX-License-Identifier: MIT
 * mcp_ask: the tools ask_human and notify_human: arguments into a card, the person's answer into words for the model.
 * Pure; called on the thread of the call. */
#include "bot/mcp_tools.h"

#include "base/json.h"
#include <string.h>

/* What both cards have; the arguments are checked. */
static struct json_object *card(struct arena *arena, const char *project, const char *type, const char *request_id,
                                struct mcp_plan *plan)
{
    struct json_object *body = json_keep(arena, json_object_new_object());
    json_set_str(body, "project", project);
    json_set_str(body, "type", type);
    json_set_str(body, "request_id", request_id);
    plan->request[0].request_id = request_id;
    plan->request[0].body = body;
    plan->count = 1;
    return body;
}

static void copy(struct json_object *body, const char *as, struct json_object *arguments, const char *name)
{
    struct json_object *v = json_at(arguments, name);
    if (v)
        json_set(body, as, json_object_get(v));
}

/* ---- ask_human ---- */

static enum status ask_plan(struct arena *arena, const struct mcp_call *call, const char *project, const char *fresh_id,
                            struct mcp_plan *plan, struct error *e)
{
    struct json_object *arguments = call->arguments;
    struct json_object *options = json_at(arguments, "options");
    bool has_options = options && json_object_array_length(options) > 0;
    if (json_flag(arguments, "multi", false) && !has_options)
        return fail(e, ST_INVALID, "multi needs options to choose from.");
    struct json_object *body = card(arena, project, "blocking", fresh_id, plan);
    copy(body, "message", arguments, "question");
    if (has_options)
        copy(body, "buttons", arguments, "options");
    copy(body, "details", arguments, "details");
    copy(body, "multi", arguments, "multi");
    copy(body, "expires_in", arguments, "expires_in");
    copy(body, "risk", arguments, "risk");
    return OK;
}

static struct json_object *structured(const char *status)
{
    struct json_object *o = json_object_new_object();
    json_set_str(o, "status", status);
    return o;
}

static struct json_object *ask_failure(const char *status, const char *sentence)
{
    struct json_object *result = mcp_text_result(sentence, true);
    json_set(result, "structuredContent", structured(status));
    return result;
}

static struct json_object *ask_answer(struct json_object *state)
{
    static const char *const told[] = { "by", "at", "how" };
    const char *answer = json_str(state, "response", "");
    struct json_object *result = mcp_text_result(answer, false), *s = structured("responded");
    json_set_str(s, "answer", answer);
    if (json_object_is_type(json_at(state, "responses"), json_type_array))
        json_set(s, "answers", json_object_get(json_at(state, "responses")));
    json_set_bool(s, "free_text", json_flag(state, "free_text", false));
    for (size_t i = 0; i < sizeof told / sizeof *told; i++)
        if (json_str(state, told[i], NULL))
            json_set_str(s, told[i], json_str(state, told[i], NULL));
    json_set(result, "structuredContent", s);
    return result;
}

static struct json_object *ask_result(struct arena *arena, struct json_object *arguments, const struct mcp_plan *plan,
                                      const struct mcp_outcome *outcome)
{
    (void)arguments, (void)plan;
    struct json_object *state = outcome->state[0];
    const char *status = json_str(state, "status", ""), *reason = json_str(state, "reason", "");
    if (outcome->failure)
        return ask_failure("failed", outcome->failure);
    if (strcmp(status, "responded") == 0 && json_str(state, "response", NULL))
        return ask_answer(state);
    if (strcmp(status, "expired") == 0)
        return ask_failure("expired", "Nobody answered before the question expired. Do not assume an answer.");
    if (strcmp(status, "cancelled") == 0)
        return ask_failure("cancelled", arena_printf(arena, "The question was withdrawn before anyone answered%s%s.",
                                                     *reason ? ": " : "", reason));
    return ask_failure("failed", "The server's answer was not understood. Do not assume an answer.");
}

static void property(struct json_object *properties, const char *name, const char *type, const char *doc)
{
    struct json_object *o = json_object_new_object();
    json_set_str(o, "type", type);
    json_set_str(o, "description", doc);
    json_set(properties, name, o);
}

static struct json_object *ask_output(void)
{
    static const char *const status[] = { "responded", "expired", "cancelled", "failed" };
    struct json_object *o = json_object_new_object(), *p = json_object_new_object();
    struct json_object *required = json_object_new_array(), *list = json_object_new_array();
    struct json_object *items = json_object_new_object();
    property(p, "status", "string", "responded: there is an answer. Otherwise there is none.");
    for (size_t i = 0; i < sizeof status / sizeof *status; i++)
        json_push(list, json_object_new_string(status[i]));
    json_set(json_at(p, "status"), "enum", list);
    property(p, "answer", "string", "The value of the chosen option (several: joined with \", \"), or the words.");
    property(p, "answers", "array", "With multi: the values of all chosen options.");
    json_set_str(items, "type", "string");
    json_set(json_at(p, "answers"), "items", items);
    property(p, "free_text", "boolean", "The person wrote words of their own instead of choosing an option.");
    property(p, "by", "string", "Who answered.");
    property(p, "at", "string", "When, in UTC.");
    property(p, "how", "string", "tap, reply, text, default or console.");
    json_push(required, json_object_new_string("status"));
    json_set_str(o, "type", "object");
    json_set(o, "properties", p);
    json_set(o, "required", required);
    return o;
}

const struct mcp_tool mcp_tool_ask = {
    .name = "ask_human",
    .title = "Ask the person",
    .doc =
        "Asks the person a question on their phone and waits for the answer, which may take minutes or hours. Use it "
        "when you cannot go on without a decision, a missing fact or a go-ahead. With options the person taps one, "
        "but may still answer in words of their own: look at free_text. An error result means that nobody "
        "answered; that is no consent.",
    .args = { { "question", MCP_TEXT, true, NULL,
                "The question, understandable on its own: the person may not see your session." },
              { "options", MCP_OPTIONS, false, NULL, "Buttons to choose from. Leave out for an answer in words." },
              { "details", MCP_TEXT, false, NULL,
                "More to read before deciding: a diff, a log, a plan. Shown as it is, never cut." },
              { "multi", MCP_FLAG, false, NULL, "Several options may be chosen." },
              { "expires_in", MCP_SPAN, false, NULL,
                "How long the question stands: \"90s\", \"30m\", \"24h\" or \"never\"." },
              { "risk", MCP_CHOICE, false, "normal|high",
                "high: a wrong tap would do harm that cannot be undone; a tap then needs a second step." } },
    .waits = true,
    .output = ask_output,
    .plan = ask_plan,
    .result = ask_result,
};

/* ---- notify_human ---- */

static enum status notify_plan(struct arena *arena, const struct mcp_call *call, const char *project,
                               const char *fresh_id, struct mcp_plan *plan, struct error *e)
{
    (void)e;
    struct json_object *arguments = call->arguments;
    struct json_object *body = card(arena, project, json_str(arguments, "type", "milestone"), fresh_id, plan);
    copy(body, "message", arguments, "message");
    copy(body, "details", arguments, "details");
    return OK;
}

static struct json_object *notify_result(struct arena *arena, struct json_object *arguments,
                                         const struct mcp_plan *plan, const struct mcp_outcome *outcome)
{
    (void)arena, (void)arguments, (void)plan;
    if (outcome->failure)
        return mcp_text_result(outcome->failure, true);
    return mcp_text_result(json_str(outcome->state[0], "message_id", NULL) ? "The message was sent."
                                                                           : "The message is stored and on its way.",
                           false);
}

const struct mcp_tool mcp_tool_notify = {
    .name = "notify_human",
    .title = "Tell the person",
    .doc = "Sends the person a message on their phone and goes on at once. Use it for a finished piece of work "
           "(milestone) or for trouble they should know about (error), not for every step. It cannot be answered: use "
           "ask_human for questions.",
    .args = { { "message", MCP_TEXT, true, NULL, "What to tell, in one or two sentences." },
              { "type", MCP_CHOICE, false, "milestone|error", "milestone when left out." },
              { "details", MCP_TEXT, false, NULL, "More to read: a log, a summary. Shown as it is." } },
    .plan = notify_plan,
    .result = notify_result,
};
