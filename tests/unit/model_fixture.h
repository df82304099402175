/* SPDX-License-Identifier: MIT
 * model_fixture: what the tests of the pure halves of the providers share: three endpoints, one request with two tools,
 * and a suite around a list of tests. */
#ifndef TESTS_UNIT_MODEL_FIXTURE_H
#define TESTS_UNIT_MODEL_FIXTURE_H

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

static void assert_same(const char *body, const char *golden)
{
    ck_assert_msg(json_object_equal(parsed(body), parsed(golden)), "got  %s\nwant %s", body, golden);
}

static int run_suite(const char *name, const TTest *const *tests, size_t count)
{
    Suite *s = suite_create(name);
    TCase *c = tcase_create("pure");
    tcase_add_checked_fixture(c, setup, teardown);
    for (size_t i = 0; i < count; i++)
        tcase_add_test(c, tests[i]);
    suite_add_tcase(s, c);
    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    int failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
