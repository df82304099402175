/* SPDX-License-Identifier: MIT
 * Updates: their envelope (key, lane, wanted or not) and what the turn reads from them. */
#include "bot/update.h"
#include "router/incoming.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct arena *a;
static void begin(void)
{
    a = arena_new();
}
static void end(void)
{
    arena_free(a);
}

static enum status envelope(const char *body, struct inbox_update *u, bool *wanted)
{
    struct error e;
    memset(u, 0, sizeof *u);
    return update_envelope(a, body, strlen(body), u, wanted, &e);
}

START_TEST(envelopes)
{
    struct inbox_update u;
    bool wanted;
    ck_assert_int_eq(envelope("{\"update_id\":7,\"message\":{\"chat\":{\"id\":-5},\"from\":{\"id\":9}}}", &u, &wanted),
                     OK);
    ck_assert(wanted && !u.tap);
    ck_assert_str_eq(u.update_key, "7");
    ck_assert_str_eq(u.lane, "chat:telegram:-5");
    ck_assert_int_eq(
        envelope("{\"update_id\":8,\"callback_query\":{\"from\":{\"id\":9},\"message\":{\"chat\":{\"id\":-5}}}}", &u,
                 &wanted),
        OK);
    ck_assert(wanted && u.tap);
    ck_assert_str_eq(u.lane, "tap:telegram:9");
    ck_assert_int_eq(envelope("{\"update_id\":9,\"edited_message\":{\"chat\":{\"id\":1}}}", &u, &wanted), OK);
    ck_assert(wanted);
    ck_assert_int_eq(envelope("{\"update_id\":9,\"poll\":{}}", &u, &wanted), OK);
    ck_assert(!wanted);
}
END_TEST

/* Where a name or a value stands, or how it is written, must not matter. */
START_TEST(odd_envelopes)
{
    static const struct {
        const char *body, *key, *lane; /* key NULL: refused; lane NULL: not wanted */
    } rows[] = {
        { " {\n\"message\" : { \"chat\":\t{\"title\":\"}]{\\\"\",\"id\" : 5 } } , \"update_id\":7 } ", "7",
          "chat:telegram:5" },
        { "{\"update_id\":7,\"mess\\u0061ge\":{\"ch\\u0061t\":{\"id\":5}}}", "7", "chat:telegram:5" },
        { "{\"update_id\":7,\"x\":{\"message\":{\"chat\":{\"id\":5}}}}", "7", NULL },
        { "{\"update_id\":7,\"message\":null,\"edited_message\":{\"chat\":{\"id\":6}}}", "7", "chat:telegram:6" },
        { "{\"update_id\":7,\"callback_query\":{\"from\":{\"id\":9}},\"message\":{\"chat\":{\"id\":6}}}", "7",
          "chat:telegram:6" },
        { "{\"update_id\":18446744073709551615,\"message\":{\"chat\":{\"id\":-0}}}", "9223372036854775807",
          "chat:telegram:0" },
        { "{\"update_id\":7,\"message\":{\"chat\":[{\"id\":5}]}}", NULL, NULL },
        { "{\"update_id\":7,\"message\":{\"chat\":{\"id\":5e0}}}", NULL, NULL },
        { "{\"update_id\":7,\"update_id\":7,\"message\":{\"chat\":{\"id\":5}}}", NULL, NULL },
        { "{\"update_id\":7,\"message\":{\"chat\":{\"id\":5,\"a\":1,\"\\u0061\":2}}}", NULL, NULL },
        { "{\"update_id\":7,\"message\":{\"chat\":{\"id\":5,\"\\u0000\":1,\"\\ufffd\":2}}}", NULL, NULL },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct inbox_update u;
        bool wanted;
        enum status s = envelope(rows[i].body, &u, &wanted);
        ck_assert_msg((s == OK) == (rows[i].key != NULL) && wanted == (rows[i].lane != NULL), "%s", rows[i].body);
        if (!wanted)
            continue;
        ck_assert_str_eq(u.update_key, rows[i].key);
        ck_assert_str_eq(u.lane, rows[i].lane);
        ck_assert_str_eq(u.body, rows[i].body);
    }
}
END_TEST

START_TEST(no_envelopes)
{
    static const char *const bad[] = { "",
                                       "x",
                                       "[]",
                                       "{}",
                                       "{\"update_id\":\"7\"}",
                                       "{\"update_id\":-1}",
                                       "{\"update_id\":1.5}",
                                       "{\"update_id\":1,\"message\":{}}",
                                       "{\"update_id\":1,\"message\":7}",
                                       "{\"update_id\":1}}",
                                       "{\"update_id\":1,\"callback_query\":{\"from\":{\"id\":\"9\"}}}" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct inbox_update u;
        bool wanted;
        ck_assert_msg(envelope(bad[i], &u, &wanted) == ST_INVALID && !wanted, "%s", bad[i]);
    }
}
END_TEST

static struct incoming in(const char *message)
{
    struct incoming x;
    struct error e;
    const char *body = arena_printf(a, "{\"update_id\":1,\"message\":%s}", message);
    ck_assert_int_eq(incoming_read(a, "telegram", body, "my_bot", 500, &x, &e), OK);
    return x;
}

#define PRIVATE                                                                                                        \
    "\"message_id\":3,\"chat\":{\"id\":42,\"type\":\"private\"},\"from\":{\"id\":42,\"first_name\":\"Ada\","           \
    "\"language_code\":\"de\"}"
#define GROUP                                                                                                          \
    "\"message_id\":3,\"chat\":{\"id\":-9,\"type\":\"supergroup\"},\"from\":{\"id\":42,\"first_name\":\"Ada\"}"

START_TEST(texts)
{
    struct incoming x = in("{" PRIVATE ",\"text\":\"  buy \\u0000bread\\n\"}");
    ck_assert_int_eq(x.kind, IN_TEXT);
    ck_assert_int_eq(x.chat_id, 42);
    ck_assert(x.from_person && x.addressed && !x.group);
    ck_assert_str_eq(x.language, "de");
    ck_assert_ptr_nonnull(strstr(x.text, "bread"));
    ck_assert_int_eq(in("{" PRIVATE ",\"photo\":[],\"caption\":\"hello\"}").kind, IN_TEXT);
    x = in("{" PRIVATE ",\"voice\":{}}");
    ck_assert_int_eq(x.kind, IN_MEDIA);
    ck_assert_str_eq(x.media, "voice message");
    ck_assert_int_eq(in("{" PRIVATE ",\"pinned_message\":{}}").kind, IN_SERVICE);
    ck_assert(in("{" PRIVATE ",\"text\":\"x\",\"forward_origin\":{}}").forwarded);
    ck_assert(
        !in("{\"message_id\":3,\"chat\":{\"id\":42},\"from\":{\"id\":1,\"is_bot\":true},\"text\":\"x\"}").from_person);
    ck_assert(!in("{" PRIVATE ",\"sender_chat\":{\"id\":1},\"text\":\"x\"}").from_person);
    ck_assert(!in("{\"message_id\":3,\"chat\":{\"id\":42},\"text\":\"x\"}").from_person);
    ck_assert_str_eq(in("{" PRIVATE ",\"text\":\"ok\",\"reply_to_message\":{\"text\":\"the card\"}}").quoted,
                     "the card");
}
END_TEST

START_TEST(groups)
{
    static const struct {
        const char *rest, *text;
        bool addressed;
    } cases[] = {
        { ",\"text\":\"buy bread\"", "buy bread", false },
        { ",\"text\":\"@my_bot buy bread\"", "buy bread", true },
        { ",\"text\":\"buy bread @MY_BOT\"", "buy bread", true },
        { ",\"text\":\"mail me@my_bots.example\"", "mail me@my_bots.example", false },
        { ",\"text\":\"@my_bot_2 buy bread\"", "@my_bot_2 buy bread", false },
        { ",\"text\":\"/tasks\"", "/tasks", true },
        { ",\"text\":\"/tasks@my_bot home\"", "/tasks home", true },
        { ",\"text\":\"/tasks@other_bot\"", "/tasks@other_bot", false },
        { ",\"text\":\"yes\",\"reply_to_message\":{\"from\":{\"id\":500}}", "yes", true },
        { ",\"text\":\"yes\",\"reply_to_message\":{\"from\":{\"id\":501}}", "yes", false },
        { ",\"text\":\"yes\",\"reply_to_message\":{\"from\":{\"id\":500},\"forum_topic_created\":{}}", "yes", false },
        { ",\"photo\":[],\"caption\":\"@my_bot note this\"", "note this", true },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct incoming x = in(arena_printf(a, "{" GROUP "%s}", cases[i].rest));
        ck_assert_msg(x.addressed == cases[i].addressed && !strcmp(x.text, cases[i].text), "%s: %d \"%s\"",
                      cases[i].rest, x.addressed, x.text);
        ck_assert(x.group);
    }
    ck_assert_int_eq(in("{" GROUP ",\"text\":\"x\",\"message_thread_id\":7,\"is_topic_message\":true}").thread_id, 7);
    ck_assert_int_eq(in("{" GROUP ",\"text\":\"x\",\"message_thread_id\":7}").thread_id, 0);
}
END_TEST

START_TEST(taps_and_edits)
{
    struct incoming x;
    struct error e;
    ck_assert_int_eq(
        incoming_read(a, "telegram",
                      "{\"callback_query\":{\"id\":\"q\",\"from\":{\"id\":42},\"data\":\"done:8\",\"message\":{"
                      "\"message_id\":5,\"date\":0,\"chat\":{\"id\":42,\"type\":\"private\"}}}}",
                      NULL, 0, &x, &e),
        OK);
    ck_assert_int_eq(x.kind, IN_TAP);
    ck_assert_str_eq(x.callback_data, "done:8");
    ck_assert_int_eq(x.message_id, 5);
    ck_assert_int_eq(
        incoming_read(a, "telegram", "{\"callback_query\":{\"id\":\"q\",\"from\":{\"id\":42}}}", NULL, 0, &x, &e), OK);
    ck_assert_str_eq(x.callback_data, "");
    ck_assert_int_eq(
        incoming_read(a, "telegram", "{\"edited_message\":{" PRIVATE ",\"text\":\"new\"}}", NULL, 0, &x, &e), OK);
    ck_assert_int_eq(x.kind, IN_EDIT);
    ck_assert_int_eq(incoming_read(a, "telegram", "{\"poll\":{}}", NULL, 0, &x, &e), ST_INVALID);
    ck_assert_int_eq(incoming_read(a, "telegram", "rubbish", NULL, 0, &x, &e), ST_INVALID);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("incoming");
    TCase *c = tcase_create("incoming");
    tcase_add_checked_fixture(c, begin, end);
    tcase_add_test(c, envelopes);
    tcase_add_test(c, odd_envelopes);
    tcase_add_test(c, no_envelopes);
    tcase_add_test(c, texts);
    tcase_add_test(c, groups);
    tcase_add_test(c, taps_and_edits);
    suite_add_tcase(suite, c);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
