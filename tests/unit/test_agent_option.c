/* SPDX-License-Identifier: MIT
 * What the asking side reads from its arguments, and where it thinks the server is. */
#include "bot/agent_client.h"
#include "bot/agent_option.h"
#include "bot/command.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

START_TEST(test_durations_are_read)
{
    static const struct {
        const char *text;
        int64_t seconds; /* 0 = refused */
    } row[] = { { "90", 90 },        { "90s", 90 },      { "30m", 1800 }, { "30min", 1800 }, { "24h", 86400 },
                { "7d", 604800 },    { "0", 0 },         { "", 0 },       { "m", 0 },        { "-5m", 0 },
                { "1.5h", 0 },       { "5 m", 0 },       { "367d", 0 },   { "1h30m", 0 },    { "5w", 0 },
                { "999999999d", 0 }, { "9999999999", 0 } };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        int64_t ms = 0;
        bool good = agent_duration_read(row[i].text, &ms);
        ck_assert_msg(good == (row[i].seconds > 0), "%s", row[i].text);
        if (good)
            ck_assert_int_eq(ms, row[i].seconds * 1000);
    }
}
END_TEST

START_TEST(test_durations_are_told)
{
    static const struct {
        int64_t seconds;
        const char *text;
    } row[] = { { 0, "0 s" },
                { 59, "59 s" },
                { 60, "1 min" },
                { 61, "1 min 1 s" },
                { 5400, "1 h 30 min" },
                { 3601, "1 h" },
                { 86400 + 3600, "1 d 1 h" },
                { 86400 + 59, "1 d" },
                { -5, "0 s" } };
    struct arena *a = arena_new();
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
        ck_assert_str_eq(agent_duration_text(a, row[i].seconds * 1000 + 999 * (row[i].seconds > 0)), row[i].text);
    arena_free(a);
}
END_TEST

START_TEST(test_ids)
{
    char one[AGENT_ID_BYTES], two[AGENT_ID_BYTES], longest[130];
    ck_assert(agent_id_valid(agent_id_new(one)) && agent_id_valid(agent_id_new(two)));
    ck_assert_str_ne(one, two);
    memset(longest, 'x', sizeof longest);
    longest[128] = '\0';
    ck_assert(agent_id_valid(longest) && agent_id_valid("deploy:7_a.b-c"));
    longest[128] = 'x';
    longest[129] = '\0';
    ck_assert(!agent_id_valid(longest) && !agent_id_valid("") && !agent_id_valid("a b") && !agent_id_valid("a&wait=0"));
}
END_TEST

START_TEST(test_values_of_options)
{
    char *argv[] = { "notify", "--expires=24h", "--expires", "7d", "--expiresnow", "--expires", NULL };
    int i = 1;
    ck_assert_str_eq(command_option(6, argv, &i, "--expires"), "24h");
    ck_assert_int_eq(i, 1);
    i = 2;
    ck_assert_str_eq(command_option(6, argv, &i, "--expires"), "7d");
    ck_assert_int_eq(i, 3);
    i = 4;
    ck_assert_ptr_null(command_option(6, argv, &i, "--expires"));
    i = 5; /* without a value */
    ck_assert_ptr_null(command_option(6, argv, &i, "--expires"));
    ck_assert_int_eq(i, 5);
}
END_TEST

START_TEST(test_where_the_server_is)
{
    static const struct {
        const char *given, *port, *url; /* NULL url = refused */
    } row[] = {
        { NULL, NULL, "http://127.0.0.1:8080" },
        { NULL, "10000", "http://127.0.0.1:10000" },
        { NULL, "many", NULL },
        { "https://steward.example", "10000", "https://steward.example" },
        { "https://steward.example//", NULL, "https://steward.example" },
        { "https://steward.example/send", NULL, "https://steward.example" },
        { "https://steward.example/a/send/", NULL, "https://steward.example/a" },
        { "steward.example", NULL, NULL },
        { "https://steward.example/?x=1", NULL, NULL },
        { "ftp://steward.example", NULL, NULL },
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct arena *a = arena_new();
        struct error e;
        const char *url;
        setenv("CLAUDE_NOTIFY_URL", row[i].given ? row[i].given : "", 1);
        setenv("PORT", row[i].port ? row[i].port : "", 1);
        enum status s = agent_url(a, &url, &e);
        ck_assert_int_eq(s, row[i].url ? OK : ST_INVALID);
        if (s == OK)
            ck_assert_str_eq(url, row[i].url);
        arena_free(a);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("agent_option");
    TCase *c = tcase_create("agent_option");
    tcase_add_test(c, test_durations_are_read);
    tcase_add_test(c, test_durations_are_told);
    tcase_add_test(c, test_ids);
    tcase_add_test(c, test_values_of_options);
    tcase_add_test(c, test_where_the_server_is);
    suite_add_tcase(suite, c);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
