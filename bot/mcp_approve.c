/* SPDX-License-Identifier: MIT
 * mcp_approve: the tool approve, for an agent's `--permission-prompt-tool`: the tool call becomes the same cards as a
 * hook's (router/hook.h), the answers become {"behavior": …}.  It fails closed: every path that is not plainly an allow
 * is a deny with a reason.  Pure; called on the thread of the call. */
#include "bot/mcp_tools.h"

#include "base/json.h"
#include <string.h>

/* The prompt as the hook would put it that answers the same prompt. */
static struct json_object *hook_body(struct arena *arena, struct json_object *arguments)
{
    struct json_object *body = json_keep(arena, json_object_new_object());
    json_set_str(body, "hook_event_name", "PermissionRequest");
    json_set_str(body, "session_id", "mcp");
    json_set_str(body, "permission_mode", "default");
    json_set_str(body, "tool_name", json_str(arguments, "tool_name", ""));
    json_set(body, "tool_input", json_object_get(json_at(arguments, "input")));
    if (json_has(arguments, "tool_use_id"))
        json_set_str(body, "tool_use_id", json_str(arguments, "tool_use_id", ""));
    return body;
}

static struct json_object *buttons(const struct hook_question *q)
{
    struct json_object *list = json_object_new_array();
    for (int i = 0; i < q->button_count; i++) {
        struct json_object *o = json_object_new_object();
        json_set_str(o, "label", q->buttons[i].label);
        json_set_str(o, "value", q->buttons[i].value);
        if (q->buttons[i].style)
            json_set_str(o, "style", q->buttons[i].style);
        if (q->buttons[i].safe)
            json_set_bool(o, "safe", true);
        json_push(list, o);
    }
    return list;
}

static struct json_object *card(struct arena *arena, const char *project, const char *request_id,
                                const struct hook_question *q)
{
    struct json_object *body = json_keep(arena, json_object_new_object());
    json_set_str(body, "project", project);
    json_set_str(body, "type", "blocking");
    json_set_str(body, "request_id", request_id);
    json_set_str(body, "message", q->message);
    if (q->details)
        json_set_str(body, "details", q->details);
    if (q->details && q->details_name)
        json_set_str(body, "details_name", q->details_name);
    if (q->button_count > 0)
        json_set(body, "buttons", buttons(q));
    if (q->multi)
        json_set_bool(body, "multi", true);
    return body;
}

static enum status approve_plan(struct arena *arena, const struct mcp_call *call, const char *project,
                                const char *fresh_id, struct mcp_plan *plan, struct error *e)
{
    struct hook *hook = arena_alloc(arena, sizeof *hook);
    enum status s = hook_read_as(arena, HOOK_CLAUDE, call->client, hook_body(arena, call->arguments), project, hook, e);
    if (s != OK)
        return s;
    if (hook->kind != HOOK_ASK || hook->question_count < 1)
        return fail(e, ST_INVALID, "This tool call cannot be put to a person.");
    /* The same call asked again is the same request; the prefix keeps it apart from the hook's own. */
    const char *key = hook_has_call_id(hook) ? arena_printf(arena, "mcp:%s", hook_key(arena, hook)) : fresh_id;
    for (int i = 0; i < hook->question_count; i++) {
        const char *id = i == 0 ? key : arena_printf(arena, "%s:%d", key, i + 1);
        plan->request[i].request_id = id;
        plan->request[i].body = card(arena, hook->project, id, &hook->questions[i]);
    }
    plan->count = hook->question_count;
    plan->hook = hook;
    return OK;
}

/* ---- the decision ---- */

static struct json_object *deny(struct arena *arena, const char *message)
{
    struct json_object *o = json_keep(arena, json_object_new_object());
    json_set_str(o, "behavior", "deny");
    json_set_str(o, "message", message);
    return o;
}

static struct hook_answer answer_of(struct json_object *state)
{
    const char *status = json_str(state, "status", "");
    struct hook_answer a = { .outcome = HOOK_CANCELLED, .by = json_str(state, "by", NULL) };
    if (strcmp(status, "responded") == 0 && json_str(state, "response", NULL)) {
        a.outcome = HOOK_ANSWERED;
        a.value = json_str(state, "response", NULL);
        a.free_text = json_flag(state, "free_text", true);
        if (strcmp(json_str(state, "how", ""), "console") == 0)
            a.via = "the console page";
    } else if (strcmp(status, "expired") == 0) {
        a.outcome = HOOK_EXPIRED;
    } else {
        a.why = json_str(state, "reason", NULL);
    }
    return a;
}

/* The decision of the hook as the host of a prompt tool reads it: an allow always names the input it allows, and
 * nothing else goes with it. */
static struct json_object *translate(struct arena *arena, struct json_object *output, struct json_object *arguments)
{
    struct json_object *decision = json_at(output, "hookSpecificOutput.decision");
    if (strcmp(json_str(decision, "behavior", "deny"), "allow") != 0)
        return deny(arena, json_str(decision, "message", "Not allowed."));
    struct json_object *o = json_keep(arena, json_object_new_object()), *updated = json_at(decision, "updatedInput");
    json_set_str(o, "behavior", "allow");
    json_set(o, "updatedInput", json_object_get(updated ? updated : json_at(arguments, "input")));
    return o;
}

static struct json_object *approve_result(struct arena *arena, struct json_object *arguments,
                                          const struct mcp_plan *plan, const struct mcp_outcome *outcome)
{
    struct hook_answer answers[HOOK_QUESTIONS_MAX];
    struct json_object *o;
    if (outcome->failure || !plan->hook) {
        o = deny(arena, arena_printf(arena, "Not allowed, because nobody could be asked: %s",
                                     outcome->failure ? outcome->failure : "there was no question."));
    } else {
        for (int i = 0; i < plan->count; i++)
            answers[i] = answer_of(outcome->state[i]);
        o = translate(arena, hook_decide(arena, plan->hook, answers, plan->count), arguments);
    }
    return mcp_text_result(json_text(arena, o), false);
}

const struct mcp_tool mcp_tool_approve = {
    .name = "approve",
    .title = "Answer a permission prompt",
    .doc =
        "For the host of the agent only (--permission-prompt-tool): asks the person on their phone whether a tool call "
        "may run, and answers {\"behavior\":\"allow\",\"updatedInput\":…} or {\"behavior\":\"deny\",\"message\":…}. "
        "Do not call it yourself; use ask_human for questions.",
    .args = { { "tool_name", MCP_TEXT, true, NULL, "The tool that asks for permission." },
              { "input", MCP_OBJECT, true, NULL, "Its input, as it would run." },
              { "tool_use_id", MCP_TEXT, false, NULL, "The id of this tool call." } },
    .open = true,
    .waits = true,
    .plan = approve_plan,
    .result = approve_result,
};
