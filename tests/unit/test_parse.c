/* SPDX-License-Identifier: MIT
 * test_parse: the built-in sentence parser against the tables of parse_samples.h and parse_samples_chat.h, answers to
 * its questions, compounds, the JSON it prints, and texts that must not make it slow or write. */
#include "base/json.h"
#include "base/limits.h"
#include "router/parse.h"
#include "tests/unit/parse_samples.h"
#include "tests/unit/parse_samples_chat.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

static const struct when_options friday = { .now = { 2026, 11, 20, 9, 30, 0 } };
static struct arena *arena;

static void set_up(void)
{
    arena = arena_new();
}

static void tear_down(void)
{
    arena_free(arena);
}

/* "add_task(content: buy bread, due_date: 2026-11-21) + …" */
static const char *render(const struct parse *p)
{
    const char *out = "";
    for (int i = 0; i < p->call_count; i++) {
        const char *comma = "";
        out = arena_printf(arena, "%s%s%s(", out, i ? " + " : "", p->calls[i].tool);
        json_object_object_foreach(p->calls[i].arguments, key, value)
        {
            const char *text = json_object_is_type(value, json_type_double)
                                   ? arena_printf(arena, "%g", json_object_get_double(value))
                                   : json_object_get_string(value);
            out = arena_printf(arena, "%s%s%s: %s", out, comma, key, text);
            comma = ", ";
        }
        out = arena_printf(arena, "%s)", out);
    }
    return out;
}

static void run_table(const struct sample *table, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct parse p;
        parse_sentence(arena, table[i].text, &friday, &p);
        ck_assert_msg(p.kind == PARSE_CALLS, "\"%s\": wanted %s, got kind %d", table[i].text, table[i].wanted, p.kind);
        const char *got = render(&p);
        ck_assert_msg(strcmp(got, table[i].wanted) == 0, "\"%s\": wanted %s, got %s", table[i].text, table[i].wanted,
                      got);
    }
}

START_TEST(test_tasks)
{
    run_table(tasks, COUNT(tasks));
    run_table(chat_tasks, COUNT(chat_tasks));
}
END_TEST

START_TEST(test_notes)
{
    run_table(notes, COUNT(notes));
    run_table(chat_notes, COUNT(chat_notes));
}
END_TEST

START_TEST(test_changing)
{
    run_table(changing, COUNT(changing));
    run_table(chat_changing, COUNT(chat_changing));
}
END_TEST

START_TEST(test_reading)
{
    run_table(reading, COUNT(reading));
    run_table(chat_reading, COUNT(chat_reading));
}
END_TEST

START_TEST(test_logging)
{
    run_table(logging, COUNT(logging));
    run_table(chat_logging, COUNT(chat_logging));
}
END_TEST

START_TEST(test_several)
{
    run_table(several, COUNT(several));
    run_table(chat_several, COUNT(chat_several));
}
END_TEST

static void run_asking(const char *const *text, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct parse p;
        parse_sentence(arena, text[i], &friday, &p);
        ck_assert_msg(p.kind == PARSE_ASK && p.ask, "\"%s\" must ask, got kind %d %s", text[i], p.kind, render(&p));
    }
}

START_TEST(test_asking)
{
    run_asking(asking, COUNT(asking));
    run_asking(chat_asking, COUNT(chat_asking));
}
END_TEST

static void run_silent(const char *const *text, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct parse p;
        parse_sentence(arena, text[i], &friday, &p);
        ck_assert_msg((p.kind == PARSE_NONE || p.kind == PARSE_CHAT) && p.call_count == 0,
                      "\"%s\" must do nothing, got %s", text[i], render(&p));
    }
}

START_TEST(test_silent)
{
    run_silent(silent, COUNT(silent));
    run_silent(chat_silent, COUNT(chat_silent));
}
END_TEST

START_TEST(test_chat)
{
    static const char *const chat[] = { "hello", "thanks!", "thank you so much", "good morning",  "ok",
                                        "no",    "👍",       "how are you?",      "tell me a joke" };
    for (size_t i = 0; i < COUNT(chat); i++) {
        struct parse p;
        parse_sentence(arena, chat[i], &friday, &p);
        ck_assert_msg(p.kind == PARSE_CHAT, "\"%s\" is chat, got kind %d", chat[i], p.kind);
    }
}
END_TEST

START_TEST(test_answers)
{
    static const struct {
        const char *first, *answer, *wanted; /* wanted NULL: the answer does not fit */
    } table[] = {
        { "ran 5 km", "30 minutes", "log_exercise(activity_type: running, notes: 5 km, duration_minutes: 30)" },
        { "ran 5 km", "half an hour", "log_exercise(activity_type: running, notes: 5 km, duration_minutes: 30)" },
        { "ran 5 km", "about 28", "log_exercise(activity_type: running, notes: 5 km, duration_minutes: 28)" },
        { "ran 5 km", "what's on my list", NULL },
        { "ran 5 km", "5000 hours", NULL },
        { "slept badly", "6", "log_sleep(hours: 6)" },
        { "slept badly", "7:30", "log_sleep(hours: 7.5)" },
        { "slept badly", "6 and a half hours", "log_sleep(hours: 6.5)" },
        { "drank water", "2 glasses", "log_water(amount_ml: 500)" },
        { "drank water", "300 ml", "log_water(amount_ml: 300)" },
        { "log weight", "81.4", "log_body(weight_kg: 81.4)" },
        { "log weight", "179 lbs", "log_body(weight_kg: 81.19)" },
        { "set a reminder for 5pm", "call mom", "add_task(due_date: 2026-11-20T17:00, content: call mom)" },
        { "set a reminder for 5pm", "to call mom", "add_task(due_date: 2026-11-20T17:00, content: call mom)" },
        { "set a reminder for 5pm", "never mind", NULL },
        { "set a reminder for 5pm", "show my tasks", NULL },
        { "make a note", "the gate code is 9911", "add_note(content: the gate code is 9911)" },
        { "postpone task 7", "friday", "update_task(task_id: 7, due_date: 2026-11-27)" },
        { "postpone task 7", "banana", NULL },
        { "delete it", "5", "delete_task(task_id: 5)" },
        { "remind me yesterday to call bob", "tomorrow at 9",
          "add_task(content: call bob, due_date: 2026-11-21T09:00)" },
        { "move dentist to friday at 5 and 7", "friday at 7",
          "update_task(content: dentist, due_date: 2026-11-27T07:00)" },
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        struct parse p;
        parse_sentence(arena, table[i].first, &friday, &p);
        ck_assert_msg(p.kind == PARSE_ASK && p.call_count == 1 && p.ask_argument, "\"%s\" leaves a call unfinished",
                      table[i].first);
        bool fits = parse_answer(arena, table[i].answer, &friday, &p.calls[0], p.ask_argument);
        ck_assert_msg(fits == (table[i].wanted != NULL), "\"%s\" then \"%s\": fits %d", table[i].first, table[i].answer,
                      fits);
        if (fits)
            ck_assert_str_eq(render(&p), table[i].wanted);
    }
}
END_TEST

START_TEST(test_unfinished_first)
{
    struct parse p;
    parse_sentence(arena, "slept 7h and ran 5 km", &friday, &p);
    ck_assert_int_eq(p.kind, PARSE_ASK);
    ck_assert_str_eq(p.ask_argument, "duration_minutes");
    ck_assert_str_eq(render(&p), "log_exercise(activity_type: running, notes: 5 km) + log_sleep(hours: 7)");
}
END_TEST

START_TEST(test_json)
{
    static const struct sample table[] = {
        { "buy bread tomorrow",
          "{\"tool\":\"add_task\",\"arguments\":{\"content\":\"buy bread\",\"due_date\":\"2026-11-21\"}}" },
        { "slept 7h and drank 500 ml water", "{\"calls\":[{\"tool\":\"log_sleep\",\"arguments\":{\"hours\":7}},{"
                                             "\"tool\":\"log_water\",\"arguments\":{\"amount_ml\":500}}]}" },
        { "play some music", "{\"tool\":null}" },
        { "hello", "{\"tool\":null}" },
        { "set a reminder", "{\"ask\":\"What should I remind you of?\"}" },
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        struct parse p;
        parse_sentence(arena, table[i].text, &friday, &p);
        ck_assert_str_eq(json_text(arena, parse_json(arena, &p)), table[i].wanted);
    }
}
END_TEST

/* A length ("in 30 min") is no date, and the day beside it is never lost. */
START_TEST(test_log_days)
{
    static const struct sample table[] = {
        { "ran 5 km in 30 min yesterday",
          "log_exercise(activity_type: running, notes: 5 km, date: 2026-11-19, duration_minutes: 30)" },
        { "cycled 32km in 1h15 yesterday",
          "log_exercise(activity_type: cycling, notes: 32km, date: 2026-11-19, duration_minutes: 75)" },
        { "swam in 40 minutes on monday",
          "log_exercise(activity_type: swimming, date: 2026-11-16, duration_minutes: 40)" },
        { "rowed 5 km in 22 min 2 days ago",
          "log_exercise(activity_type: rowing, notes: 5 km, date: 2026-11-18, duration_minutes: 22)" },
        { "ran 20 min 2 hours ago", "log_exercise(activity_type: running, duration_minutes: 20)" },
        { "drank 500 ml water 3 days ago", "log_water(date: 2026-11-17, amount_ml: 500)" },
        { "put \"return library books\" on my errands list",
          "add_task(content: return library books, category: Errands)" },
        { "push back call mom until sunday", "update_task(content: call mom, due_date: 2026-11-22)" },
    };
    run_table(table, COUNT(table));
}
END_TEST

/* A day-first user: 3/4 is the 3rd of April, and a colon means the 24 h clock. */
START_TEST(test_day_first)
{
    struct when_options options = friday;
    struct parse p;
    options.day_first = true;
    parse_sentence(arena, "pay rent on 3/4", &options, &p);
    ck_assert_str_eq(render(&p), "add_task(content: pay rent, due_date: 2027-04-03)");
    parse_sentence(arena, "call mom tomorrow at 5:30", &options, &p);
    ck_assert_str_eq(render(&p), "add_task(content: call mom, due_date: 2026-11-21T05:30)");
}
END_TEST

/* Prose, and texts made to hurt: nothing is written and every one of them ends. */
START_TEST(test_long_texts)
{
    static const char *const units[] = { "every ", "and buy milk ",     "remind me to ",
                                         "- ",     "add x to my list ", "1 ",
                                         "(",      "a week after ",     "my list of my list ",
                                         "word ",  "twenty ",           "it was a nice day. " };
    for (size_t i = 0; i < COUNT(units); i++) {
        size_t unit = strlen(units[i]), count = (size_t)MESSAGE_BYTES_MAX / unit;
        char *text = arena_alloc(arena, unit * count + 1);
        for (size_t k = 0; k < count; k++)
            memcpy(text + k * unit, units[i], unit);
        struct parse p;
        parse_sentence(arena, text, &friday, &p);
        ck_assert_msg(p.kind != PARSE_CALLS, "64 KiB of \"%s\" wrote something", units[i]);
    }
}
END_TEST

START_TEST(test_odd_input)
{
    static const char *const texts[] = { "",  " ",  "\n",     "?", "\xff\xfe", "remind me to \xc3",
                                         ":", "\"", "- \n- ", "@", "#",        "1" };
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct parse p;
        parse_sentence(arena, texts[i], &friday, &p);
        ck_assert_msg(p.kind != PARSE_CALLS, "text %zu wrote something", i);
    }
}
END_TEST

START_TEST(test_long_note)
{
    const char *text = "note: ";
    for (int i = 0; i < 200; i++)
        text = arena_printf(arena, "%sline %d of a long note.\n", text, i);
    struct parse p;
    parse_sentence(arena, text, &friday, &p);
    ck_assert_int_eq(p.kind, PARSE_CALLS);
    ck_assert_str_eq(p.calls[0].tool, "add_note");
    ck_assert_ptr_nonnull(strstr(json_str(p.calls[0].arguments, "content", ""), "line 199"));
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("parse");
    TCase *t = tcase_create("parse");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_set_timeout(t, 120);
    tcase_add_test(t, test_tasks);
    tcase_add_test(t, test_notes);
    tcase_add_test(t, test_changing);
    tcase_add_test(t, test_reading);
    tcase_add_test(t, test_logging);
    tcase_add_test(t, test_several);
    tcase_add_test(t, test_asking);
    tcase_add_test(t, test_silent);
    tcase_add_test(t, test_chat);
    tcase_add_test(t, test_answers);
    tcase_add_test(t, test_unfinished_first);
    tcase_add_test(t, test_json);
    tcase_add_test(t, test_log_days);
    tcase_add_test(t, test_day_first);
    tcase_add_test(t, test_long_texts);
    tcase_add_test(t, test_odd_input);
    tcase_add_test(t, test_long_note);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    SRunner *runner = srunner_create(suite());
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
