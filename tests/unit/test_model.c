/* SPDX-License-Identifier: MIT
 * test_model: the pure halves of the model providers, outward: requests compared with golden JSON.  No network. */
#include "tests/unit/model_fixture.h"

static struct provider_call built(const struct model_endpoint *endpoint, unsigned quirks)
{
    struct provider_call call = { 0 };
    struct error e = { 0 };
    ck_assert_msg(endpoint->provider->build(endpoint, &request, quirks, arena, &call, &e) == OK, "%s", e.text);
    ck_assert_uint_eq(call.body_len, strlen(call.body));
    return call;
}

static bool has_header(const struct provider_call *call, const char *header)
{
    for (int i = 0; call->headers[i]; i++)
        if (strcmp(call->headers[i], header) == 0)
            return true;
    return false;
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

int main(void)
{
    const TTest *const tests[] = {
        test_build_anthropic, test_build_openai,        test_build_quirks,
        test_build_urls,      test_home_and_titles,     test_loop_anthropic,
        test_loop_openai,     test_words_after_results, test_conversations_refused,
    };
    return run_suite("model", tests, sizeof tests / sizeof *tests);
}
