/* SPDX-License-Identifier: MIT
 * test_model_answer: the pure halves of the model providers, inward: answers of every shape read into replies or
 * faults. No network. */
#include "tests/unit/model_fixture.h"

static enum status read_code(const struct model_endpoint *endpoint, int code, const char *body,
                             struct model_reply *reply, struct provider_fault *fault)
{
    return provider_read(endpoint, arena, &request, code, body, strlen(body), reply, fault);
}

static struct model_reply answered(const struct model_endpoint *endpoint, const char *body)
{
    struct model_reply reply;
    struct provider_fault fault = { 0 };
    enum status st = read_code(endpoint, 200, body, &reply, &fault);
    ck_assert_msg(st == OK, "%s", fault.sentence);
    return reply;
}

static struct provider_fault failed(const struct model_endpoint *endpoint, int code, const char *body)
{
    struct model_reply reply;
    struct provider_fault fault = { 0 };
    ck_assert_int_eq(read_code(endpoint, code, body, &reply, &fault), ST_UNAVAILABLE);
    ck_assert_int_eq(reply.call_count, 0);
    ck_assert_ptr_nonnull(fault.sentence);
    ck_assert_str_ne(fault.sentence, "");
    return fault;
}

/* --- answers --- */

START_TEST(test_parse_anthropic)
{
    struct model_reply r = answered(
        &claude,
        "{\"type\":\"message\",\"content\":[{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"s\"},"
        "{\"type\":\"text\",\"text\":\" On it. \"},{\"type\":\"new_kind\"},"
        "{\"type\":\"tool_use\",\"id\":\"toolu_1\",\"name\":\"add_task\",\"input\":{\"content\":\"Buy bread\\n\"}},"
        "{\"type\":\"tool_use\",\"id\":\"toolu_2\",\"name\":\"list_tasks\",\"input\":{}}],"
        "\"stop_reason\":\"tool_use\",\"usage\":{\"input_tokens\":31,\"cache_read_input_tokens\":2000,"
        "\"cache_creation_input_tokens\":9,\"output_tokens\":64}}");
    ck_assert_int_eq(r.stop, MODEL_STOP_TOOLS);
    ck_assert_str_eq(r.text, "On it.");
    ck_assert_int_eq(r.call_count, 2);
    ck_assert_str_eq(r.calls[0].id, "toolu_1");
    ck_assert_str_eq(r.calls[0].name, "add_task");
    ck_assert_str_eq(json_str(r.calls[0].arguments, "content", ""), "Buy bread");
    ck_assert_int_eq(r.input_tokens, 2040);
    ck_assert_int_eq(r.cached_tokens, 2000);
    ck_assert_int_eq(r.output_tokens, 64);
    ck_assert_str_eq(r.provider, "anthropic");
    /* The echo is as it came, the newline included. */
    struct json_object *block = json_object_array_get_idx(r.raw, 3);
    ck_assert_str_eq(json_str(block, "input.content", ""), "Buy bread\n");
    ck_assert_uint_eq(json_object_array_length(r.raw), 5);
}
END_TEST

START_TEST(test_parse_anthropic_stops)
{
    static const struct {
        const char *reason;
        enum model_stop stop;
        int calls;
    } cases[] = { { "\"end_turn\"", MODEL_STOP_TOOLS, 1 },
                  { "\"tool_use\"", MODEL_STOP_TOOLS, 1 },
                  { "\"max_tokens\"", MODEL_STOP_TRUNCATED, 0 },
                  { "\"refusal\"", MODEL_STOP_REFUSED, 0 },
                  { "\"pause_turn\"", MODEL_STOP_OTHER, 0 },
                  { "null", MODEL_STOP_OTHER, 0 },
                  { "\"model_context_window_exceeded\"", MODEL_STOP_TRUNCATED, 0 } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct model_reply r =
            answered(&claude, arena_printf(arena,
                                           "{\"content\":[{\"type\":\"tool_use\",\"id\":\"t\",\"name\":"
                                           "\"list_tasks\",\"input\":{}}],\"stop_reason\":%s}",
                                           cases[i].reason));
        ck_assert_int_eq(r.stop, cases[i].stop);
        ck_assert_int_eq(r.call_count, cases[i].calls);
        ck_assert_int_eq(r.raw != NULL, cases[i].calls);
        ck_assert_int_eq(r.context_full, i == 6);
    }
    struct model_reply r =
        answered(&claude, "{\"content\":[],\"stop_reason\":\"refusal\",\"stop_details\":{\"type\":\"refusal\","
                          "\"category\":\"cyber\",\"explanation\":\"Not this.\"}}");
    ck_assert_str_eq(r.text, "Not this.");
    ck_assert_int_eq(answered(&claude, "{\"content\":[],\"stop_reason\":\"end_turn\"}").stop, MODEL_STOP_END);
}
END_TEST

static struct model_reply openai_message(const char *finish, const char *message)
{
    return answered(&openai, arena_printf(arena,
                                          "{\"choices\":[{\"finish_reason\":%s,\"message\":%s}],\"usage\":"
                                          "{\"prompt_tokens\":7,\"completion_tokens\":3}}",
                                          finish, message));
}

#define CALL(id, args) "{" id "\"type\":\"function\",\"function\":{\"name\":\"add_task\",\"arguments\":" args "}}"

START_TEST(test_parse_openai)
{
    struct model_reply r = openai_message(
        "\"stop\"", "{\"content\":null,\"annotations\":[],\"refusal\":null,\"tool_calls\":[" CALL(
                        "\"id\":\"c1\",", "\"{\\\"content\\\":\\\"Buy bread\\\"}\"") "," /* string */
        CALL("\"id\":\"c1\",", "{\"content\":\"Milk\\r\\n\"}") ","                       /* object, id taken */
        CALL("", "\"\"") ","                                                             /* no id, empty */
        CALL("\"id\":\"\",", "\"{broken\"") "," CALL("\"id\":\"c5\",", "\"{\\\"content\\\":\\\"a\\nb\\\"}\"") "]}");
    ck_assert_int_eq(r.stop, MODEL_STOP_TOOLS); /* though the server said stop */
    ck_assert_int_eq(r.call_count, 5);
    ck_assert_str_eq(json_str(r.calls[0].arguments, "content", ""), "Buy bread");
    ck_assert_str_eq(json_str(r.calls[1].arguments, "content", ""), "Milk");
    ck_assert_str_eq(r.calls[1].id, "call_2");
    ck_assert_str_eq(r.calls[2].id, "call_3");
    ck_assert_int_eq(json_object_object_length(r.calls[2].arguments), 0);
    ck_assert_ptr_null(r.calls[3].arguments);
    ck_assert_str_eq(r.calls[3].arguments_text, "{broken");
    ck_assert_str_eq(json_str(r.calls[4].arguments, "content", ""), "a\nb"); /* a raw newline inside a string */
    ck_assert_int_eq(r.input_tokens, 7);
    struct json_object *echo = json_at(r.raw, "tool_calls");
    for (int i = 0; i < 5; i++) {
        struct json_object *call = json_object_array_get_idx(echo, (size_t)i);
        ck_assert_str_eq(json_str(call, "id", ""), r.calls[i].id);
        const char *text = json_str(call, "function.arguments", "");
        ck_assert(json_object_is_type(parsed(text), json_type_object));
    }
    ck_assert(!json_has(r.raw, "annotations"));
}
END_TEST

START_TEST(test_parse_openai_stops)
{
    static const struct {
        const char *finish;
        enum model_stop stop;
        int calls;
    } cases[] = { { "\"tool_calls\"", MODEL_STOP_TOOLS, 1 },
                  { "\"length\"", MODEL_STOP_TRUNCATED, 0 },
                  { "\"content_filter\"", MODEL_STOP_REFUSED, 0 },
                  { "null", MODEL_STOP_OTHER, 0 } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct model_reply r =
            openai_message(cases[i].finish, "{\"tool_calls\":[" CALL("\"id\":\"c\",", "\"{}\"") "]}");
        ck_assert_int_eq(r.stop, cases[i].stop);
        ck_assert_int_eq(r.call_count, cases[i].calls);
    }
    struct model_reply r = openai_message("\"stop\"", "{\"content\":null,\"refusal\":\"I cannot.\"}");
    ck_assert_int_eq(r.stop, MODEL_STOP_REFUSED);
    ck_assert_str_eq(r.text, "I cannot.");
    failed(&openai, 200, "{\"choices\":[{\"finish_reason\":\"error\",\"message\":{\"content\":\"\"}}]}");
}
END_TEST

START_TEST(test_too_many_calls)
{
    char *list = arena_strdup(arena, CALL("", "\"{}\""));
    for (int i = 0; i < MODEL_CALLS_MAX; i++)
        list = arena_printf(arena, "%s," CALL("", "\"{}\""), list);
    struct model_reply r = openai_message("\"tool_calls\"", arena_printf(arena, "{\"tool_calls\":[%s]}", list));
    ck_assert(r.too_many_calls);
    ck_assert_int_eq(r.stop, MODEL_STOP_TOOLS);
    ck_assert_int_eq(r.call_count, 0);
    ck_assert_ptr_null(r.raw);
}
END_TEST

START_TEST(test_strange_names)
{
    struct model_reply r = openai_message("\"stop\"", "{\"tool_calls\":[{\"function\":{\"name\":\"functions.add task\","
                                                      "\"arguments\":\"null\"}}]}");
    ck_assert_str_eq(r.calls[0].name, "functions_add_task");
    ck_assert_str_eq(json_str(json_object_array_get_idx(json_at(r.raw, "tool_calls"), 0), "function.name", ""),
                     "functions_add_task");
    failed(&openai, 200,
           "{\"choices\":[{\"finish_reason\":\"stop\",\"message\":{\"tool_calls\":[{\"function\":{}}]}}]}");
    failed(&claude, 200,
           "{\"content\":[{\"type\":\"tool_use\",\"id\":\"x\",\"input\":{}}],\"stop_reason\":\"tool_use\"}");
}
END_TEST

/* --- calls printed as text --- */

static struct model_reply said(const char *text)
{
    struct json_object *value = json_keep(arena, json_object_new_string(text));
    return openai_message("\"stop\"", arena_printf(arena, "{\"content\":%s}", json_text(arena, value)));
}

START_TEST(test_recover)
{
    static const char *const good[] = {
        "{\"name\":\"add_task\",\"arguments\":{\"content\":\"x\"}}",
        "[{\"name\":\"add_task\",\"parameters\":{\"content\":\"x\"}}]",
        "```json\n{\"name\":\"add_task\",\"arguments\":\"{\\\"content\\\":\\\"x\\\"}\"}\n```",
        "<tool_call>\n{\"name\":\"add_task\",\"arguments\":{\"content\":\"x\"}}\n</tool_call>",
        "<think>They want {a task}.</think>\n{\"function\":{\"name\":\"add_task\",\"arguments\":{\"content\":\"x\"}}}",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct model_reply r = said(good[i]);
        ck_assert_msg(r.call_count == 1 && r.stop == MODEL_STOP_TOOLS, "%s", good[i]);
        ck_assert_str_eq(json_str(r.calls[0].arguments, "content", ""), "x");
        ck_assert_str_eq(r.text, "");
        ck_assert_uint_eq(json_object_array_length(json_at(r.raw, "tool_calls")), 1);
    }
    ck_assert_int_eq(
        said("<tool_call>{\"name\":\"list_tasks\"}</tool_call>\n<tool_call>{\"name\":\"list_tasks\"}</tool_call>")
            .call_count,
        2);
    static const char *const bad[] = {
        "{\"name\":\"rm\",\"arguments\":{}}",
        "[{\"name\":\"add_task\",\"arguments\":{}},{\"name\":\"rm\",\"arguments\":{}}]",
        "Sure: {\"name\":\"add_task\",\"arguments\":{\"content\":\"x\"}}",
        "{\"name\":\"add_task\",\"arguments\":{\"content\":\"x\"}} done!",
        "{\"name\":\"add_task\",\"content\":\"x\"}",
        "{\"name\":\"add_task\",\"arguments\":{\"content\":\"x\"}", /* never closed for it */
        "{\"name\":\"add_task\",\"arguments\":[1]}",
        "[]",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct model_reply r = said(bad[i]);
        ck_assert_msg(r.call_count == 0 && r.stop == MODEL_STOP_END, "%s", bad[i]);
        ck_assert_str_eq(r.text, bad[i]);
    }
    struct model_reply r =
        answered(&claude, "{\"content\":[{\"type\":\"text\",\"text\":\"{\\\"name\\\":\\\"list_tasks\\\"}\"}],"
                          "\"stop_reason\":\"end_turn\"}");
    ck_assert_int_eq(r.call_count, 1);
    assert_same(json_text(arena, r.raw),
                "[{\"type\":\"tool_use\",\"id\":\"call_1\",\"name\":\"list_tasks\",\"input\":{}}]");
}
END_TEST

START_TEST(test_visible_text)
{
    static const char *const cases[][2] = {
        { "<think>hm</think>\n\nHello.", "Hello." },
        { "reasoning without an opening tag</think>Hello.", "Hello." },
        { "<think>never closed", "" },
        { "A<think>x</think>B<think>y</think>C", "ABC" },
        { "a < b and <b>", "a < b and <b>" },
        { "  plain \n", "plain" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_str_eq(model_text_visible(arena, cases[i][0], strlen(cases[i][0])), cases[i][1]);
}
END_TEST

/* --- faults --- */

START_TEST(test_fault_kinds)
{
    static const struct {
        int code;
        const char *body;
        enum fault_kind kind;
        const char *sentence;
    } cases[] = {
        { 404, "{\"type\":\"error\",\"error\":{\"type\":\"not_found_error\",\"message\":\"model: claude-x\"}}",
          FAULT_STANDING, "Anthropic says the model claude-haiku-5-5 does not exist (404)" },
        { 401,
          "{\"type\":\"error\",\"error\":{\"type\":\"authentication_error\",\"message\":\"invalid x-api-key "
          "sk-secret-1\"}}",
          FAULT_STANDING, "Anthropic does not accept the API key (401)" },
        { 402, "{}", FAULT_STANDING, "Anthropic says the account has no credit left (402)" },
        { 529, "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}",
          FAULT_PASSING, "Anthropic is in trouble (529): Overloaded" },
        { 429, "{\"error\":{\"type\":\"rate_limit_error\",\"message\":\"slow\"}}", FAULT_PASSING,
          "Anthropic is limiting requests for the model claude-haiku-5-5 (429): slow" },
        { 429, "{\"error\":{\"message\":\"m\",\"details\":{\"error_code\":\"enforced_spend_limit_reached\"}}}",
          FAULT_STANDING, "Anthropic says the account has no credit left (429)" },
        { 429, "{\"error\":{\"message\":\"m\",\"type\":\"insufficient_quota\",\"code\":\"insufficient_quota\"}}",
          FAULT_STANDING, "Anthropic says the account has no credit left (429)" },
        { 400, "{\"error\":{\"message\":\"key sk-secret-1 is bad\\nreally\"}}", FAULT_REQUEST,
          "Anthropic refused the request for the model claude-haiku-5-5 (400): key *********** is bad really" },
        { 413, "", FAULT_REQUEST, "Anthropic finds the conversation too large (413)" },
        { 502, "<html>Bad gateway</html>", FAULT_PASSING, "Anthropic is in trouble (502)" },
        { 404, "<html>nginx</html>", FAULT_STANDING, "Anthropic has no such address (404): the base URL may be wrong" },
        { 200, "{\"error\":{\"code\":429,\"message\":\"upstream\"}}", FAULT_PASSING,
          "Anthropic is limiting requests for the model claude-haiku-5-5 (429): upstream" },
        { 200, "{\"error\":\"model not loaded\",\"choices\":[]}", FAULT_PASSING,
          "Anthropic is in trouble (500): model not loaded" },
        { 400, "{\"object\":\"error\",\"message\":\"old vLLM\"}", FAULT_REQUEST,
          "Anthropic refused the request for the model claude-haiku-5-5 (400): old vLLM" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct provider_fault f = failed(&claude, cases[i].code, cases[i].body);
        ck_assert_str_eq(f.sentence, cases[i].sentence);
        ck_assert_int_eq(f.kind, cases[i].kind);
    }
}
END_TEST

START_TEST(test_malformed)
{
    static const char *const bodies[] = { "",
                                          "   ",
                                          "<html>",
                                          "{\"choices\":[{\"mess",
                                          "null",
                                          "[]",
                                          "\"x\"",
                                          "7",
                                          "{}",
                                          "{\"choices\":[]}",
                                          "{\"choices\":[null]}",
                                          "{\"choices\":{\"message\":1}}",
                                          "{\"choices\":[{\"message\":\"x\"}]}",
                                          "{\"content\":\"text\"}",
                                          "{\"content\":{}}",
                                          "\xff\xfe",
                                          "{\"content\":[],}",
                                          "{'content':[]}" };
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        ck_assert_int_eq(failed(&claude, 200, bodies[i]).kind, FAULT_PASSING);
        ck_assert_int_eq(failed(&openai, 200, bodies[i]).kind, FAULT_PASSING);
    }
    /* Odd members inside a good frame do no harm. */
    answered(&claude, "{\"content\":[1,null,{\"type\":7},{\"type\":\"text\",\"text\":{}}],\"stop_reason\":\"end_turn\","
                      "\"usage\":[]}");
    openai_message("\"stop\"", "{\"content\":[{\"text\":\"a\"},{\"text\":\"b\"},3],\"tool_calls\":{}}");
    struct model_reply r = openai_message("\"stop\"", "{\"content\":\"a\\u0000b\"}");
    ck_assert_ptr_nonnull(strchr(r.text, 'b'));
}
END_TEST

START_TEST(test_quirk_of_fault)
{
    struct provider_fault f =
        failed(&openai, 400, "{\"error\":{\"message\":\"Use 'max_tokens'\",\"param\":\"reasoning_effort\"}}");
    ck_assert_uint_eq(provider_quirk_for(openai.provider, &f), QUIRK_EFFORT); /* param before message */
    f = failed(&openai, 400, "{\"error\":{\"message\":\"extra field parallel_tool_calls\",\"param\":null}}");
    ck_assert_uint_eq(provider_quirk_for(openai.provider, &f), QUIRK_PARALLEL);
    f = failed(&openai, 400, "{\"error\":{\"message\":\"too long\",\"param\":\"messages\"}}");
    ck_assert_uint_eq(provider_quirk_for(openai.provider, &f), 0);
    f = failed(&openai, 500, "{\"error\":{\"message\":\"max_tokens\"}}");
    ck_assert_uint_eq(provider_quirk_for(openai.provider, &f), 0);
    f = failed(&claude, 400,
               "{\"error\":{\"message\":\"messages.1.content.0: Invalid `signature` in `thinking` block. The "
               "block is bound to a different conversation.\"}}");
    ck_assert_uint_eq(provider_quirk_for(claude.provider, &f), QUIRK_THINKING);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        test_parse_anthropic, test_parse_anthropic_stops,
        test_parse_openai,    test_parse_openai_stops,
        test_too_many_calls,  test_strange_names,
        test_recover,         test_visible_text,
        test_fault_kinds,     test_malformed,
        test_quirk_of_fault,
    };
    return run_suite("model answer", tests, sizeof tests / sizeof *tests);
}
