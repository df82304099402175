/* SPDX-License-Identifier: MIT
 * test_hook: the agents' hooks: what is asked, and the decisions field for field in each dialect. */
#include "base/secrets.h"
#include "router/hook.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct arena *a;
static struct error e;
static void begin(void)
{
    a = arena_new();
}
static void end(void)
{
    arena_free(a);
}

static struct json_object *parse(const char *text)
{
    struct json_object *o = NULL;
    ck_assert_msg(json_parse_in(a, text, strlen(text), &o, &e) == OK, "%s: %s", e.text, text);
    return o;
}

static struct hook *hook_of(enum hook_dialect dialect, const char *body)
{
    struct hook *hook = arena_alloc(a, sizeof *hook);
    ck_assert_msg(hook_read(a, dialect, parse(body), NULL, hook, &e) == OK, "%s: %s", e.text, body);
    return hook;
}

static enum status refused(enum hook_dialect dialect, const char *body)
{
    struct hook hook;
    return hook_read(a, dialect, parse(body), NULL, &hook, &e);
}

static const struct hook_button *button(const struct hook *hook, const char *value)
{
    for (int i = 0; i < hook->questions[0].button_count; i++)
        if (strcmp(hook->questions[0].buttons[i].value, value) == 0)
            return &hook->questions[0].buttons[i];
    return NULL;
}

/* The decision as text; "" = none. */
static const char *decided(const struct hook *hook, struct hook_answer answer)
{
    struct json_object *decision = hook_decide(a, hook, &answer, 1);
    return decision ? json_text(a, decision) : "";
}
static const char *tapped(const struct hook *hook, const char *value)
{
    return decided(hook, (struct hook_answer){ HOOK_ANSWERED, .value = value, .by = "Anna" });
}
static const char *said(const struct hook *hook, const char *words)
{
    return decided(hook, (struct hook_answer){ HOOK_ANSWERED, .value = words, .free_text = true, .by = "Anna" });
}

#define HEAD                                                                                                           \
    "\"session_id\":\"abc\",\"transcript_path\":\"/t.jsonl\",\"cwd\":\"/home/me/my-app/"                               \
    "\",\"permission_mode\":\"default\","
#define TOOL(event, tool, input)                                                                                       \
    "{" HEAD "\"hook_event_name\":\"" event "\",\"tool_name\":\"" tool "\",\"tool_input\":" input "}"
#define OUTPUT(event, rest) "{\"hookSpecificOutput\":{\"hookEventName\":\"" event "\"," rest "}}"
#define REQUEST(rest) OUTPUT("PermissionRequest", "\"decision\":{" rest "}")
#define USE(decision, reason)                                                                                          \
    OUTPUT("PreToolUse", "\"permissionDecision\":\"" decision "\",\"permissionDecisionReason\":\"" reason "\"")

#define RULE                                                                                                           \
    "{\"type\":\"addRules\",\"rules\":[{\"toolName\":\"Bash\",\"ruleContent\":\"rm -rf node_modules\"}],"              \
    "\"behavior\":\"allow\",\"destination\":\""
#define RM_INPUT "{\"command\":\"rm -rf node_modules\",\"description\":\"Remove node_modules\"}"
#define RM_REQUEST                                                                                                     \
    "{" HEAD "\"hook_event_name\":\"PermissionRequest\",\"tool_name\":\"Bash\",\"tool_input\":" RM_INPUT               \
    ",\"permission_suggestions\":[" RULE "localSettings\"}]}"

/* --- Claude: PermissionRequest --- */

START_TEST(claude_request_asks)
{
    struct hook *h = hook_of(HOOK_CLAUDE, RM_REQUEST);
    const struct hook_question *q = &h->questions[0];
    ck_assert_int_eq(h->kind, HOOK_ASK);
    ck_assert_int_eq(h->question_count, 1);
    ck_assert_str_eq(h->project, "my-app");
    ck_assert_str_eq(h->session, "abc");
    ck_assert_str_eq(q->message, "Claude wants to run a command\nRemove node_modules\n"
                                 "Always (localSettings): Bash(rm -rf node_modules)\n"
                                 "For this session: Bash(rm -rf node_modules)");
    ck_assert_str_eq(q->details, "rm -rf node_modules");
    ck_assert_str_eq(q->details_name, "command.sh");
    ck_assert(q->free_text && !q->multi);
    ck_assert_int_eq(q->button_count, 4);
    ck_assert_str_eq(q->buttons[0].label, "Allow");
    ck_assert(!q->buttons[0].safe && q->buttons[1].safe);
    ck_assert_str_eq(q->buttons[1].label, "Deny");
    ck_assert_str_eq(button(h, "session")->label, "Allow for this session");
    ck_assert_str_eq(button(h, "always-1")->label, "Always: Bash(rm -rf node_modules)");
}
END_TEST

START_TEST(claude_request_decides)
{
    struct hook *h = hook_of(HOOK_CLAUDE, RM_REQUEST);
    ck_assert_str_eq(tapped(h, "allow"), REQUEST("\"behavior\":\"allow\""));
    ck_assert_str_eq(tapped(h, "deny"), REQUEST("\"behavior\":\"deny\",\"message\":\"denied by Anna in Telegram\""));
    ck_assert_str_eq(said(h, "not on a Friday"), REQUEST("\"behavior\":\"deny\",\"message\":\"not on a Friday\""));
    ck_assert_str_eq(tapped(h, "always-1"),
                     REQUEST("\"behavior\":\"allow\",\"updatedPermissions\":[" RULE "localSettings\"}]"));
    ck_assert_str_eq(tapped(h, "session"),
                     REQUEST("\"behavior\":\"allow\",\"updatedPermissions\":[" RULE "session\"}]"));
    /* The body has not been changed by the rewriting. */
    ck_assert_str_eq(json_str(h->body, "permission_suggestions.0.destination", ""), "localSettings");
    ck_assert_str_eq(decided(h, (struct hook_answer){ HOOK_ANSWERED, .value = "deny", .via = "the console" }),
                     REQUEST("\"behavior\":\"deny\",\"message\":\"denied in the console\""));
}
END_TEST

/* Everything that is no clear yes is an explicit no, in each dialect and event. */
START_TEST(no_answer_is_a_deny)
{
    static const struct hook_answer none[] = {
        { HOOK_EXPIRED, .value = "allow" },
        { HOOK_TIMEOUT, .value = "allow" },
        { HOOK_CANCELLED, .value = "allow" },
        { HOOK_CANCELLED, .value = "allow", .why = "wrong number" },
        { HOOK_ANSWERED, .value = NULL },
        { HOOK_ANSWERED, .value = "" },
        { HOOK_ANSWERED, .value = " \n", .free_text = true },
        { HOOK_ANSWERED, .value = "always-1" },                 /* was not offered */
        { HOOK_ANSWERED, .value = "allow", .free_text = true }, /* words are no button */
    };
    static const char *const bodies[] = { TOOL("PermissionRequest", "Bash", "{\"command\":\"ls\"}"),
                                          TOOL("PreToolUse", "Bash", "{\"command\":\"ls\"}"),
                                          TOOL("PermissionRequest", "ExitPlanMode", "{\"plan\":\"x\"}"),
                                          TOOL("PreToolUse", "ExitPlanMode", "{\"plan\":\"x\"}") };
    for (size_t b = 0; b < 8; b++) {
        struct hook *h = hook_of(b % 2 ? HOOK_CODEX : HOOK_CLAUDE, bodies[b / 2]);
        for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
            const char *text = decided(h, none[i]);
            ck_assert_msg(strstr(text, "\"deny\"") && !strstr(text, "\"message\":\"\"") &&
                              !strstr(text, "Reason\":\"\"") && !strstr(text, "\\n\""),
                          "%zu %zu: %s", b, i, text);
        }
        ck_assert(strstr(json_text(a, hook_decide(a, h, NULL, 0)), "\"deny\""));
        ck_assert(strstr(decided(h, none[3]), "wrong number"));
    }
}
END_TEST

START_TEST(claude_suggestions)
{
    struct hook *h = hook_of(
        HOOK_CLAUDE,
        "{" HEAD "\"hook_event_name\":\"PermissionRequest\",\"tool_name\":\"Edit\",\"tool_input\":{},"
        "\"permission_suggestions\":["
        "{\"type\":\"addRules\",\"rules\":[{\"toolName\":\"X\"}],\"behavior\":\"deny\",\"destination\":\"session\"},"
        "{\"type\":\"removeRules\",\"rules\":[{\"toolName\":\"X\"}],\"behavior\":\"allow\"},"
        "{\"type\":\"setMode\",\"mode\":\"acceptEdits\",\"destination\":\"session\"},"
        "{\"type\":\"addDirectories\",\"directories\":[\"/a\",\"/b\"],\"destination\":\"userSettings\"},"
        "{\"type\":\"fromTheFuture\"},"
        "{\"type\":\"addRules\",\"rules\":[{\"toolName\":\"Read\"},{\"toolName\":\"Edit\",\"ruleContent\":\"/x/**\"}]},"
        "{\"type\":\"setMode\",\"mode\":\"plan\",\"destination\":\"session\"}]}");
    ck_assert_int_eq(h->questions[0].button_count, 5); /* three of the seven; the first is for the session already */
    ck_assert_ptr_null(button(h, "session"));
    ck_assert_str_eq(button(h, "always-1")->label, "This session: mode acceptEdits");
    ck_assert_str_eq(button(h, "always-2")->label, "Always: directory /a, /b");
    ck_assert_str_eq(button(h, "always-3")->label, "Always: Read, Edit(/x/**)");
    ck_assert(strstr(tapped(h, "always-2"),
                     "\"updatedPermissions\":[{\"type\":\"addDirectories\",\"directories\":[\"/a\",\"/b\"],"
                     "\"destination\":\"userSettings\"}]"));
    ck_assert(strstr(tapped(h, "session"), "\"deny\""));
    ck_assert(strstr(tapped(h, "always-4"), "\"deny\""));
}
END_TEST

/* --- Claude: PreToolUse --- */

START_TEST(claude_tool_use)
{
    struct hook *h =
        hook_of(HOOK_CLAUDE, TOOL("PreToolUse", "Bash", "{\"command\":\"npm test\",\"description\":\"Run tests\"}"));
    ck_assert_int_eq(h->questions[0].button_count, 3);
    ck_assert_str_eq(tapped(h, "allow"), USE("allow", "approved by Anna in Telegram"));
    ck_assert_str_eq(tapped(h, "deny"), USE("deny", "denied by Anna in Telegram"));
    ck_assert_str_eq(tapped(h, "ask"), USE("ask", "left to the terminal by Anna in Telegram"));
    ck_assert_str_eq(said(h, "use make"), USE("deny", "use make"));
    ck_assert(button(h, "ask")->safe);
}
END_TEST

START_TEST(plans_carry_their_input)
{
    static const char input[] = "{\"plan\":\"# Plan\\n1. token = \\\"abc123def456\\\"\",\"more\":1.50}";
    struct hook *h =
        hook_of(HOOK_CLAUDE, TOOL("PreToolUse", "ExitPlanMode",
                                  "{\"plan\":\"# Plan\\n1. token = \\\"abc123def456\\\"\",\"more\":1.50}"));
    ck_assert_str_eq(h->questions[0].message, "Claude has a plan\nmore: 1.50");
    ck_assert_str_eq(h->questions[0].details, "# Plan\n1. token = \"abc" SECRET_MASK "\"");
    ck_assert_str_eq(h->questions[0].details_name, "plan.md");
    struct json_object *decision = parse(tapped(h, "allow"));
    ck_assert_str_eq(json_str(decision, "hookSpecificOutput.permissionDecision", ""), "allow");
    ck_assert_str_eq(json_text(a, json_at(decision, "hookSpecificOutput.updatedInput")),
                     input); /* unmasked, digit for digit */
    ck_assert(!strstr(tapped(h, "deny"), "updatedInput"));
    h = hook_of(HOOK_CLAUDE, TOOL("PermissionRequest", "ExitPlanMode", "{\"plan\":\"x\"}"));
    ck_assert_str_eq(tapped(h, "allow"), REQUEST("\"behavior\":\"allow\",\"updatedInput\":{\"plan\":\"x\"}"));
}
END_TEST

#define QUESTIONS                                                                                                      \
    "\"questions\":[{\"question\":\"Which "                                                                            \
    "DB?\",\"header\":\"DB\",\"multiSelect\":true,\"options\":[{\"label\":\"SQLite\","                                 \
    "\"description\":\"one "                                                                                           \
    "file\"},{\"label\":\"Postgres\"}]},{\"question\":\"Port?\",\"options\":[{\"label\":\"80\"},"                      \
    "{\"label\":\"8080\"}]}]"

START_TEST(questions_are_cards)
{
    struct hook *h = hook_of(HOOK_CLAUDE, TOOL("PreToolUse", "AskUserQuestion", "{" QUESTIONS "}"));
    ck_assert_int_eq(h->question_count, 2);
    ck_assert_str_eq(h->questions[0].message, "Claude asks: DB\nWhich DB?\n• SQLite: one file");
    ck_assert_str_eq(h->questions[1].message, "Claude asks\nPort?");
    ck_assert(h->questions[0].multi && !h->questions[1].multi && h->questions[0].free_text);
    ck_assert_int_eq(h->questions[0].button_count, 2);
    ck_assert_str_eq(h->questions[0].buttons[1].label, "Postgres");
    ck_assert_str_eq(h->questions[0].buttons[1].value, "option-2");

    struct hook_answer answers[2] = { { HOOK_ANSWERED, .value = "option-1, option-2", .by = "Anna" },
                                      { HOOK_ANSWERED, .value = "9090", .free_text = true, .by = "Anna" } };
    ck_assert_str_eq(json_text(a, hook_decide(a, h, answers, 2)),
                     OUTPUT("PreToolUse", "\"permissionDecision\":\"allow\",\"permissionDecisionReason\":\"answered by "
                                          "Anna in Telegram\",\"updatedInput\":{" QUESTIONS
                                          ",\"answers\":{\"Which DB?\":\"SQLite, Postgres\",\"Port?\":\"9090\"}}"));
    ck_assert(!json_has(h->body, "tool_input.answers"));
    answers[1] = (struct hook_answer){ HOOK_ANSWERED, .value = "option-2" };
    ck_assert(strstr(json_text(a, hook_decide(a, h, answers, 2)), "\"Port?\":\"8080\""));

    h = hook_of(HOOK_CLAUDE, TOOL("PermissionRequest", "AskUserQuestion", "{" QUESTIONS "}"));
    ck_assert_str_eq(json_text(a, hook_decide(a, h, answers, 2)),
                     REQUEST("\"behavior\":\"allow\",\"updatedInput\":{" QUESTIONS
                             ",\"answers\":{\"Which DB?\":\"SQLite, Postgres\",\"Port?\":\"8080\"}}"));
}
END_TEST

START_TEST(questions_without_an_answer)
{
    static const char *const bad[] = {
        "option-0", "option-3", "option-1,option-2",  "option-",   "option-1x",
        "",         "2",        "option-1, option-2", "option-11", "allow",
    };
    struct hook *h = hook_of(HOOK_CLAUDE, TOOL("PreToolUse", "AskUserQuestion", "{" QUESTIONS "}"));
    struct hook_answer answers[2] = { { HOOK_ANSWERED, .value = "option-1" }, { HOOK_ANSWERED, .value = "option-2" } };
    ck_assert(strstr(json_text(a, hook_decide(a, h, answers, 2)), "\"allow\""));
    ck_assert(strstr(json_text(a, hook_decide(a, h, answers, 1)), "\"deny\""));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        answers[1].value = bad[i];
        ck_assert_msg(strstr(json_text(a, hook_decide(a, h, answers, 2)), "\"deny\""), "%s", bad[i]);
    }
    answers[1] = (struct hook_answer){ HOOK_EXPIRED, .value = "option-2" };
    ck_assert(strstr(json_text(a, hook_decide(a, h, answers, 2)), "expired"));
}
END_TEST

/* --- what is told --- */

#define NOTICE(rest) "{" HEAD "\"hook_event_name\":\"Notification\"," rest "}"

START_TEST(claude_notices)
{
    struct hook *h =
        hook_of(HOOK_CLAUDE, NOTICE("\"message\":\"Claude is waiting\",\"notification_type\":\"idle_prompt\""));
    ck_assert_int_eq(h->kind, HOOK_TELL);
    ck_assert_str_eq(h->type, "milestone");
    ck_assert_str_eq(h->message, "Claude\nClaude is waiting");
    ck_assert(!h->drop_if_asked);
    h = hook_of(HOOK_CLAUDE, NOTICE("\"message\":\"m\",\"title\":\"T\",\"notification_type\":\"permission_prompt\""));
    ck_assert(h->kind == HOOK_TELL && h->drop_if_asked);
    ck_assert_str_eq(h->message, "T\nm");
    h = hook_of(HOOK_CLAUDE, NOTICE("\"message\":\"Claude needs your permission to use Bash\""));
    ck_assert(h->kind == HOOK_TELL && h->drop_if_asked);
    h = hook_of(HOOK_CLAUDE, NOTICE("\"message\":\"m\",\"notification_type\":\"auth_success\""));
    ck_assert_int_eq(h->kind, HOOK_NOTHING);
    h = hook_of(HOOK_CLAUDE, NOTICE("\"message\":\"m\",\"notification_type\":\"agent_needs_input\""));
    ck_assert_int_eq(h->kind, HOOK_TELL);
    ck_assert_str_eq(tapped(h, "allow"), "");
    ck_assert(!hook_wait_for_next(a, h));
}
END_TEST

START_TEST(claude_stops)
{
    struct hook *h = hook_of(HOOK_CLAUDE, "{" HEAD "\"hook_event_name\":\"Stop\",\"stop_hook_active\":true,"
                                          "\"last_assistant_message\":\"All tests pass.\"}");
    ck_assert_int_eq(h->kind, HOOK_TELL);
    ck_assert_str_eq(h->message, "Claude is done\nAll tests pass.");
    ck_assert_str_eq(said(h, "go on"), ""); /* it was not asked */
    ck_assert(hook_wait_for_next(a, h));
    ck_assert_int_eq(h->kind, HOOK_ASK);
    ck_assert_int_eq(h->question_count, 1);
    ck_assert_str_eq(h->questions[0].message, "Claude is done\nAll tests pass.\n\nWhat next?");
    ck_assert_str_eq(h->questions[0].buttons[0].label, "Done");
    ck_assert(h->questions[0].free_text);
    ck_assert_str_eq(said(h, "now the docs"), "{\"decision\":\"block\",\"reason\":\"now the docs\"}");
    ck_assert_str_eq(tapped(h, "done"), "");
    ck_assert_str_eq(decided(h, (struct hook_answer){ HOOK_EXPIRED, .value = "x", .free_text = true }), "");
    ck_assert_str_eq(said(h, " "), "");

    h = hook_of(HOOK_CLAUDE, "{" HEAD "\"hook_event_name\":\"Stop\",\"background_tasks\":[{},{}]}");
    ck_assert_str_eq(h->message, "Claude is done; still in the background: 2");
    h = hook_of(HOOK_CLAUDE,
                "{" HEAD "\"hook_event_name\":\"StopFailure\",\"error\":\"rate_limit\",\"error_details\":\"429\"}");
    ck_assert_str_eq(h->type, "error");
    ck_assert_str_eq(h->message, "Claude stopped: rate_limit\n429");
}
END_TEST

START_TEST(other_events_are_nothing)
{
    static const char *const events[] = { "PostToolUse", "SessionStart", "SubagentStop", "Elicitation", "preToolUse" };
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        const char *body = arena_printf(a, "{" HEAD "\"hook_event_name\":\"%s\"}", events[i]);
        ck_assert_int_eq(hook_of(HOOK_CLAUDE, body)->kind, HOOK_NOTHING);
        ck_assert_int_eq(hook_of(HOOK_CODEX, body)->kind, HOOK_NOTHING);
        ck_assert_str_eq(tapped(hook_of(HOOK_CLAUDE, body), "allow"), "");
    }
    ck_assert_int_eq(hook_of(HOOK_CODEX, "{" HEAD "\"hook_event_name\":\"Stop\"}")->kind, HOOK_NOTHING);
    ck_assert_int_eq(hook_of(HOOK_CODEX, "{\"type\":\"agent-turn-started\"}")->kind, HOOK_NOTHING);
}
END_TEST

/* --- Codex --- */

#define CODEX(event)                                                                                                   \
    "{\"session_id\":\"s\",\"turn_id\":\"t\",\"transcript_path\":null,\"cwd\":\"/p\",\"hook_event_name\":\"" event     \
    "\",\"model\":\"m\",\"permission_mode\":\"default\",\"tool_name\":\"Bash\",\"tool_input\":{\"command\":\"ls\"},"   \
    "\"permission_suggestions\":[" RULE "session\"}]}"

/* Codex drops a decision with a field it does not know: the whole text is compared. */
START_TEST(codex_decisions_hold_no_unknown_field)
{
    struct hook *h = hook_of(HOOK_CODEX, CODEX("PermissionRequest"));
    ck_assert_int_eq(h->questions[0].button_count, 2);
    ck_assert_str_eq(h->questions[0].message, "Codex wants to run a command");
    ck_assert_str_eq(tapped(h, "allow"), REQUEST("\"behavior\":\"allow\""));
    ck_assert_str_eq(tapped(h, "deny"), REQUEST("\"behavior\":\"deny\",\"message\":\"denied by Anna in Telegram\""));
    ck_assert_str_eq(said(h, "no"), REQUEST("\"behavior\":\"deny\",\"message\":\"no\""));
    h = hook_of(HOOK_CODEX, CODEX("PreToolUse"));
    ck_assert_str_eq(tapped(h, "allow"), ""); /* a bare allow is refused there */
    ck_assert_str_eq(tapped(h, "deny"), USE("deny", "denied by Anna in Telegram"));
    ck_assert_str_eq(said(h, "no"), USE("deny", "no"));
    ck_assert_ptr_null(button(h, "ask"));
    h = hook_of(HOOK_CODEX, TOOL("PermissionRequest", "ExitPlanMode", "{\"plan\":\"x\"}"));
    ck_assert_str_eq(tapped(h, "allow"), REQUEST("\"behavior\":\"allow\""));
    h = hook_of(HOOK_CODEX, TOOL("PermissionRequest", "AskUserQuestion", "{" QUESTIONS "}"));
    ck_assert_str_eq(tapped(h, "allow"), REQUEST("\"behavior\":\"allow\""));
}
END_TEST

START_TEST(codex_notify)
{
    struct hook *h =
        hook_of(HOOK_CODEX, "{\"type\":\"agent-turn-complete\",\"thread-id\":\"t1\",\"turn-id\":\"2\",\"cwd\":\"/a/b\","
                            "\"input-messages\":[\"fix it\"],\"last-assistant-message\":\"Fixed.\"}");
    ck_assert_int_eq(h->kind, HOOK_TELL);
    ck_assert_str_eq(h->type, "milestone");
    ck_assert_str_eq(h->session, "t1");
    ck_assert_str_eq(h->project, "b");
    ck_assert_str_eq(h->message, "Codex is done\nFixed.");
    h = hook_of(HOOK_CODEX, "{\"type\":\"agent-turn-complete\",\"last-assistant-message\":null}");
    ck_assert_str_eq(h->message, "Codex is done");
    ck_assert_str_eq(h->project, "unknown");
    ck_assert(!hook_wait_for_next(a, h));
}
END_TEST

/* --- what is shown --- */

struct shown {
    const char *tool, *input, *message, *details, *name;
};

static const struct shown shown_table[] = {
    { "Bash", "{\"command\":\"ls\\nid\",\"dangerouslyDisableSandbox\":true,\"x\":{\"y\":1}}",
      "Claude wants to run a command\ndangerouslyDisableSandbox: true\nx: {\"y\":1}", "ls\nid", "command.sh" },
    { "Bash", "{\"command\":[\"sh\",\"-c\",\"it's $x\"]}", "Claude wants to run a command", "sh -c 'it'\\''s $x'",
      "command.sh" },
    { "Bash", "{\"command\":7}", "Claude wants to run a command", "{\n  \"command\": 7\n}", "command.sh" },
    { "Bash", "{\"command\":\"ls\",\"description\":7}", "Claude wants to run a command\ndescription: 7", "ls",
      "command.sh" },
    { "Edit",
      "{\"file_path\":\"/a.c\",\"old_string\":\"a\\nb\\nc\",\"new_string\":\"a\\nX\\nY\\nc\",\"replace_all\":true}",
      "Claude wants to edit a file\n/a.c", "--- /a.c\n+++ /a.c\n@@ every place @@\n a\n-b\n+X\n+Y\n c\n", "edit.diff" },
    { "Edit", "{\"file_path\":\"/a\",\"old_string\":\"a\",\"new_string\":\"a\\n\"}", "Claude wants to edit a file\n/a",
      "--- /a\n+++ /a\n@@ @@\n a\n+\n", "edit.diff" },
    { "Edit", "{\"file_path\":\"/a\",\"old_string\":\"x\\nx\\nx\",\"new_string\":\"x\\nx\"}",
      "Claude wants to edit a file\n/a", "--- /a\n+++ /a\n@@ @@\n x\n x\n-x\n", "edit.diff" },
    { "Edit", "{\"file_path\":\"/a\",\"old_string\":\"\",\"new_string\":\"n\"}", "Claude wants to edit a file\n/a",
      "--- /a\n+++ /a\n@@ @@\n-\n+n\n", "edit.diff" },
    { "Edit", "{\"file_path\":\"/a\",\"old_string\":\"x\\nx\",\"new_string\":\"x\"}", "Claude wants to edit a file\n/a",
      "--- /a\n+++ /a\n@@ @@\n x\n-x\n", "edit.diff" },
    { "MultiEdit",
      "{\"file_path\":\"/"
      "a\",\"edits\":[{\"old_string\":\"1\",\"new_string\":\"2\"},{\"old_string\":\"3\",\"new_string\":\"4\"}]}",
      "Claude wants to edit a file\n/a", "--- /a\n+++ /a\n@@ @@\n-1\n+2\n@@ @@\n-3\n+4\n", "edit.diff" },
    { "Write", "{\"file_path\":\"/a.env\",\"content\":\"A_SECRET=abcdef12\\n\"}",
      "Claude wants to write a file\n/a.env", "A_SECRET=ab" SECRET_MASK "\n", "content.txt" },
    { "NotebookEdit", "{\"notebook_path\":\"/n.ipynb\",\"cell_id\":\"c1\",\"new_source\":\"x = 1\"}",
      "Claude wants to edit a notebook\n/n.ipynb\ncell_id: c1", "x = 1", "cell.txt" },
    { "WebFetch", "{\"url\":\"https://x/\",\"prompt\":\"sum up\"}",
      "Claude wants to fetch a web page\nhttps://x/\nprompt: sum up", NULL, NULL },
    { "WebSearch", "{\"query\":\"cats\"}", "Claude wants to search the web\ncats", NULL, NULL },
    { "mcp__github__create_issue", "{\"title\":\"T\"}", "Claude wants to use create_issue of github (MCP)",
      "{\n  \"title\": \"T\"\n}", "input.json" },
    { "mcp__x", "{}", "Claude wants to use mcp__x", "{\n}", "input.json" },
    { "Brand\\u202eNew", "{\"n\":[1,2]}", "Claude wants to use Brand⟨U+202E⟩New",
      "{\n  \"n\": [\n    1,\n    2\n  ]\n}", "input.json" },
    { "Bash", "{\"command\":\"echo \\u202egpj.exe\\u200b\",\"description\":\"safe\\u200e\"}",
      "Claude wants to run a command\nsafe⟨U+200E⟩", "echo ⟨U+202E⟩gpj.exe⟨U+200B⟩", "command.sh" },
};

START_TEST(tools_are_shown)
{
    const struct shown *t = &shown_table[_i];
    const char *body = arena_printf(a, TOOL("PermissionRequest", "%s", "%s"), t->tool, t->input);
    const struct hook_question *q = &hook_of(HOOK_CLAUDE, body)->questions[0];
    ck_assert_str_eq(q->message, t->message);
    ck_assert_pstr_eq(q->details, t->details);
    ck_assert_pstr_eq(q->details_name, t->name);
}
END_TEST

/* A message has a bound; what does not fit is whole in the details. */
START_TEST(nothing_is_cut_unseen)
{
    char *reason = arena_alloc(a, 5001), *command = arena_alloc(a, 300001);
    memset(reason, 'r', 5000);
    memset(command, 'c', 300000);
    const char *body = arena_printf(a, TOOL("PermissionRequest", "Bash", "{\"command\":\"%s\",\"description\":\"%s\"}"),
                                    command, reason);
    const struct hook_question *q = &hook_of(HOOK_CLAUDE, body)->questions[0];
    ck_assert_uint_le(strlen(q->message), HOOK_MESSAGE_UNITS_MAX + 2);
    ck_assert_str_eq(q->message + strlen(q->message) - 3, "…");
    ck_assert_str_eq(q->details, arena_printf(a, "%s\n\n%s", reason, command));

    body = arena_printf(a, "{" HEAD "\"hook_event_name\":\"Stop\",\"last_assistant_message\":\"%s\"}", reason);
    struct hook *h = hook_of(HOOK_CLAUDE, body);
    ck_assert_str_eq(h->details, reason);
    ck_assert_str_eq(h->details_name, "message.md");
    ck_assert(hook_wait_for_next(a, h));
    ck_assert_str_eq(h->questions[0].details, reason);
}
END_TEST

START_TEST(projects)
{
    struct hook h;
    struct json_object *body = parse("{" HEAD "\"hook_event_name\":\"X\"}");
    ck_assert_int_eq(hook_read(a, HOOK_CLAUDE, body, "over/ride", &h, &e), OK);
    ck_assert_str_eq(h.project, "over/ride");
    ck_assert_int_eq(hook_read(a, HOOK_CLAUDE, body, "", &h, &e), OK);
    ck_assert_str_eq(h.project, "my-app");
    ck_assert_str_eq(hook_of(HOOK_CLAUDE, "{\"hook_event_name\":\"X\",\"cwd\":\"C:\\\\me\\\\app\"}")->project, "app");
    ck_assert_str_eq(hook_of(HOOK_CLAUDE, "{\"hook_event_name\":\"X\",\"cwd\":\"/\"}")->project, "unknown");
    ck_assert_str_eq(hook_of(HOOK_CLAUDE, "{\"hook_event_name\":\"X\",\"cwd\":\"/ \"}")->project, "unknown");
    struct hook *h2 = hook_of(HOOK_CLAUDE, "{\"agent_type\":\"reviewer\"," HEAD "\"hook_event_name\":\"Stop\"}");
    ck_assert_str_eq(h2->message, "Claude (reviewer) is done");
}
END_TEST

/* --- keys --- */

static const char *key_of(enum hook_dialect dialect, const char *body)
{
    return hook_key(a, hook_of(dialect, body));
}

#define CALL(id)                                                                                                       \
    "{" HEAD "\"hook_event_name\":\"PreToolUse\",\"tool_name\":\"Bash\",\"tool_input\":{\"command\":\"x\"},\"tool_"    \
    "use_id\":\"" id "\"}"

START_TEST(keys)
{
    const char *one =
        key_of(HOOK_CLAUDE, TOOL("PermissionRequest", "Bash", "{\"a\":1,\"b\":{\"c\":[1,2],\"d\":null}}"));
    ck_assert_uint_eq(strspn(one, "abcdefghijklmnopqrstuvwxyz0123456789:"), strlen(one));
    ck_assert_uint_lt(strlen(one), 80);
    ck_assert_str_eq(
        one, key_of(HOOK_CLAUDE, TOOL("PermissionRequest", "Bash", "{\"b\":{\"d\":null,\"c\":[1,2]},\"a\":1}")));
    static const char *const others[] = {
        TOOL("PermissionRequest", "Bash", "{\"a\":1,\"b\":{\"c\":[2,1],\"d\":null}}"),
        TOOL("PermissionRequest", "Bash", "{\"a\":\"1\",\"b\":{\"c\":[1,2],\"d\":null}}"),
        TOOL("PermissionRequest", "Bash", "{\"a\":1,\"b\":{\"c\":[1],\"d\":[2]}}"),
        TOOL("PermissionRequest", "Read", "{\"a\":1,\"b\":{\"c\":[1,2],\"d\":null}}"),
        TOOL("PreToolUse", "Bash", "{\"a\":1,\"b\":{\"c\":[1,2],\"d\":null}}"),
        "{\"session_id\":\"other\",\"hook_event_name\":\"PermissionRequest\",\"tool_name\":\"Bash\",\"tool_input\":{"
        "\"a\":1,"
        "\"b\":{\"c\":[1,2],\"d\":null}}}",
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        ck_assert_str_ne(one, key_of(HOOK_CLAUDE, others[i]));
    ck_assert_str_eq(key_of(HOOK_CLAUDE, CALL("t1")), key_of(HOOK_CLAUDE, CALL("t1")));
    ck_assert_str_ne(key_of(HOOK_CLAUDE, CALL("t1")), key_of(HOOK_CLAUDE, CALL("t2")));
    ck_assert_str_ne(key_of(HOOK_CLAUDE, CALL("t1")), key_of(HOOK_CODEX, CALL("t1")));
    ck_assert(hook_has_call_id(hook_of(HOOK_CLAUDE, CALL("t1"))) &&
              !hook_has_call_id(hook_of(HOOK_CLAUDE, RM_REQUEST)));
    ck_assert_str_ne(key_of(HOOK_CLAUDE, NOTICE("\"message\":\"a\"")),
                     key_of(HOOK_CLAUDE, NOTICE("\"message\":\"b\"")));
}
END_TEST

/* --- what is no hook --- */

START_TEST(wrong_bodies)
{
    static const char *const bad[] = {
        "[]",
        "7",
        "{}",
        "{\"hook_event_name\":7}",
        "{\"hook_event_name\":\"\"}",
        "{\"hook_event_name\":\"X\",\"cwd\":7}",
        "{\"hook_event_name\":\"Stop\"}",
        "{\"hook_event_name\":\"Stop\",\"session_id\":7}",
        "{" HEAD "\"hook_event_name\":\"Stop\",\"last_assistant_message\":7}",
        "{" HEAD "\"hook_event_name\":\"PreToolUse\",\"tool_input\":{}}",
        "{" HEAD "\"hook_event_name\":\"PreToolUse\",\"tool_name\":\"Bash\"}",
        "{" HEAD "\"hook_event_name\":\"PreToolUse\",\"tool_name\":\"Bash\",\"tool_input\":{},\"tool_use_id\":7}",
        "{" HEAD "\"hook_event_name\":\"PermissionRequest\",\"tool_name\":\"Bash\",\"tool_input\":{},\"permission_"
        "suggestions\":{}}",
        TOOL("PreToolUse", "Bash", "\"ls\""),
        TOOL("PermissionRequest", "Bash", "[]"),
        TOOL("PreToolUse", "AskUserQuestion", "{}"),
        TOOL("PreToolUse", "AskUserQuestion", "{\"questions\":[]}"),
        TOOL("PreToolUse", "AskUserQuestion", "{\"questions\":[{},{},{},{},{}]}"),
        TOOL("PreToolUse", "AskUserQuestion", "{\"questions\":[{\"question\":\"x\"}]}"),
        TOOL("PreToolUse", "AskUserQuestion", "{\"questions\":[{\"question\":\"x\",\"options\":[{}]}]}"),
        TOOL("PreToolUse", "AskUserQuestion", "{\"questions\":[{\"question\":\"x\",\"options\":[1]}]}"),
        TOOL("PreToolUse", "AskUserQuestion", "{\"questions\":[{\"question\":\"x\",\"options\":[{\"label\":\" \"}]}]}"),
        TOOL("PreToolUse", "AskUserQuestion", "{\"questions\":[{\"options\":[{\"label\":\"a\"}]}]}"),
        NOTICE("\"title\":\"x\""),
        NOTICE("\"message\":[]"),
        NOTICE("\"message\":\"m\",\"notification_type\":1"),
    };
    struct hook h;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        e.text[0] = '\0';
        ck_assert_msg(refused(HOOK_CLAUDE, bad[i]) == ST_INVALID && strlen(e.text) > 10, "%s", bad[i]);
    }
    ck_assert_int_eq(hook_read(a, HOOK_CLAUDE, NULL, NULL, &h, &e), ST_INVALID);
    ck_assert_int_eq(refused(HOOK_CODEX, "{\"type\":\"agent-turn-complete\",\"thread-id\":7}"), ST_INVALID);
    ck_assert_int_eq(refused(HOOK_CODEX, "{\"type\":\"agent-turn-complete\",\"last-assistant-message\":7}"),
                     ST_INVALID);
    char *id = arena_alloc(a, HOOK_ID_BYTES_MAX + 2);
    memset(id, 'x', HOOK_ID_BYTES_MAX + 1);
    ck_assert_int_eq(refused(HOOK_CLAUDE, arena_printf(a, "{\"session_id\":\"%s\",\"hook_event_name\":\"Stop\"}", id)),
                     ST_LIMIT);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("hook");
    TCase *tc = tcase_create("hook");
    tcase_add_checked_fixture(tc, begin, end);
    tcase_add_test(tc, claude_request_asks);
    tcase_add_test(tc, claude_request_decides);
    tcase_add_test(tc, no_answer_is_a_deny);
    tcase_add_test(tc, claude_suggestions);
    tcase_add_test(tc, claude_tool_use);
    tcase_add_test(tc, plans_carry_their_input);
    tcase_add_test(tc, questions_are_cards);
    tcase_add_test(tc, questions_without_an_answer);
    tcase_add_test(tc, claude_notices);
    tcase_add_test(tc, claude_stops);
    tcase_add_test(tc, other_events_are_nothing);
    tcase_add_test(tc, codex_decisions_hold_no_unknown_field);
    tcase_add_test(tc, codex_notify);
    tcase_add_loop_test(tc, tools_are_shown, 0, sizeof shown_table / sizeof *shown_table);
    tcase_add_test(tc, nothing_is_cut_unseen);
    tcase_add_test(tc, projects);
    tcase_add_test(tc, keys);
    tcase_add_test(tc, wrong_bodies);
    suite_add_tcase(s, tc);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
