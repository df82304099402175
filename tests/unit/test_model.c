/* SPDX-License-Identifier: MIT
 * test_model: the pure halves of the model providers: requests compared with golden JSON, answers of every shape
 * read into replies or faults.  No network. */
#include "base/json.h"
#include "router/provider.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct arena *arena;
static struct model_endpoint claude, openai, local;
static struct model_tool tools[2];
static struct model_message first[1];
static struct model_request request;

static struct json_object *parsed(const char *text)
{
    struct json_object *value = NULL;
    struct error e = { 0 };
    ck_assert_msg(json_parse_in(arena, text, strlen(text), &value, &e) == OK, "%s in %s", e.text, text);
    return value;
}

static void setup(void)
{
    arena = arena_new();
    claude = (struct model_endpoint){ provider_find("anthropic"), "https://api.anthropic.com", "sk-secret-1",
                                      "claude-haiku-5-5" };
    openai =
        (struct model_endpoint){ provider_find("openai"), "https://api.openai.com/v1", "sk-secret-2", "gpt-6-luna" };
    local = (struct model_endpoint){ provider_find("openai"), "http://localhost:11434/v1", NULL, "qwen3" };
    const char *schema =
        "{\"type\":\"object\",\"properties\":{\"content\":{\"type\":\"string\"}},\"required\":[\"content\"],"
        "\"additionalProperties\":false}";
    tools[0] = (struct model_tool){ "add_task", "Adds a task.", parsed(schema) };
    tools[1] = (struct model_tool){ "list_tasks", "Lists tasks.", parsed("{\"type\":\"object\",\"properties\":{}}") };
    first[0] = (struct model_message){ .role = MODEL_USER, .text = "[Now: …]\nbuy bread" };
    request = (struct model_request){ .system = "Rules.",
                                      .tools = tools,
                                      .tool_count = 2,
                                      .messages = first,
                                      .message_count = 1,
                                      .output_tokens_max = 2048 };
}

static void teardown(void)
{
    arena_free(arena);
}

static struct provider_call built(const struct model_endpoint *endpoint, unsigned quirks)
{
    struct provider_call call = { 0 };
    struct error e = { 0 };
    ck_assert_msg(endpoint->provider->build(endpoint, &request, quirks, arena, &call, &e) == OK, "%s", e.text);
    ck_assert_uint_eq(call.body_len, strlen(call.body));
    return call;
}

static void assert_same(const char *body, const char *golden)
{
    ck_assert_msg(json_object_equal(parsed(body), parsed(golden)), "got  %s\nwant %s", body, golden);
}

static bool has_header(const struct provider_call *call, const char *header)
{
    for (int i = 0; call->headers[i]; i++)
        if (strcmp(call->headers[i], header) == 0)
            return true;
    return false;
}

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

/* --- requests --- */

#define GOLDEN_SCHEMA                                                                                                  \
    "{\"type\":\"object\",\"properties\":{\"content\":{\"type\":\"string\"}},\"required\":[\"content\"],"              \
    "\"additionalProperties\":false}"
#define GOLDEN_OPENAI_TOOLS                                                                                            \
    "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"add_task\",\"description\":\"Adds a task.\","          \
    "\"parameters\":" GOLDEN_SCHEMA "}},{\"type\":\"function\",\"function\":{\"name\":\"list_tasks\","                 \
    "\"description\":\"Lists tasks.\",\"parameters\":{\"type\":\"object\",\"properties\":{}}}}]"

START_TEST(test_build_anthropic)
{
    struct provider_call call = built(&claude, 0);
    ck_assert_str_eq(call.url, "https://api.anthropic.com/v1/messages");
    ck_assert(has_header(&call, "x-api-key: sk-secret-1"));
    ck_assert(has_header(&call, "anthropic-version: 2023-06-01"));
    ck_assert(has_header(&call, "content-type: application/json"));
    assert_same(call.body,
                "{\"model\":\"claude-haiku-5-5\",\"max_tokens\":2048,\"stream\":false,"
                "\"system\":[{\"type\":\"text\",\"text\":\"Rules.\",\"cache_control\":{\"type\":\"ephemeral\"}}],"
                "\"tools\":[{\"name\":\"add_task\",\"description\":\"Adds a task.\",\"input_schema\":" GOLDEN_SCHEMA
                "},"
                "{\"name\":\"list_tasks\",\"description\":\"Lists tasks.\",\"input_schema\":{\"type\":\"object\","
                "\"properties\":{}}}],"
                "\"messages\":[{\"role\":\"user\",\"content\":\"[Now: …]\\nbuy bread\"}]}");
    assert_same(json_text(arena, json_at(parsed(built(&claude, QUIRK_CACHE).body), "system")), "\"Rules.\"");
}
END_TEST

START_TEST(test_build_openai)
{
    struct provider_call call = built(&openai, 0);
    ck_assert_str_eq(call.url, "https://api.openai.com/v1/chat/completions");
    ck_assert(has_header(&call, "authorization: Bearer sk-secret-2"));
    assert_same(call.body, "{\"model\":\"gpt-6-luna\",\"max_completion_tokens\":2048,\"stream\":false,"
                           "\"reasoning_effort\":\"none\"," GOLDEN_OPENAI_TOOLS ","
                           "\"messages\":[{\"role\":\"system\",\"content\":\"Rules.\"},"
                           "{\"role\":\"user\",\"content\":\"[Now: …]\\nbuy bread\"}]}");
    call = built(&local, 0);
    ck_assert_ptr_null(call.headers[1]); /* no key, no header */
    assert_same(
        call.body,
        "{\"model\":\"qwen3\",\"max_tokens\":2048,\"stream\":false,\"parallel_tool_calls\":true," GOLDEN_OPENAI_TOOLS
        ","
        "\"messages\":[{\"role\":\"system\",\"content\":\"Rules.\"},"
        "{\"role\":\"user\",\"content\":\"[Now: …]\\nbuy bread\"}]}");
}
END_TEST

START_TEST(test_build_quirks)
{
    struct json_object *body = parsed(built(&local, QUIRK_MAX_TOKENS | QUIRK_EFFORT | QUIRK_PARALLEL).body);
    ck_assert(json_has(body, "max_completion_tokens") && !json_has(body, "max_tokens"));
    ck_assert_str_eq(json_str(body, "reasoning_effort", ""), "none");
    ck_assert(!json_has(body, "parallel_tool_calls"));
    body = parsed(built(&openai, QUIRK_MAX_TOKENS | QUIRK_EFFORT).body);
    ck_assert(json_has(body, "max_tokens") && !json_has(body, "max_completion_tokens"));
    ck_assert(!json_has(body, "reasoning_effort"));
    openai.model = "gpt-4o-mini";
    ck_assert(!json_has(parsed(built(&openai, 0).body), "reasoning_effort"));
    openai.model = "gpt-5.2";
    ck_assert(json_has(parsed(built(&openai, 0).body), "reasoning_effort"));
    request.tool_count = 0;
    body = parsed(built(&local, 0).body);
    ck_assert(!json_has(body, "tools") && !json_has(body, "parallel_tool_calls"));
}
END_TEST

START_TEST(test_build_urls)
{
    static const struct {
        const char *provider, *base, *url;
    } cases[] = {
        { "anthropic", "https://api.anthropic.com/", "https://api.anthropic.com/v1/messages" },
        { "anthropic", "https://api.anthropic.com/v1", "https://api.anthropic.com/v1/messages" },
        { "anthropic", "https://api.anthropic.com/v1// ", "https://api.anthropic.com/v1/messages" },
        { "anthropic", "http://proxy/claude", "http://proxy/claude/v1/messages" },
        { "anthropic", "http://proxy/v1/messages", "http://proxy/v1/messages" },
        { "openai", "https://api.openai.com", "https://api.openai.com/v1/chat/completions" },
        { "openai", "http://localhost:11434/", "http://localhost:11434/v1/chat/completions" },
        { "openai", "https://openrouter.ai/api/v1/", "https://openrouter.ai/api/v1/chat/completions" },
        { "openai", "http://h/v1/chat/completions", "http://h/v1/chat/completions" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct model_endpoint e = { provider_find(cases[i].provider), cases[i].base, "k", "m" };
        ck_assert_str_eq(built(&e, 0).url, cases[i].url);
    }
}
END_TEST

START_TEST(test_home_and_titles)
{
    struct model_endpoint e = { provider_find("openai"), "https://API.openai.com/v1", "k", "m" };
    ck_assert(provider_at_home(&e));
    ck_assert_str_eq(provider_title(arena, &e), "OpenAI");
    e.base_url = "https://api.openai.com.evil.example/v1";
    ck_assert(!provider_at_home(&e));
    e.base_url = "http://name:password@localhost:8000/v1";
    ck_assert_str_eq(provider_title(arena, &e), "the model server at localhost:8000");
}
END_TEST

/* --- conversations --- */

/* History, a step with two calls, its results, and a word after them. */
static void loop_request(struct json_object *raw)
{
    static struct model_result results[2];
    static struct model_message m[8];
    results[0] = (struct model_result){ "call_a", "ID 83", false };
    results[1] = (struct model_result){ "call_b", "no such list", true };
    m[0] = (struct model_message){ .role = MODEL_ASSISTANT, .text = "an answer whose question was cut off" };
    m[1] = (struct model_message){ .role = MODEL_USER, .text = "hello" };
    m[2] = (struct model_message){ .role = MODEL_ASSISTANT, .text = "Hi." };
    m[3] = (struct model_message){ .role = MODEL_ASSISTANT, .text = "  " };
    m[4] = (struct model_message){ .role = MODEL_USER, .text = "one" };
    m[5] = (struct model_message){ .role = MODEL_USER, .text = "two" };
    m[6] = (struct model_message){ .role = MODEL_ASSISTANT, .raw = raw };
    m[7] = (struct model_message){ .role = MODEL_RESULTS, .results = results, .result_count = 2 };
    request.messages = m;
    request.message_count = 8;
}

START_TEST(test_loop_anthropic)
{
    const char *raw = "[{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"s\"},"
                      "{\"type\":\"tool_use\",\"id\":\"call_a\",\"name\":\"add_task\",\"input\":{\"content\":\"x\"}},"
                      "{\"type\":\"tool_use\",\"id\":\"call_b\",\"name\":\"list_tasks\",\"input\":{}}]";
    loop_request(parsed(raw));
    struct json_object *messages = json_at(parsed(built(&claude, 0).body), "messages");
    char *golden =
        arena_printf(arena,
                     "[{\"role\":\"user\",\"content\":\"hello\"},{\"role\":\"assistant\",\"content\":\"Hi.\"},"
                     "{\"role\":\"user\",\"content\":\"one\\n\\ntwo\"},{\"role\":\"assistant\",\"content\":%s},"
                     "{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":\"call_a\","
                     "\"content\":\"ID 83\"},{\"type\":\"tool_result\",\"tool_use_id\":\"call_b\",\"content\":"
                     "\"no such list\",\"is_error\":true}]}]",
                     raw);
    assert_same(json_text(arena, messages), golden);
    messages = json_at(parsed(built(&claude, QUIRK_THINKING).body), "messages");
    struct json_object *step = json_at(json_object_array_get_idx(messages, 3), "content");
    ck_assert_uint_eq(json_object_array_length(step), 2);
}
END_TEST

START_TEST(test_loop_openai)
{
    const char *raw =
        "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":["
        "{\"id\":\"call_a\",\"type\":\"function\",\"function\":{\"name\":\"add_task\",\"arguments\":\"{}\"}},"
        "{\"id\":\"call_b\",\"type\":\"function\",\"function\":{\"name\":\"list_tasks\",\"arguments\":\"{}\"}}]}";
    loop_request(parsed(raw));
    char *golden =
        arena_printf(arena,
                     "[{\"role\":\"system\",\"content\":\"Rules.\"},{\"role\":\"user\",\"content\":\"hello\"},"
                     "{\"role\":\"assistant\",\"content\":\"Hi.\"},{\"role\":\"user\",\"content\":\"one\\n\\ntwo\"},"
                     "%s,{\"role\":\"tool\",\"content\":\"ID 83\",\"tool_call_id\":\"call_a\"},"
                     "{\"role\":\"tool\",\"content\":\"Error: no such list\",\"tool_call_id\":\"call_b\"}]",
                     raw);
    assert_same(json_text(arena, json_at(parsed(built(&openai, 0).body), "messages")), golden);
}
END_TEST

START_TEST(test_words_after_results)
{
    struct model_result result = { "call_a", "", false };
    struct model_message m[] = {
        { .role = MODEL_USER, .text = "x" },
        { .role = MODEL_ASSISTANT,
          .raw = parsed("[{\"type\":\"tool_use\",\"id\":\"call_a\",\"name\":\"list_tasks\",\"input\":{}}]") },
        { .role = MODEL_RESULTS, .results = &result, .result_count = 1 },
        { .role = MODEL_USER, .text = "go on" },
    };
    request.messages = m;
    request.message_count = 4;
    struct json_object *messages = json_at(parsed(built(&claude, 0).body), "messages");
    ck_assert_uint_eq(json_object_array_length(messages), 3);
    assert_same(json_text(arena, json_object_array_get_idx(messages, 2)),
                "{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":\"call_a\"},"
                "{\"type\":\"text\",\"text\":\"go on\"}]}");
    m[1].raw = parsed("{\"role\":\"assistant\"}");
    messages = json_at(parsed(built(&openai, 0).body), "messages");
    ck_assert_uint_eq(json_object_array_length(messages), 5);
    ck_assert_str_eq(json_str(json_object_array_get_idx(messages, 3), "content", ""), "(empty)");
}
END_TEST

START_TEST(test_conversations_refused)
{
    struct model_result result = { "a", "x", false };
    struct model_message user = { .role = MODEL_USER, .text = "x" }, answer = { .role = MODEL_ASSISTANT, .text = "y" };
    struct model_message results = { .role = MODEL_RESULTS, .results = &result, .result_count = 1 };
    struct model_message foreign = { .role = MODEL_ASSISTANT, .raw = parsed("{\"role\":\"assistant\"}") };
    struct model_message cases[][3] = {
        { user, answer }, { user, results }, { answer, results }, { user, foreign, results }
    };
    int counts[] = { 2, 2, 2, 3 };
    for (int i = 0; i < 4; i++) {
        struct provider_call call;
        struct error e = { 0 };
        request.messages = cases[i];
        request.message_count = counts[i];
        ck_assert_int_eq(claude.provider->build(&claude, &request, 0, arena, &call, &e), ST_INVALID);
        ck_assert_str_ne(e.text, "");
    }
    request.message_count = 0;
    struct provider_call call;
    ck_assert_int_eq(openai.provider->build(&openai, &request, 0, arena, &call, NULL), ST_INVALID);
}
END_TEST

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

static Suite *suite(void)
{
    const TTest *const tests[] = {
        test_build_anthropic,
        test_build_openai,
        test_build_quirks,
        test_build_urls,
        test_home_and_titles,
        test_loop_anthropic,
        test_loop_openai,
        test_words_after_results,
        test_conversations_refused,
        test_parse_anthropic,
        test_parse_anthropic_stops,
        test_parse_openai,
        test_parse_openai_stops,
        test_too_many_calls,
        test_strange_names,
        test_recover,
        test_visible_text,
        test_fault_kinds,
        test_malformed,
        test_quirk_of_fault,
    };
    Suite *s = suite_create("model");
    TCase *c = tcase_create("pure");
    tcase_add_checked_fixture(c, setup, teardown);
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        tcase_add_test(c, tests[i]);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    SRunner *runner = srunner_create(suite());
    srunner_run_all(runner, CK_NORMAL);
    int failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
