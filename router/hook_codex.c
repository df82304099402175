/* SPDX-License-Identifier: MIT
 * hook_codex: the hooks of the Codex CLI: PermissionRequest, PreToolUse, and its older notify program.
 * Called by hook.c through the table at the end; pure.  Codex refuses a decision with one field it does not know and
 * then goes on as if there were none: nothing is put in but what its schema names, and no reason is empty. */
#include "router/hook_internal.h"

static enum status read_permission(struct arena *arena, struct hook *hook, struct error *e)
{
    enum status s = hook_read_tool(hook, e);
    struct hook_question *q = &hook->questions[0];
    if (s != OK)
        return s;
    hook->kind = HOOK_ASK;
    hook->question_count = 1;
    q->free_text = true;
    hook_add_button(q, "Allow", "allow", "success", false);
    hook_add_button(q, "Deny", "deny", "danger", true);
    return hook_show_tool(arena, hook, NULL, q, e);
}

static struct json_object *decide_request(struct arena *arena, const struct hook *hook,
                                          const struct hook_answer *answers, int count)
{
    struct hook_verdict v = hook_judge(arena, hook, answers, count);
    struct json_object *inner, *out = hook_output(hook, &inner), *decision = json_object_new_object();
    json_set_str(decision, "behavior", v.allowed ? "allow" : "deny");
    if (!v.allowed)
        json_set_str(decision, "message", v.sentence);
    json_set(inner, "decision", decision);
    return out;
}

/* A bare allow is refused here, and an allow that rewrites the input would be one nobody asked for: a yes is silence,
 * after which Codex' own rules decide. */
static struct json_object *decide_tool_use(struct arena *arena, const struct hook *hook,
                                           const struct hook_answer *answers, int count)
{
    struct hook_verdict v = hook_judge(arena, hook, answers, count);
    struct json_object *inner;
    if (v.allowed)
        return NULL;
    struct json_object *out = hook_output(hook, &inner);
    json_set_str(inner, "permissionDecision", "deny");
    json_set_str(inner, "permissionDecisionReason", v.sentence);
    return out;
}

static enum status read_turn_complete(struct arena *arena, struct hook *hook, struct error *e)
{
    const char *last;
    enum status s = hook_may_text(hook->body, "last-assistant-message", &last, e);
    if (s != OK)
        return s;
    hook->kind = HOOK_TELL;
    hook->type = "milestone";
    hook_compose(arena, arena_printf(arena, "%s is done", hook_agent(arena, hook)), last ? last : "", &hook->message,
                 &hook->details, &hook->details_name);
    return OK;
}

const struct hook_event hook_codex_events[] = {
    { "PermissionRequest", "session_id", true, read_permission, decide_request, NULL },
    { "PreToolUse", "session_id", true, read_permission, decide_tool_use, NULL },
    { "agent-turn-complete", "thread-id", false, read_turn_complete, NULL, NULL },
    { NULL, NULL, false, NULL, NULL, NULL },
};
