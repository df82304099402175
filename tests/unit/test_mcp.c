/* SPDX-License-Identifier: MIT
 * The protocol as pure functions: one line in, what to do out; tools: arguments in, request and result out.  What the
 * process does with it is in tests/flow/flow_mcp.py. */
#include "base/json.h"
#include "bot/mcp_tools.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define META_MODERN                                                                                                    \
    "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","                                           \
    "\"io.modelcontextprotocol/clientCapabilities\":{}}"

static struct arena *arena;
static struct mcp_session session;
static struct mcp_action action;
static struct error error;

static void set_up(void)
{
    arena = arena_new();
    session = (struct mcp_session){ .legacy = false };
    memset(&error, 0, sizeof error);
}

static void tear_down(void)
{
    arena_free(arena);
}

/* An exact copy, so that a read past the end is seen by a sanitizer. */
static enum mcp_act line(const char *text)
{
    size_t len = strlen(text);
    char *copy = malloc(len ? len : 1);
    memcpy(copy, text, len);
    mcp_line(&session, arena, copy, len, &action);
    free(copy);
    return action.act;
}

static struct json_object *parsed(const char *text)
{
    struct json_object *o;
    ck_assert_msg(json_parse_in(arena, text, strlen(text), &o, &error) == OK, "%s: %s", text, error.text);
    ck_assert_ptr_null(strchr(text, '\n'));
    return o;
}

static struct json_object *answer(const char *text)
{
    ck_assert_int_eq(line(text), MCP_ANSWER);
    return parsed(action.answer);
}

static int64_t error_code(const char *text)
{
    return json_int(answer(text), "error.code", 0);
}

static void open_legacy(void)
{
    ck_assert_str_eq(json_str(answer("{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":"
                                     "{\"protocolVersion\":\"2025-06-18\"}}"),
                              "result.protocolVersion", ""),
                     "2025-06-18");
    ck_assert(session.legacy);
}

/* ---- eras ---- */

START_TEST(test_modern_requests_stand_alone)
{
    struct json_object *o =
        answer("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"server/discover\",\"params\":{" META_MODERN "}}");
    ck_assert_str_eq(json_str(o, "result.resultType", ""), "complete");
    ck_assert_str_eq(json_str(o, "result.supportedVersions.0", ""), "2026-07-28");
    ck_assert(json_has(o, "result.capabilities.tools") && json_has(o, "result.ttlMs"));
    ck_assert(!session.legacy);
    /* A session does not change it. */
    open_legacy();
    o = answer("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{" META_MODERN "}}");
    ck_assert_str_eq(json_str(o, "result.resultType", ""), "complete");
    ck_assert_int_eq(error_code("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":{" META_MODERN "}}"),
                     -32601);
}
END_TEST

START_TEST(test_legacy_results_are_plain)
{
    open_legacy();
    struct json_object *o = answer("{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/list\"}");
    ck_assert(json_has(o, "result.tools.2.name") && !json_has(o, "result.tools.3"));
    ck_assert(!json_has(o, "result.resultType") && !json_has(o, "result._meta") && !json_has(o, "result.ttlMs"));
    /* A _meta without a version is no sign of the other era. */
    o = answer("{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"ping\",\"params\":{\"_meta\":{\"progressToken\":1}}}");
    ck_assert(json_has(o, "result") && !json_has(o, "error"));
}
END_TEST

START_TEST(test_a_request_needs_an_era)
{
    ck_assert_int_eq(error_code("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}"), -32602);
    ck_assert_int_eq(error_code("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"server/discover\",\"params\":{}}"), -32602);
    struct json_object *o = answer("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{\"_meta\":"
                                   "{\"io.modelcontextprotocol/protocolVersion\":\"2025-11-25\"}}}");
    ck_assert_int_eq(json_int(o, "error.code", 0), -32022);
    ck_assert_str_eq(json_str(o, "error.data.requested", ""), "2025-11-25");
    ck_assert_str_eq(json_str(o, "error.data.supported.0", ""), "2026-07-28");
    ck_assert(!session.legacy);
}
END_TEST

/* ---- messages ---- */

static const struct {
    const char *text;
    int code;
    const char *id; /* as JSON text; NULL = left out */
} refused[] = {
    { "", -32700, NULL },
    { "{", -32700, NULL },
    { "{}", -32600, NULL },
    { "null", -32600, NULL },
    { "[]", -32600, NULL },
    { "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}]", -32600, NULL },
    { "{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}", -32600, NULL },
    { "{\"jsonrpc\":\"2.0\",\"id\":true,\"method\":\"ping\"}", -32600, NULL },
    { "{\"jsonrpc\":\"2.0\",\"id\":1.0,\"method\":\"ping\"}", -32600, NULL },
    { "{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"ping\"}", -32600, NULL },
    { "{\"id\":1,\"method\":\"ping\"}", -32600, "1" },
    { "{\"jsonrpc\":2.0,\"id\":1,\"method\":\"ping\"}", -32600, "1" },
    { "{\"jsonrpc\":\"2.0\",\"id\":\"x\"}", -32600, "\"x\"" },
    { "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"method\":null}", -32600, "\"x\"" },
    { "{\"jsonrpc\":\"2.0\",\"id\":-9223372036854775808,\"method\":\"ping\",\"params\":7}", -32602,
      "-9223372036854775808" },
    { "{\"jsonrpc\":\"2.0\",\"id\":18446744073709551615,\"method\":\"nothing\"}", -32602, "18446744073709551615" },
    /* Not JSON as we read it, but the id can be made out … */
    { "{\"id\":7,\"a\":\"\\ud800\"}", -32700, "7" },
    { "{\"params\":{\"id\":1,\"x\":[{\"id\":2}]},\"a\":\"\\ud800\",\"id\" : \"ä\\\"\\u0041\" }", -32700, "\"ä\\\"A\"" },
    { "{\"a\":\"id\",\"b\":\"\\\"id\\\":3\",\"a\":1,\"id\":4}", -32700, "4" },
    /* … or not. */
    { "{\"params\":{\"id\":1},\"a\":\"\\ud800\"}", -32700, NULL },
    { "{\"a\":\"\\ud800\",\"id\":1.5}", -32700, NULL },
    { "{\"a\":\"\\ud800\",\"id\":1", -32700, NULL },
    { "{\"a\":\"\\ud800\",\"id\":\"\\ud800\"}", -32700, NULL },
    { "{\"a\":\"\\ud800\"}{\"id\":1}", -32700, NULL },
    { "[\"id\":1}", -32700, NULL },
    { "{\"id\":", -32700, NULL },
    { "{\"id\"", -32700, NULL },
    { "{\"id", -32700, NULL },
    { "{\"id\":\"", -32700, NULL },
    { "{\"id\":\"a\\", -32700, NULL },
};

START_TEST(test_what_is_refused)
{
    struct json_object *o = answer(refused[_i].text), *id;
    ck_assert_msg(json_int(o, "error.code", 0) == refused[_i].code, "%s: %s", refused[_i].text, action.answer);
    ck_assert(!json_has(o, "result") && *json_str(o, "error.message", ""));
    bool has = json_object_object_get_ex(o, "id", &id);
    ck_assert_msg(has == (refused[_i].id != NULL), "%s: %s", refused[_i].text, action.answer);
    if (has)
        ck_assert_str_eq(json_text(arena, id), refused[_i].id);
}
END_TEST

static const char *const silent[] = {
    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}",
    "{\"jsonrpc\":\"2.0\",\"method\":\"tools/call\",\"params\":[]}",
    "{\"jsonrpc\":\"1.0\",\"method\":\"ping\"}",
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}",
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1,\"message\":\"x\"}}",
    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\"}",
    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":null}}",
    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":1.5}}",
};

START_TEST(test_what_gets_no_answer)
{
    ck_assert_int_eq(line(silent[_i]), MCP_NOTHING);
}
END_TEST

START_TEST(test_cancelling_names_the_call)
{
    ck_assert_int_eq(line("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":\"a\","
                          "\"reason\":\"why\"}}"),
                     MCP_CANCEL);
    ck_assert_str_eq(action.cancel_id, "\"a\"");
    ck_assert_str_eq(action.cancel_reason, "why");
    ck_assert_int_eq(line("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":7}}"),
                     MCP_CANCEL);
    ck_assert_str_eq(action.cancel_id, "7");
    ck_assert_str_eq(action.cancel_reason, "");
}
END_TEST

/* ---- calls ---- */

static void call(const char *name, const char *arguments)
{
    open_legacy();
    ck_assert_int_eq(line(arena_printf(arena,
                                       "{\"jsonrpc\":\"2.0\",\"id\":\"c\",\"method\":\"tools/call\",\"params\":"
                                       "{\"name\":\"%s\",\"arguments\":%s,\"_meta\":{\"progressToken\":\"p\"}}}",
                                       name, arguments)),
                     MCP_CALL);
}

static struct mcp_plan plan;

static enum status make_plan(const char *name, const char *arguments)
{
    call(name, arguments);
    return mcp_tool_plan(arena, &action.call, "shop", "r1", &plan, &error);
}

/* The text of the result's one block; *result is the whole. */
static const char *result_text(const struct mcp_outcome *outcome, struct json_object **result)
{
    *result = json_keep(arena, mcp_tool_result(arena, &action.call, &plan, outcome));
    ck_assert(json_has(*result, "content.0") && !json_has(*result, "content.1"));
    ck_assert_str_eq(json_str(*result, "content.0.type", ""), "text");
    return json_str(*result, "content.0.text", "");
}

START_TEST(test_lines_of_a_call)
{
    call("ask_human", "{\"question\":\"a\"}");
    ck_assert_str_eq(mcp_progress_line(arena, &action.call, 3, "still \"here\""),
                     "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{\"progressToken\":\"p\","
                     "\"progress\":3,\"message\":\"still \\\"here\\\"\"}}");
    ck_assert_str_eq(
        mcp_result_line(arena, &action.call, mcp_text_result("a\nb", false)),
        "{\"jsonrpc\":\"2.0\",\"id\":\"c\",\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"a\\nb\"}],"
        "\"isError\":false}}");
    action.call.modern = true;
    struct json_object *o = parsed(mcp_result_line(arena, &action.call, mcp_text_result("a", true)));
    ck_assert_str_eq(json_str(o, "result.resultType", ""), "complete");
    ck_assert(json_flag(o, "result.isError", false));
}
END_TEST

START_TEST(test_asking)
{
    struct json_object *result, *state = parsed("{\"status\":\"responded\",\"response\":\"b\",\"by\":\"Ada\"}");
    ck_assert_int_eq(make_plan("ask_human", "{\"question\":\"Q\",\"options\":[],\"expires_in\":90,\"details\":null}"),
                     OK);
    ck_assert_int_eq(plan.count, 1);
    ck_assert_str_eq(json_text(arena, plan.request[0].body),
                     "{\"project\":\"shop\",\"type\":\"blocking\",\"request_id\":\"r1\",\"message\":\"Q\","
                     "\"expires_in\":90}");
    ck_assert_str_eq(result_text(&(struct mcp_outcome){ .state = { state } }, &result), "b");
    ck_assert_str_eq(json_text(arena, json_at(result, "structuredContent")),
                     "{\"status\":\"responded\",\"answer\":\"b\",\"free_text\":false,\"by\":\"Ada\"}");
    static const char *const bad[] = { "{\"status\":\"expired\"}", "{\"status\":\"cancelled\",\"reason\":\"x\"}",
                                       "{\"status\":\"waiting\"}", "{\"status\":\"responded\"}", "{}" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert(*result_text(&(struct mcp_outcome){ .state = { parsed(bad[i]) } }, &result));
        ck_assert_msg(json_flag(result, "isError", false), "%s", bad[i]);
        ck_assert(!json_has(result, "structuredContent.answer"));
    }
    ck_assert_str_eq(result_text(&(struct mcp_outcome){ .failure = "Away." }, &result), "Away.");
    ck_assert(json_flag(result, "isError", false));
}
END_TEST

START_TEST(test_wrong_arguments_are_named)
{
    ck_assert_int_eq(make_plan("ask_human", "{}"), ST_INVALID);
    ck_assert_ptr_nonnull(strstr(error.text, "question"));
    ck_assert_int_eq(make_plan("ask_human", "{\"question\":null}"), ST_INVALID);
    ck_assert_int_eq(make_plan("ask_human", "{\"question\":\"a\",\"risk\":\"hig\"}"), ST_INVALID);
    ck_assert_int_eq(make_plan("ask_human", "{\"question\":\"a\",\"risk\":\"normal|high\"}"), ST_INVALID);
    ck_assert_int_eq(make_plan("ask_human", "{\"question\":\"a\",\"risk\":\"\"}"), ST_INVALID);
    ck_assert_int_eq(make_plan("ask_human", "{\"question\":\"a\",\"options\":[null]}"), ST_INVALID);
    ck_assert_int_eq(make_plan("notify_human", "{\"message\":\"a\",\"else\":1}"), ST_INVALID);
    ck_assert_ptr_nonnull(strstr(error.text, "else"));
    ck_assert_int_eq(make_plan("notify_human", "{\"message\":\"a\"}"), OK);
}
END_TEST

/* ---- approve ---- */

#define PROMPT "{\"tool_name\":\"Bash\",\"input\":{\"command\":\"ls -l\",\"n\":1.50},\"tool_use_id\":\"toolu_1\"}"

static struct json_object *decision(const struct mcp_outcome *outcome)
{
    struct json_object *result;
    struct json_object *o = parsed(result_text(outcome, &result));
    ck_assert(!json_flag(result, "isError", true) && !json_has(result, "structuredContent"));
    return o;
}

static bool allowed(const char *state)
{
    struct json_object *o = decision(&(struct mcp_outcome){ .state = { state ? parsed(state) : NULL } });
    bool allow = strcmp(json_str(o, "behavior", ""), "allow") == 0;
    if (allow)
        ck_assert_str_eq(json_text(arena, o),
                         "{\"behavior\":\"allow\",\"updatedInput\":{\"command\":\"ls -l\",\"n\":1.50}}");
    else
        ck_assert_msg(!strcmp(json_str(o, "behavior", ""), "deny") && *json_str(o, "message", "") &&
                          json_object_object_length(o) == 2,
                      "%s", json_text(arena, o));
    return allow;
}

START_TEST(test_only_a_plain_allow_allows)
{
    ck_assert_int_eq(make_plan("approve", PROMPT), OK);
    ck_assert_int_eq(plan.count, 1);
    ck_assert(allowed("{\"status\":\"responded\",\"response\":\"allow\",\"free_text\":false}"));
    static const char *const denied[] = {
        "{\"status\":\"responded\",\"response\":\"deny\",\"free_text\":false}",
        "{\"status\":\"responded\",\"response\":\"allow\",\"free_text\":true}",
        "{\"status\":\"responded\",\"response\":\"allow\"}",
        "{\"status\":\"responded\",\"response\":\"Allow\",\"free_text\":false}",
        "{\"status\":\"responded\",\"response\":\"allow, allow\",\"free_text\":false}",
        "{\"status\":\"responded\",\"response\":\"\",\"free_text\":false}",
        "{\"status\":\"responded\",\"response\":true,\"free_text\":false}",
        "{\"status\":\"responded\",\"free_text\":false}",
        "{\"status\":\"expired\",\"response\":\"allow\",\"free_text\":false}",
        "{\"status\":\"cancelled\",\"response\":\"allow\",\"free_text\":false}",
        "{\"status\":\"waiting\",\"response\":\"allow\",\"free_text\":false}",
        "{\"response\":\"allow\",\"free_text\":false}",
        "{}",
        NULL,
    };
    for (size_t i = 0; i < sizeof denied / sizeof *denied; i++)
        ck_assert_msg(!allowed(denied[i]), "%s", denied[i] ? denied[i] : "nothing");
}
END_TEST

START_TEST(test_every_failure_denies)
{
    static const char *const wrong[] = { "{}", "{\"tool_name\":\"Bash\"}", "{\"tool_name\":\"Bash\",\"input\":[]}",
                                         "{\"tool_name\":7,\"input\":{}}" };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ck_assert_int_ne(make_plan("approve", wrong[i]), OK);
        ck_assert_str_eq(json_str(decision(&(struct mcp_outcome){ .failure = error.text }), "behavior", ""), "deny");
        ck_assert_str_eq(json_str(decision(&(struct mcp_outcome){ .failure = NULL }), "behavior", ""), "deny");
    }
    ck_assert_int_eq(make_plan("approve", PROMPT), OK);
    struct mcp_outcome both = {
        .failure = "Away.", .state = { parsed("{\"status\":\"responded\",\"response\":\"allow\",\"free_text\":false}") }
    };
    struct json_object *o = decision(&both);
    ck_assert_str_eq(json_str(o, "behavior", ""), "deny");
    ck_assert_ptr_nonnull(strstr(json_str(o, "message", ""), "Away."));
}
END_TEST

START_TEST(test_one_tool_call_is_one_request)
{
    ck_assert_int_eq(make_plan("approve", PROMPT), OK);
    const char *first = plan.request[0].request_id, *body = json_text(arena, plan.request[0].body);
    ck_assert_int_eq(make_plan("approve", PROMPT), OK);
    ck_assert_str_eq(plan.request[0].request_id, first);
    ck_assert_str_eq(json_text(arena, plan.request[0].body), body);
    ck_assert_uint_le(strlen(first), 128);
    ck_assert_uint_eq(strspn(first, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-"),
                      strlen(first));
    ck_assert_str_ne(first, "r1");
    /* Without an id of its own, each is another. */
    ck_assert_int_eq(make_plan("approve", "{\"tool_name\":\"Bash\",\"input\":{\"command\":\"ls\"}}"), OK);
    ck_assert_str_eq(plan.request[0].request_id, "r1");
}
END_TEST

/* What a client's clientInfo makes of the title of a card, whichever era it is said in. */
static const struct {
    const char *info, *title;
} clients[] = {
    { "{\"name\":\"zed\",\"version\":\"1\"}", "zed wants" },
    { "{\"name\":\"claude-code\",\"title\":\"Claude Code\",\"version\":\"1\"}", "Claude Code wants" },
    { "{\"name\":\"a\\nb\\u202ec\"}", "a b⟨U+202E⟩c wants" },
    { "{\"name\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}",
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa wants" },
    { "{\"name\":\"€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€\"}",
      "€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€ wants" },
    { "{\"name\":\" \"}", "An agent wants" },
    { "{\"name\":7}", "An agent wants" },
    { "{}", "An agent wants" },
    { "\"zed\"", "An agent wants" },
    { "null", "An agent wants" },
};

/* The first line of the card of a prompt, after whatever `meta` adds to the call. */
static const char *title_of_prompt(const char *meta)
{
    ck_assert_int_eq(line(arena_printf(arena,
                                       "{\"jsonrpc\":\"2.0\",\"id\":\"c\",\"method\":\"tools/call\",\"params\":"
                                       "{\"name\":\"approve\",\"arguments\":" PROMPT "%s}}",
                                       meta)),
                     MCP_CALL);
    ck_assert_int_eq(mcp_tool_plan(arena, &action.call, "shop", "r1", &plan, &error), OK);
    const char *message = json_str(plan.request[0].body, "message", "");
    return arena_strndup(arena, message, strcspn(message, "\n"));
}

START_TEST(test_a_card_names_the_client)
{
    const char *title = arena_printf(arena, "%s to run a command", clients[_i].title);
    answer(arena_printf(arena,
                        "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":"
                        "{\"protocolVersion\":\"2025-06-18\",\"clientInfo\":%s}}",
                        clients[_i].info));
    ck_assert_str_eq(title_of_prompt(""), title);
    session = (struct mcp_session){ .client = "of another era" };
    ck_assert_str_eq(title_of_prompt(arena_printf(arena,
                                                  ",\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":"
                                                  "\"2026-07-28\",\"io.modelcontextprotocol/clientCapabilities\":{},"
                                                  "\"io.modelcontextprotocol/clientInfo\":%s}",
                                                  clients[_i].info)),
                     title);
}
END_TEST

START_TEST(test_questions_are_cards_of_their_own)
{
    ck_assert_int_eq(
        make_plan("approve",
                  "{\"tool_name\":\"AskUserQuestion\",\"input\":{\"questions\":["
                  "{\"question\":\"Which DB?\",\"header\":\"DB\",\"multiSelect\":false,\"options\":"
                  "[{\"label\":\"SQLite\",\"description\":\"x\"},{\"label\":\"Postgres\",\"description\":\"y\"}]},"
                  "{\"question\":\"Name?\",\"header\":\"Name\",\"multiSelect\":false,\"options\":"
                  "[{\"label\":\"A\",\"description\":\"x\"},{\"label\":\"B\",\"description\":\"y\"}]}]}}"),
        OK);
    ck_assert_int_eq(plan.count, 2);
    ck_assert_str_ne(plan.request[0].request_id, plan.request[1].request_id);
    const char *value = json_str(plan.request[0].body, "buttons.1.value", "");
    struct mcp_outcome o = {
        .state = { parsed(arena_printf(arena, "{\"status\":\"responded\",\"response\":\"%s\",\"free_text\":false}",
                                       value)),
                   parsed("{\"status\":\"responded\",\"response\":\"words\",\"free_text\":true}") }
    };
    struct json_object *d = decision(&o);
    ck_assert_str_eq(json_str(d, "behavior", ""), "allow");
    ck_assert_str_eq(json_str(d, "updatedInput.answers.Which DB?", ""), "Postgres");
    ck_assert_str_eq(json_str(d, "updatedInput.answers.Name?", ""), "words");
    o.state[1] = NULL;
    ck_assert_str_eq(json_str(decision(&o), "behavior", ""), "deny");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mcp");
    TCase *c = tcase_create("mcp");
    tcase_add_checked_fixture(c, set_up, tear_down);
    tcase_add_test(c, test_modern_requests_stand_alone);
    tcase_add_test(c, test_legacy_results_are_plain);
    tcase_add_test(c, test_a_request_needs_an_era);
    tcase_add_loop_test(c, test_what_is_refused, 0, sizeof refused / sizeof *refused);
    tcase_add_loop_test(c, test_what_gets_no_answer, 0, sizeof silent / sizeof *silent);
    tcase_add_test(c, test_cancelling_names_the_call);
    tcase_add_test(c, test_lines_of_a_call);
    tcase_add_test(c, test_asking);
    tcase_add_test(c, test_wrong_arguments_are_named);
    tcase_add_test(c, test_only_a_plain_allow_allows);
    tcase_add_test(c, test_every_failure_denies);
    tcase_add_test(c, test_one_tool_call_is_one_request);
    tcase_add_loop_test(c, test_a_card_names_the_client, 0, sizeof clients / sizeof *clients);
    tcase_add_test(c, test_questions_are_cards_of_their_own);
    suite_add_tcase(suite, c);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
