/* SPDX-License-Identifier: MIT
 * test_model_step: model_step over real sockets against the strict fake (tests/fakes/models.py), which this test
 * starts: retries, what a 400 teaches, truncation, failover, pauses, cancelling. */
#include "base/clock.h"
#include "base/http.h"
#include "base/json.h"
#include "router/provider.h"
#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char fake_url[64];
static pid_t fake_pid;
static int fake_stdin = -1;

static struct arena *arena;
static struct http *http;
static struct model_set set;
static struct model_tool tool;
static struct model_message first[1];
static struct model_request request;
static struct model_reply reply;
static struct error error;

/* --- the fake --- */

static void fake_start(void)
{
    int in[2], out[2];
    ck_assert(pipe(in) == 0 && pipe(out) == 0);
    fake_pid = fork();
    if (fake_pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        close(in[1]);
        close(out[0]);
        execl("/usr/bin/python3", "python3", "tests/fakes/models.py", "--parent", (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    fake_stdin = in[1];
    FILE *f = fdopen(out[0], "r");
    ck_assert_msg(f && fgets(fake_url, sizeof fake_url, f) != NULL, "tests/fakes/models.py did not start");
    fake_url[strcspn(fake_url, "\n")] = '\0';
    fclose(f);
}

static void fake_stop(void)
{
    close(fake_stdin);
    waitpid(fake_pid, NULL, 0);
}

static struct json_object *fake_ask(const char *path, const char *body)
{
    struct http_reply answer;
    struct http_request out = { .url = arena_printf(arena, "%s%s", fake_url, path),
                                .body = body,
                                .body_len = body ? strlen(body) : 0,
                                .timeout_ms = 10000,
                                .reply_bytes_max = 16 * 1024 * 1024 };
    struct json_object *value = NULL;
    ck_assert_msg(http_call(http, arena, &out, &answer, &error) == OK, "%s", error.text);
    ck_assert_int_eq(json_parse_in(arena, answer.body, answer.body_len, &value, &error), OK);
    return value;
}

static void script(const char *behaviours)
{
    fake_ask("/__script", behaviours);
}

static size_t requests_seen(void)
{
    return json_object_array_length(json_at(fake_ask("/__requests", NULL), "requests"));
}

/* Member `path` of the nth request seen, as text. */
static const char *seen(size_t n, const char *path)
{
    struct json_object *list = json_at(fake_ask("/__requests", NULL), "requests");
    struct json_object *value = json_at(json_object_array_get_idx(list, n), path);
    return value ? json_text(arena, value) : "(absent)";
}

/* --- fixtures --- */

static void setup(void)
{
    arena = arena_new();
    http = http_new();
    memset(&set, 0, sizeof set);
    set.retry_base_ms = 2;
    set.timeout_ms = 10000;
    const char *base = arena_printf(arena, "%s/v1", fake_url);
    ck_assert_int_eq(model_set_add(&set, "anthropic", fake_url, "key-one", "claude-haiku-5-5", &error), OK);
    ck_assert_int_eq(model_set_add(&set, "openai", base, "key-two", "small-local", &error), OK);
    struct json_object *schema = NULL;
    const char *text = "{\"type\":\"object\",\"properties\":{\"content\":{\"type\":\"string\"}}}";
    ck_assert_int_eq(json_parse_in(arena, text, strlen(text), &schema, &error), OK);
    tool = (struct model_tool){ "add_task", "Adds a task.", schema };
    first[0] = (struct model_message){ .role = MODEL_USER, .text = "[Now: Friday 2026-11-20 09:14 UTC.]\nbuy bread" };
    request = (struct model_request){ .system = "Rules.",
                                      .tools = &tool,
                                      .tool_count = 1,
                                      .messages = first,
                                      .message_count = 1,
                                      .output_tokens_max = 100 };
    fake_ask("/__reset", "{}");
}

static void teardown(void)
{
    http_free(http);
    arena_free(arena);
}

static enum status step(const char *provider)
{
    error.text[0] = '\0';
    return model_step(&set, http, arena, &request, provider, NULL, &reply, &error);
}

static void assert_step(const char *provider, const char *answered_by)
{
    ck_assert_msg(step(provider) == OK, "%s", error.text);
    ck_assert_str_eq(reply.provider, answered_by);
}

static void assert_bread(void)
{
    ck_assert_int_eq(reply.stop, MODEL_STOP_TOOLS);
    ck_assert_int_eq(reply.call_count, 1);
    ck_assert_str_eq(reply.calls[0].name, "add_task");
    ck_assert_str_eq(json_str(reply.calls[0].arguments, "content", ""), "Buy bread");
}

/* --- answers --- */

START_TEST(test_first_answers)
{
    assert_step(NULL, "anthropic");
    assert_bread();
    ck_assert_str_eq(reply.model, "claude-haiku-5-5");
    ck_assert_int_eq(reply.failovers, 0);
    ck_assert_ptr_null(reply.failed_provider);
    ck_assert_int_gt(reply.input_tokens, 0);
    ck_assert_uint_eq(requests_seen(), 1);
    ck_assert_str_eq(seen(0, "headers.x-api-key"), "\"key-one\"");
}
END_TEST

/* A second round goes through the strict fake's pairing and binding checks. */
static void second_round(const char *provider)
{
    assert_step(provider, provider);
    assert_bread();
    struct model_result result = { reply.calls[0].id, "ID 83", false };
    struct model_message loop[] = { first[0],
                                    { .role = MODEL_ASSISTANT, .raw = reply.raw },
                                    { .role = MODEL_RESULTS, .results = &result, .result_count = 1 } };
    request.messages = loop;
    request.message_count = 3;
    assert_step(provider, provider);
    ck_assert_int_eq(reply.stop, MODEL_STOP_END);
    ck_assert_str_eq(reply.text, "Here is what I found: ID 83");
    ck_assert_uint_eq(requests_seen(), 2);
}

START_TEST(test_second_round)
{
    second_round("anthropic");
    request.messages = first;
    request.message_count = 1;
    fake_ask("/__reset", "{}");
    second_round("openai");
}
END_TEST

START_TEST(test_doubled_ids_go_back_mended)
{
    script("[{\"for\":\"openai\",\"duplicate_ids\":true,\"calls\":[{\"name\":\"add_task\",\"arguments\":{}},"
           "{\"name\":\"add_task\",\"arguments_text\":\"{broken\"}]}]");
    assert_step("openai", "openai");
    ck_assert_int_eq(reply.call_count, 2);
    struct model_result results[] = { { reply.calls[0].id, "1", false }, { reply.calls[1].id, "2", true } };
    struct model_message loop[] = { first[0],
                                    { .role = MODEL_ASSISTANT, .raw = reply.raw },
                                    { .role = MODEL_RESULTS, .results = results, .result_count = 2 } };
    request.messages = loop;
    request.message_count = 3;
    assert_step("openai", "openai"); /* the fake refuses doubled ids and arguments that are no object */
    ck_assert_str_eq(seen(1, "refused"), "(absent)");
}
END_TEST

START_TEST(test_changed_tools_drop_thinking)
{
    assert_step("anthropic", "anthropic");
    struct model_result result = { reply.calls[0].id, "ID 83", false };
    struct model_message loop[] = { first[0],
                                    { .role = MODEL_ASSISTANT, .raw = reply.raw },
                                    { .role = MODEL_RESULTS, .results = &result, .result_count = 1 } };
    request.messages = loop;
    request.message_count = 3;
    request.system = "Rules of the next version."; /* the program was updated in the middle of a turn */
    assert_step("anthropic", "anthropic");
    ck_assert_uint_eq(requests_seen(), 3);
    ck_assert_ptr_nonnull(strstr(seen(1, "refused"), "bound to a different conversation"));
    ck_assert_uint_eq(atomic_load(&set.quirks[0]), 0);
}
END_TEST

/* --- retries --- */

START_TEST(test_retries_then_answers)
{
    static const char *const faults[] = {
        "{\"status\":529}",   "{\"status\":500}",       "{\"status\":429}",    "{\"status\":408}",
        "{\"status\":409}",   "{\"close\":\"before\"}", "{\"close\":\"mid\"}", "{\"half\":true}",
        "{\"garbage\":true}", "{\"html\":true}",        "{\"empty\":true}",    "{\"status\":502,\"html\":true}",
    };
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        fake_ask("/__reset", "{}");
        script(arena_printf(arena, "[%s,%s]", faults[i], faults[i]));
        ck_assert_msg(step(NULL) == OK, "%s: %s", faults[i], error.text);
        ck_assert_str_eq(reply.provider, "anthropic");
        assert_bread();
        ck_assert_msg(requests_seen() == 3, "%s", faults[i]);
    }
}
END_TEST

START_TEST(test_retries_end)
{
    script("[{\"for\":\"anthropic\",\"status\":529,\"times\":-1}]");
    assert_step(NULL, "openai");
    assert_bread();
    ck_assert_int_eq(reply.failovers, 1);
    ck_assert_str_eq(reply.failed_provider, arena_printf(arena, "the model server at %s", fake_url + 7));
    ck_assert_uint_eq(requests_seen(), 4);
}
END_TEST

START_TEST(test_advice_of_the_server)
{
    script("[{\"status\":500,\"headers\":{\"x-should-retry\":\"false\"}}]");
    assert_step(NULL, "openai");
    ck_assert_uint_eq(requests_seen(), 2);
    fake_ask("/__reset", "{}");
    script("[{\"status\":400,\"headers\":{\"x-should-retry\":\"true\"}}]");
    assert_step(NULL, "anthropic");
    ck_assert_uint_eq(requests_seen(), 2);
    fake_ask("/__reset", "{}");
    script("[{\"status\":429,\"headers\":{\"retry-after-ms\":\"3\"}}]");
    assert_step(NULL, "anthropic");
    fake_ask("/__reset", "{}");
    script("[{\"status\":429,\"headers\":{\"retry-after\":\"50\"}}]"); /* longer than a person waits */
    assert_step(NULL, "openai");
    ck_assert_uint_eq(requests_seen(), 2);
    ck_assert(atomic_load(&set.paused_until_ms[0]) > clock_mono_ms() + 30000);
}
END_TEST

START_TEST(test_waits_inside_its_time)
{
    set.timeout_ms = 1000; /* the pause asked for would end after it */
    script("[{\"status\":503,\"headers\":{\"retry-after\":\"15\"}}]");
    assert_step(NULL, "openai");
    ck_assert_uint_eq(requests_seen(), 2);
}
END_TEST

START_TEST(test_huge_answer)
{
    script("[{\"huge\":true,\"for\":\"anthropic\"}]");
    assert_step(NULL, "openai"); /* not asked for again: it would be as large */
    ck_assert_uint_eq(requests_seen(), 2);
}
END_TEST

START_TEST(test_hanging_provider)
{
    set.timeout_ms = 300;
    script("[{\"for\":\"anthropic\",\"hang\":true,\"times\":-1}]");
    assert_step(NULL, "openai");
    ck_assert_uint_eq(requests_seen(), 2);
    assert_step(NULL, "openai"); /* paused after the first: nobody waits for it twice */
    ck_assert_uint_eq(requests_seen(), 3);
}
END_TEST

/* --- what a 400 teaches --- */

START_TEST(test_learns_once)
{
    set.endpoint[1].model = "gpt-6-luna"; /* behind a proxy: wants max_completion_tokens and reasoning_effort */
    assert_step("openai", "openai");
    assert_bread();
    ck_assert_uint_eq(requests_seen(), 3);
    ck_assert_uint_eq(atomic_load(&set.quirks[1]), QUIRK_MAX_TOKENS | QUIRK_EFFORT);
    assert_step("openai", "openai");
    ck_assert_uint_eq(requests_seen(), 4);
    set.endpoint[1].model = "gpt-4o-mini"; /* the server changed its mind: the bit turns back */
    assert_step("openai", "openai");
    ck_assert_uint_eq(atomic_load(&set.quirks[1]), QUIRK_MAX_TOKENS);
}
END_TEST

START_TEST(test_learns_from_success_only)
{
    script("[{\"for\":\"openai\",\"status\":400,\"times\":-1,\"error\":{\"message\":\"no\",\"param\":\"parallel_tool_"
           "calls\"}}]");
    ck_assert_int_eq(step("openai"), ST_UNAVAILABLE);
    ck_assert_uint_eq(requests_seen(), 2);
    ck_assert_uint_eq(atomic_load(&set.quirks[1]), 0);
    ck_assert_str_eq(seen(0, "body.parallel_tool_calls"), "true");
    ck_assert_str_eq(seen(1, "body.parallel_tool_calls"), "(absent)");
}
END_TEST

START_TEST(test_responses_only)
{
    set.endpoint[1].model = "gpt-6-astra";
    ck_assert_int_eq(step("openai"), ST_UNAVAILABLE);
    ck_assert_ptr_nonnull(strstr(error.text, "Responses API"));
    ck_assert_ptr_nonnull(strstr(error.text, "gpt-6-astra"));
}
END_TEST

/* --- truncation, refusal --- */

START_TEST(test_truncated)
{
    script("[{\"stop\":\"max_tokens\",\"calls\":[{\"name\":\"add_task\",\"arguments\":{\"content\":\"Buy br\"}}]}]");
    assert_step(NULL, "anthropic");
    assert_bread(); /* of the second answer */
    ck_assert_str_eq(seen(0, "body.max_tokens"), "100");
    ck_assert_str_eq(seen(1, "body.max_tokens"), "200");
    script("[{\"stop\":\"max_tokens\",\"times\":-1,\"text\":\"A long\","
           "\"calls\":[{\"name\":\"add_task\",\"arguments\":{\"content\":\"x\"}}]}]");
    assert_step(NULL, "anthropic");
    ck_assert_int_eq(reply.stop, MODEL_STOP_TRUNCATED);
    ck_assert_int_eq(reply.call_count, 0);
    ck_assert_ptr_null(reply.raw);
    ck_assert_str_eq(reply.text, "A long");
    ck_assert_uint_eq(requests_seen(), 4);
}
END_TEST

START_TEST(test_truncated_then_broken)
{
    script("[{\"stop\":\"length\",\"text\":\"A beginning\"},{\"status\":500,\"times\":-1}]");
    assert_step("openai", "openai");
    ck_assert_int_eq(reply.stop, MODEL_STOP_TRUNCATED);
    ck_assert_str_eq(reply.text, "A beginning");
}
END_TEST

START_TEST(test_refused)
{
    script("[{\"stop\":\"refusal\",\"text\":\"I will not.\"}]");
    assert_step(NULL, "anthropic");
    ck_assert_int_eq(reply.stop, MODEL_STOP_REFUSED);
    ck_assert_int_eq(reply.call_count, 0);
    ck_assert_uint_eq(requests_seen(), 1);
}
END_TEST

/* --- failing over and pausing --- */

START_TEST(test_standing_fault)
{
    set.endpoint[0].model = "claude-3-haiku"; /* retired */
    assert_step(NULL, "openai");
    ck_assert_ptr_nonnull(strstr(reply.failed_sentence, "says the model claude-3-haiku does not exist (404)"));
    assert_step(NULL, "openai");
    ck_assert_int_eq(reply.failovers, 1); /* skipped, and said so */
    ck_assert_uint_eq(requests_seen(), 3);
    ck_assert(atomic_load(&set.paused_until_ms[0]) > clock_mono_ms() + 60000);
}
END_TEST

START_TEST(test_pause_after_two)
{
    script("[{\"for\":\"anthropic\",\"status\":500,\"times\":-1}]");
    assert_step(NULL, "openai");
    ck_assert_int_eq(atomic_load(&set.paused_until_ms[0]), 0);
    assert_step(NULL, "openai");
    ck_assert_uint_eq(requests_seen(), 8);
    assert_step(NULL, "openai");
    ck_assert_uint_eq(requests_seen(), 9);
    atomic_store(&set.paused_until_ms[0], clock_mono_ms() - 1);
    script("[]");
    assert_step(NULL, "anthropic"); /* asked again after the pause, and forgiven */
    ck_assert_int_eq(atomic_load(&set.failed_steps[0]), 0);
}
END_TEST

START_TEST(test_all_paused)
{
    int64_t later_ms = clock_mono_ms() + 60000;
    atomic_store(&set.paused_until_ms[0], later_ms);
    atomic_store(&set.paused_until_ms[1], later_ms);
    assert_step(NULL, "anthropic");
    ck_assert_int_eq(atomic_load(&set.paused_until_ms[0]), 0);
    atomic_store(&set.paused_until_ms[0], later_ms);
    atomic_store(&set.paused_until_ms[1], later_ms);
    script("[{\"status\":500,\"times\":-1}]");
    ck_assert_int_eq(step(NULL), ST_UNAVAILABLE);
    ck_assert_uint_eq(requests_seen(), 3); /* one attempt each */
}
END_TEST

START_TEST(test_named_provider)
{
    atomic_store(&set.paused_until_ms[1], clock_mono_ms() + 60000);
    assert_step("openai", "openai"); /* a turn it began cannot go elsewhere: asked in spite of the pause */
    script("[{\"for\":\"openai\",\"status\":401}]");
    ck_assert_int_eq(step("openai"), ST_UNAVAILABLE);
    ck_assert_str_eq(error.text,
                     arena_printf(arena, "the model server at %s does not accept the API key (401)", fake_url + 7));
    set.count = 1;
    ck_assert_int_eq(step("openai"), ST_NOT_FOUND);
    set.count = 0;
    ck_assert_int_eq(step(NULL), ST_UNAVAILABLE);
}
END_TEST

START_TEST(test_nobody_answers)
{
    set.endpoint[0].api_key = "wrong-key-123";
    set.endpoint[1].base_url = "http://127.0.0.1:1/v1";
    ck_assert_int_eq(step(NULL), ST_UNAVAILABLE);
    ck_assert_ptr_nonnull(strstr(error.text, "does not accept the API key (401); the model server at 127.0.0.1:1 "));
    ck_assert_ptr_null(strstr(error.text, "wrong-key-123"));
    ck_assert_ptr_null(strstr(error.text, "key-two"));
}
END_TEST

START_TEST(test_bad_request_does_not_pause)
{
    script("[{\"status\":400,\"times\":-1}]");
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(step(NULL), ST_UNAVAILABLE);
    ck_assert_int_eq(atomic_load(&set.paused_until_ms[0]), 0);
    ck_assert_uint_eq(requests_seen(), 8);
}
END_TEST

/* --- cancelling --- */

static volatile bool cancel;

static void *cancel_soon(void *arg)
{
    clock_sleep_ms(*(int *)arg);
    __atomic_store_n(&cancel, true, __ATOMIC_RELAXED);
    return NULL;
}

/* Ends with the test's own time limit, not with a measurement, should it not be prompt. */
static void assert_cancelled(const char *behaviours)
{
    pthread_t thread;
    int after_ms = 100;
    cancel = false;
    set.timeout_ms = 60000;
    set.retry_base_ms = 8000;
    fake_ask("/__reset", "{}");
    script(behaviours);
    ck_assert_int_eq(pthread_create(&thread, NULL, cancel_soon, &after_ms), 0);
    ck_assert_int_eq(model_step(&set, http, arena, &request, NULL, &cancel, &reply, &error), ST_SHUTDOWN);
    pthread_join(thread, NULL);
    ck_assert_uint_eq(requests_seen(), 1);
}

START_TEST(test_cancel)
{
    assert_cancelled("[{\"hang\":true}]");
    assert_cancelled("[{\"status\":500,\"times\":-1}]"); /* inside the pause between two attempts */
    cancel = true;
    ck_assert_int_eq(model_step(&set, http, arena, &request, NULL, &cancel, &reply, &error), ST_SHUTDOWN);
    ck_assert_uint_eq(requests_seen(), 1);
    ck_assert_int_eq(atomic_load(&set.failed_steps[0]), 0);
}
END_TEST

START_TEST(test_set_add)
{
    struct model_set s = { 0 };
    ck_assert_int_eq(model_set_add(&s, "nobody", "http://x", NULL, "m", &error), ST_NOT_FOUND);
    ck_assert_int_eq(model_set_add(&s, "openai", "localhost", NULL, "m", &error), ST_INVALID);
    ck_assert_int_eq(model_set_add(&s, "openai", "http://x", NULL, "", &error), ST_INVALID);
    for (int i = 0; i < MODEL_PROVIDERS_MAX; i++)
        ck_assert_int_eq(model_set_add(&s, "openai", "http://x", NULL, "m", &error), OK);
    ck_assert_int_eq(model_set_add(&s, "openai", "http://x", NULL, "m", &error), ST_LIMIT);
}
END_TEST

static Suite *suite(void)
{
    const TTest *const tests[] = {
        test_first_answers,
        test_second_round,
        test_doubled_ids_go_back_mended,
        test_changed_tools_drop_thinking,
        test_retries_then_answers,
        test_retries_end,
        test_advice_of_the_server,
        test_waits_inside_its_time,
        test_huge_answer,
        test_hanging_provider,
        test_learns_once,
        test_learns_from_success_only,
        test_responses_only,
        test_truncated,
        test_truncated_then_broken,
        test_refused,
        test_standing_fault,
        test_pause_after_two,
        test_all_paused,
        test_named_provider,
        test_nobody_answers,
        test_bad_request_does_not_pause,
        test_set_add,
    };
    Suite *s = suite_create("model_step");
    TCase *c = tcase_create("step");
    tcase_add_unchecked_fixture(c, fake_start, fake_stop);
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_set_timeout(c, 30);
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        tcase_add_test(c, tests[i]);
    suite_add_tcase(s, c);
    c = tcase_create("cancel"); /* the pause it interrupts lasts 6 to 8 s */
    tcase_add_unchecked_fixture(c, fake_start, fake_stop);
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_set_timeout(c, 5);
    tcase_add_test(c, test_cancel);
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    http_global_init(NULL);
    SRunner *runner = srunner_create(suite());
    srunner_run_all(runner, CK_NORMAL);
    int failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
