/* SPDX-License-Identifier: MIT
 * hook_claude: the hooks of Claude Code: PermissionRequest, PreToolUse, Notification, Stop.
 * Called by hook.c through the table at the end; pure.  A permission is never given by silence: what is no clear yes is
 * an explicit deny with a sentence for the model. */
#include "base/buf.h"
#include "router/hook_internal.h"
#include <string.h>

/* --- what "always" would mean --- */

struct suggestion_row {
    const char *type;
    const char *what;   /* said before the items */
    const char *member; /* text, or an array of text or rules */
};

/* Only what widens permissions in a way that can be said on a button. */
static const struct suggestion_row suggestion_table[] = {
    { "addRules", "", "rules" },
    { "replaceRules", "only ", "rules" },
    { "setMode", "mode ", "mode" },
    { "addDirectories", "directory ", "directories" },
};

static const struct suggestion_row *suggestion_row(struct json_object *suggestion)
{
    const char *type = json_str(suggestion, "type", "");
    for (size_t i = 0; i < sizeof suggestion_table / sizeof *suggestion_table; i++) {
        if (strcmp(suggestion_table[i].type, type) == 0)
            return &suggestion_table[i];
    }
    return NULL;
}

static const char *item_text(struct arena *arena, struct json_object *item)
{
    const char *tool = json_str(item, "toolName", NULL), *content = json_str(item, "ruleContent", NULL);
    if (json_object_is_type(item, json_type_string))
        return json_object_get_string(item);
    if (!tool)
        return json_text(arena, item);
    return content ? arena_printf(arena, "%s(%s)", tool, content) : tool;
}

/* "Bash(npm test:*), Read" */
static const char *suggestion_text(struct arena *arena, struct json_object *suggestion)
{
    const struct suggestion_row *row = suggestion_row(suggestion);
    struct json_object *items = json_at(suggestion, row->member);
    struct buf b;
    if (!json_object_is_type(items, json_type_array))
        return arena_printf(arena, "%s%s", row->what, item_text(arena, items));
    buf_init_in(&b, arena, HOOK_TEXT_BYTES_MAX);
    buf_puts(&b, row->what);
    for (size_t i = 0; i < json_object_array_length(items); i++)
        buf_printf(&b, "%s%s", i ? ", " : "", item_text(arena, json_object_array_get_idx(items, i)));
    return buf_str(&b);
}

/* The suggestions that are offered, in the order of their buttons; returns how many. */
static int offered(const struct hook *hook, struct json_object *out[HOOK_SUGGESTIONS_MAX])
{
    struct json_object *all = json_at(hook->body, "permission_suggestions");
    int count = 0;
    for (size_t i = 0; json_object_is_type(all, json_type_array) && i < json_object_array_length(all); i++) {
        struct json_object *s = json_object_array_get_idx(all, i);
        const struct suggestion_row *row = suggestion_row(s);
        if (row && json_has(s, row->member) && strcmp(json_str(s, "behavior", "allow"), "allow") == 0 &&
            count < HOOK_SUGGESTIONS_MAX)
            out[count++] = s;
    }
    return count;
}

static bool is_for_session(struct json_object *suggestion)
{
    return strcmp(json_str(suggestion, "destination", ""), "session") == 0;
}

/* Buttons "session" (the first suggestion, for this session only) and "always-1" … "always-3". */
static void add_suggestions(struct arena *arena, const struct hook *hook, struct hook_question *q)
{
    struct json_object *s[HOOK_SUGGESTIONS_MAX];
    int count = offered(hook, s);
    if (count > 0 && !is_for_session(s[0]))
        hook_add_button(q, "Allow for this session", "session", NULL, false);
    for (int i = 0; i < count; i++) {
        const char *label = arena_printf(arena, "%s: %s", is_for_session(s[i]) ? "This session" : "Always",
                                         suggestion_text(arena, s[i]));
        hook_add_button(q, hook_label(arena, label, HOOK_LABEL_UNITS_MAX), arena_printf(arena, "always-%d", i + 1),
                        NULL, false);
    }
}

/* The same in full, as lines of the message: a button's label may be cut. */
static const char *suggestions_note(struct arena *arena, const struct hook *hook)
{
    struct json_object *s[HOOK_SUGGESTIONS_MAX];
    int count = offered(hook, s);
    struct buf b;
    buf_init_in(&b, arena, HOOK_TEXT_BYTES_MAX);
    for (int i = 0; i < count; i++) {
        const char *place = json_str(s[i], "destination", NULL), *text = suggestion_text(arena, s[i]);
        if (is_for_session(s[i]))
            buf_printf(&b, "%sThis session: %s", i ? "\n" : "", text);
        else
            buf_printf(&b, "%sAlways%s%s%s: %s", i ? "\n" : "", place ? " (" : "", place ? place : "", place ? ")" : "",
                       text);
    }
    if (count > 0 && !is_for_session(s[0]))
        buf_printf(&b, "\nFor this session: %s", suggestion_text(arena, s[0]));
    return buf_str(&b);
}

/* The permissions the button `value` adds: an array, or NULL for none. */
static struct json_object *added_permissions(const struct hook *hook, const char *value)
{
    struct json_object *s[HOOK_SUGGESTIONS_MAX], *added = NULL, *list;
    int count = offered(hook, s);
    for (int i = 0; i < count && strncmp(value, "always-", 7) == 0; i++) {
        if (value[7] == '1' + i)
            added = json_object_get(s[i]);
    }
    if (count > 0 && strcmp(value, "session") == 0) {
        added = json_object_new_object();
        json_object_object_foreach(s[0], name, member)
        {
            json_set(added, name, json_object_get(member));
        }
        json_set_str(added, "destination", "session");
    }
    if (!added)
        return NULL;
    list = json_object_new_array();
    json_push(list, added);
    return list;
}

/* --- permissions --- */

static enum status read_permission(struct arena *arena, struct hook *hook, const char *note, struct error *e)
{
    struct hook_question *q = &hook->questions[0];
    hook->kind = HOOK_ASK;
    hook->question_count = 1;
    q->free_text = true;
    hook_add_button(q, "Allow", "allow", "success", false);
    hook_add_button(q, "Deny", "deny", "danger", true);
    return hook_show_tool(arena, hook, note, q, e);
}

static bool asks_questions(const struct hook *hook)
{
    const struct hook_tool *tool = hook_tool_find(hook->tool);
    return tool && tool->questions;
}

/* What an allow carries as updatedInput; NULL = it needs none. */
static struct json_object *echoed_input(const struct hook *hook)
{
    const struct hook_tool *tool = hook_tool_find(hook->tool);
    return tool && tool->echo_input ? hook_input_copy(hook) : NULL;
}

static enum status read_request(struct arena *arena, struct hook *hook, struct error *e)
{
    enum status s = hook_read_tool(hook, e);
    struct json_object *suggestions = json_at(hook->body, "permission_suggestions");
    if (s == OK && suggestions && !json_object_is_type(suggestions, json_type_array))
        return fail(e, ST_INVALID, "The hook's \"permission_suggestions\" must be an array.");
    if (s == OK && asks_questions(hook))
        return hook_read_questions(arena, hook, e);
    if (s == OK)
        s = read_permission(arena, hook, suggestions_note(arena, hook), e);
    if (s == OK)
        add_suggestions(arena, hook, &hook->questions[0]);
    return s;
}

static struct json_object *request_answer(const struct hook *hook, bool allowed, const char *sentence,
                                          struct json_object *input, struct json_object *permissions)
{
    struct json_object *inner, *out = hook_output(hook, &inner), *decision = json_object_new_object();
    json_set_str(decision, "behavior", allowed ? "allow" : "deny");
    if (!allowed)
        json_set_str(decision, "message", sentence);
    if (input)
        json_set(decision, "updatedInput", input);
    if (permissions)
        json_set(decision, "updatedPermissions", permissions);
    json_set(inner, "decision", decision);
    return out;
}

static struct json_object *decide_request(struct arena *arena, const struct hook *hook,
                                          const struct hook_answer *answers, int count)
{
    const char *why = NULL;
    if (asks_questions(hook)) {
        struct json_object *input = hook_answered_input(arena, hook, answers, count, &why);
        return request_answer(hook, input != NULL, why, input, NULL);
    }
    struct hook_verdict v = hook_judge(arena, hook, answers, count);
    if (!v.allowed)
        return request_answer(hook, false, v.sentence, NULL, NULL);
    return request_answer(hook, true, NULL, echoed_input(hook), added_permissions(hook, v.value));
}

static enum status read_tool_use(struct arena *arena, struct hook *hook, struct error *e)
{
    enum status s = hook_read_tool(hook, e);
    if (s == OK && asks_questions(hook))
        return hook_read_questions(arena, hook, e);
    if (s == OK)
        s = read_permission(arena, hook, NULL, e);
    if (s == OK)
        hook_add_button(&hook->questions[0], "Ask at the terminal", "ask", NULL, true);
    return s;
}

static struct json_object *tool_use_answer(const struct hook *hook, const char *decision, const char *reason,
                                           struct json_object *input)
{
    struct json_object *inner, *out = hook_output(hook, &inner);
    json_set_str(inner, "permissionDecision", decision);
    json_set_str(inner, "permissionDecisionReason", reason);
    if (input)
        json_set(inner, "updatedInput", input);
    return out;
}

static struct json_object *decide_tool_use(struct arena *arena, const struct hook *hook,
                                           const struct hook_answer *answers, int count)
{
    const char *why = NULL;
    if (asks_questions(hook)) {
        struct json_object *input = hook_answered_input(arena, hook, answers, count, &why);
        return tool_use_answer(hook, input ? "allow" : "deny", input ? hook_by(arena, "answered", answers) : why,
                               input);
    }
    struct hook_verdict v = hook_judge(arena, hook, answers, count);
    if (v.allowed)
        return tool_use_answer(hook, "allow", v.sentence, echoed_input(hook));
    if (v.value && strcmp(v.value, "ask") == 0)
        return tool_use_answer(hook, "ask", hook_by(arena, "left to the terminal", answers), NULL);
    return tool_use_answer(hook, "deny", v.sentence, NULL);
}

/* --- what is only told --- */

static void tell(struct arena *arena, struct hook *hook, const char *type, const char *title, const char *text)
{
    hook->kind = HOOK_TELL;
    hook->type = type;
    hook_compose(arena, title, text, &hook->message, &hook->details, &hook->details_name);
}

struct notice_row {
    const char *type;
    bool told;
    bool drop_if_asked;
};

/* Types without a row are told. */
static const struct notice_row notice_table[] = {
    { "permission_prompt", true, true }, /* six seconds after a request that may be on the phone already */
    { "elicitation_dialog", true, true },     { "auth_success", false, false },
    { "elicitation_complete", false, false }, { "elicitation_response", false, false },
};

static enum status read_notice(struct arena *arena, struct hook *hook, struct error *e)
{
    struct notice_row row = { "", true, false };
    const char *message, *title, *type;
    enum status s = hook_need_text(hook->body, "message", &message, e);
    if (s == OK)
        s = hook_may_text(hook->body, "title", &title, e);
    if (s == OK)
        s = hook_may_text(hook->body, "notification_type", &type, e);
    if (s != OK)
        return s;
    for (size_t i = 0; i < sizeof notice_table / sizeof *notice_table; i++) {
        if (strcmp(notice_table[i].type, type ? type : "") == 0)
            row = notice_table[i];
    }
    if (!row.told)
        return OK;
    /* Before types there was only the sentence. */
    hook->drop_if_asked = row.drop_if_asked || (!type && strstr(message, "needs your permission"));
    tell(arena, hook, "milestone",
         title && *title ? hook_label(arena, title, HOOK_PROJECT_UNITS_MAX) : hook_agent(arena, hook), message);
    return OK;
}

static enum status read_stop(struct arena *arena, struct hook *hook, struct error *e)
{
    const char *last;
    enum status s = hook_may_text(hook->body, "last_assistant_message", &last, e);
    struct json_object *tasks = json_at(hook->body, "background_tasks");
    size_t running = json_object_is_type(tasks, json_type_array) ? json_object_array_length(tasks) : 0;
    const char *title = arena_printf(arena, "%s is done", hook_agent(arena, hook));
    if (running > 0)
        title = arena_printf(arena, "%s; still in the background: %zu", title, running);
    if (s == OK)
        tell(arena, hook, "milestone", title, last ? last : "");
    return s;
}

/* The turn ended because the model could not be reached. */
static enum status read_stop_failure(struct arena *arena, struct hook *hook, struct error *e)
{
    const char *what, *details;
    enum status s = hook_may_text(hook->body, "error", &what, e);
    if (s == OK)
        s = hook_may_text(hook->body, "error_details", &details, e);
    if (s != OK)
        return s;
    const char *title = arena_printf(arena, "%s stopped: %s", hook_agent(arena, hook),
                                     hook_label(arena, what ? what : "an error", HOOK_PROJECT_UNITS_MAX));
    tell(arena, hook, "error", title, details ? details : "");
    return OK;
}

static bool wait_after_stop(struct arena *arena, struct hook *hook)
{
    struct hook_question *q = &hook->questions[0];
    hook->kind = HOOK_ASK;
    hook->question_count = 1;
    q->message = arena_printf(arena, "%s\n\nWhat next?", hook->message);
    q->details = hook->details;
    q->details_name = hook->details_name;
    q->free_text = true;
    hook_add_button(q, "Done", "done", NULL, true);
    return true;
}

/* Words keep the agent going; everything else lets it stop. */
static struct json_object *decide_stop(struct arena *arena, const struct hook *hook, const struct hook_answer *answers,
                                       int count)
{
    (void)hook;
    if (count < 1 || hook_no_answer(arena, answers) || !answers->free_text)
        return NULL;
    struct json_object *out = json_object_new_object();
    json_set_str(out, "decision", "block");
    json_set_str(out, "reason", answers->value);
    return out;
}

const struct hook_event hook_claude_events[] = {
    { "PermissionRequest", "session_id", true, read_request, decide_request, NULL },
    { "PreToolUse", "session_id", true, read_tool_use, decide_tool_use, NULL },
    { "Notification", "session_id", true, read_notice, NULL, NULL },
    { "Stop", "session_id", true, read_stop, decide_stop, wait_after_stop },
    { "StopFailure", "session_id", true, read_stop_failure, NULL, NULL },
    { NULL, NULL, false, NULL, NULL, NULL },
};
