/* SPDX-License-Identifier: MIT
 * The tool table, the schemas, the validation of arguments, amounts with units, and the matching of words.  No
 * database. */
#include "base/json.h"
#include "base/limits.h"
#include "router/match.h"
#include "router/quantity.h"
#include "router/tool.h"
#include "router/tool_rows.h"
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#undef fail

static struct arena *arena;
static struct user user = { .id = 1, .name = "", .language = "en", .zone = "Europe/Berlin" };
static struct tool_ctx ctx;
static struct tool_args args;

static void set_up(void)
{
    arena = arena_new();
    ctx = (struct tool_ctx){ .arena = arena, .user = &user, .channel = "telegram" };
    ck_assert(civil_parse("2026-11-20T09:14", &ctx.now));
}

static void tear_down(void)
{
    arena_free(arena);
}

/* "" = valid, else the sentence. */
static const char *check_call(const char *tool, const char *text)
{
    static struct error e;
    struct json_object *o = NULL;
    e.text[0] = '\0';
    ck_assert_msg(json_parse_in(arena, text, strlen(text), &o, &e) == OK, "%s: %s", text, e.text);
    enum status st = tool_validate(tool_find(tool), &ctx, o, &args, &e);
    ck_assert(st == OK || st == ST_INVALID);
    return st ? e.text : "";
}

#define ck_valid(tool, text) ck_assert_str_eq(check_call(tool, text), "")
#define ck_refused(tool, text, words)                                                                                  \
    do {                                                                                                               \
        const char *said = check_call(tool, text);                                                                     \
        ck_assert_msg(strstr(said, words) != NULL, "%s %s: \"%s\"", tool, text, said);                                 \
    } while (0)

/* --- the table --- */

START_TEST(table_is_sound)
{
    int count = 0;
    for (const struct tool *const *t = tool_table; *t; t++, count++) {
        ck_assert_ptr_nonnull((*t)->run);
        ck_assert_ptr_eq(tool_find((*t)->name), *t);
        ck_assert(strlen((*t)->doc) > 20 && strlen((*t)->name) <= 64);
        for (const struct arg *a = (*t)->args; a->name; a++) {
            ck_assert(a - (*t)->args < TOOL_ARGS_MAX);
            ck_assert_msg(a->doc != NULL, "%s.%s", (*t)->name, a->name); /* "" where the name says it */
            ck_assert_msg((a->type == ARG_CHOICE) == (a->choices != NULL), "%s.%s", (*t)->name, a->name);
            ck_assert_msg(a->type != ARG_NUMBER || a->min < a->max, "%s.%s", (*t)->name, a->name);
            ck_assert_msg(a->type != ARG_TEXT || a->max > 0, "%s.%s", (*t)->name, a->name);
        }
    }
    ck_assert_int_le(count, 16);
    ck_assert_ptr_null(tool_find("rm_rf"));
    ck_assert_ptr_null(tool_find(NULL));
}
END_TEST

START_TEST(schemas_say_all)
{
    for (const struct tool *const *t = tool_table; *t; t++) {
        struct json_object *s = json_keep(arena, tool_schema(*t));
        ck_assert_str_eq(json_str(s, "type", ""), "object");
        ck_assert(json_object_object_get_ex(s, "additionalProperties", NULL));
        ck_assert(!json_flag(s, "additionalProperties", true));
        int required = 0;
        for (const struct arg *a = (*t)->args; a->name; a++) {
            struct json_object *p = json_at(json_at(s, "properties"), a->name);
            ck_assert_msg(p != NULL, "%s.%s", (*t)->name, a->name);
            ck_assert_str_ne(json_str(p, "description", "its name says it"), "");
            required += (a->flags & ARG_REQUIRED) != 0;
        }
        ck_assert_uint_eq(json_object_array_length(json_at(s, "required")), (size_t)required);
    }
    struct json_object *s = json_keep(arena, tool_schema(&tool_list_tasks));
    ck_assert_uint_eq(json_object_array_length(json_at(s, "properties.status.enum")), 3);
    s = json_keep(arena, tool_schema(&tool_log_sleep));
    ck_assert_str_eq(json_str(s, "properties.hours.type", ""), "number");
    ck_assert_ptr_nonnull(strstr(json_str(s, "properties.hours.description", ""), "0.25 to 24"));
}
END_TEST

/* --- arguments --- */

START_TEST(names_are_checked)
{
    ck_valid("add_task", "{\"content\":\" Buy bread\\n\"}");
    ck_assert_str_eq(arg_text(&args, "content"), "Buy bread");
    ck_assert(!arg_get(&args, "due_date")->present);
    ck_refused("add_task", "{\"title\":\"Buy bread\"}", "add_task has no argument \"title\"");
    ck_refused("add_task", "{\"title\":\"Buy bread\"}", "add_task needs content");
    ck_refused("add_task", "{}", "add_task needs content");
    ck_refused("add_task", "{\"content\":\"   \"}", "add_task needs content");
    ck_refused("add_task", "{\"content\":null}", "add_task needs content");
    ck_refused("add_task", "{\"content\":[\"a\"]}", "content must be text");
    ck_refused("add_task", "[1]", "must be a JSON object");
    ck_valid("add_task", "{\"content\":42,\"category\":null,\"due_date\":\"\"}");
    ck_assert_str_eq(arg_text(&args, "content"), "42");
    struct error e;
    ck_assert_int_eq(tool_validate(&tool_add_task, &ctx, NULL, &args, &e), ST_INVALID);
    ck_assert_int_eq(tool_validate(&tool_list_tasks, &ctx, NULL, &args, &e), OK);
}
END_TEST

START_TEST(text_has_a_bound)
{
    char *s = xmalloc(TASK_CONTENT_BYTES_MAX + 64);
    int n = sprintf(s, "{\"content\":\"");
    memset(s + n, 'x', TASK_CONTENT_BYTES_MAX);
    strcpy(s + n + TASK_CONTENT_BYTES_MAX, "\"}");
    ck_valid("add_task", s);
    strcpy(s + n + TASK_CONTENT_BYTES_MAX, "x\"}");
    ck_refused("add_task", s, "content is too long: 4097 bytes, at most 4096");
    free(s);
}
END_TEST

static double hours_of(const char *json)
{
    char text[128];
    snprintf(text, sizeof text, "{\"hours\":%s}", json);
    ck_valid("log_sleep", text);
    return arg_number(&args, "hours", -1);
}

START_TEST(numbers_are_coerced)
{
    static const struct {
        const char *json;
        double hours;
    } cases[] = {
        { "7.5", 7.5 },         { "7", 7 },          { "\"7\"", 7 },         { "\"7.5\"", 7.5 },
        { "\"7,5\"", 7.5 },     { "\"7h\"", 7 },     { "\"7h30\"", 7.5 },    { "\"7 h 30 min\"", 7.5 },
        { "\"450 min\"", 7.5 }, { "\"7:30\"", 7.5 }, { "\" 8 hours \"", 8 }, { "\"7 hours and 15 minutes\"", 7.25 },
        { "0.25", 0.25 },       { "24", 24 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double got = hours_of(cases[i].json);
        ck_assert_msg(fabs(got - cases[i].hours) < 1e-9, "%s: %g", cases[i].json, got);
    }
    ck_refused("log_sleep", "{\"hours\":30}", "hours must be between 0.25 and 24 hours; got 30");
    ck_refused("log_sleep", "{\"hours\":\"30h\"}", "hours must be between 0.25 and 24 hours; got 30");
    ck_refused("log_sleep", "{\"hours\":-1}", "got -1");
    ck_refused("log_sleep", "{\"hours\":\"a lot\"}", "hours must be a number in hours");
    ck_refused("log_sleep", "{\"hours\":true}", "hours must be a number");
    ck_refused("log_sleep", "{\"hours\":{}}", "hours must be a number");
    ck_refused("log_sleep", "{\"hours\":null}", "log_sleep needs hours");
}
END_TEST

START_TEST(integers_are_whole)
{
    static const char *const good[] = { "83", "83.0", "\"83\"", "\"#83\"", "\"task_83\"", "\" 83 \"" };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        char text[64];
        snprintf(text, sizeof text, "{\"task_id\":%s}", good[i]);
        ck_valid("complete_task", text);
        ck_assert_int_eq(arg_integer(&args, "task_id", -1), 83);
    }
    ck_valid("complete_task", "{\"content\":\"bread\"}");
    ck_assert_int_eq(arg_integer(&args, "task_id", -1), -1);
    ck_refused("complete_task", "{\"task_id\":83.5}", "task_id must be a whole number; got 83.5");
    ck_refused("complete_task", "{\"task_id\":0}", "task_id must be at least 1; got 0");
    ck_refused("complete_task", "{\"task_id\":1e300}", "whole number");
    ck_refused("complete_task", "{\"task_id\":\"bread\"}", "task_id must be a number");
}
END_TEST

START_TEST(flags_and_choices)
{
    ck_valid("add_task", "{\"content\":\"x\",\"remind\":\"yes\"}");
    ck_assert(arg_flag(&args, "remind", false));
    ck_valid("add_task", "{\"content\":\"x\",\"remind\":0}");
    ck_assert(arg_get(&args, "remind")->present && !arg_flag(&args, "remind", true));
    ck_refused("add_task", "{\"content\":\"x\",\"remind\":\"perhaps\"}", "remind must be true or false");
    ck_valid("list_tasks", "{\"status\":\"DONE\"}");
    ck_assert_str_eq(arg_text(&args, "status"), "done");
    ck_refused("list_tasks", "{\"status\":\"do\"}", "status must be one of open, done, all; got \"do\"");
    ck_refused("list_tasks", "{\"status\":\"open|done\"}", "status must be one of");
    ck_valid("list_tasks", "{\"status\":\"\"}");
    ck_assert(!arg_get(&args, "status")->present);
}
END_TEST

/* --- dates --- */

static const char *due_of(const char *due)
{
    static char text[CIVIL_TEXT_BYTES];
    char json[128];
    snprintf(json, sizeof json, "{\"content\":\"x\",\"due_date\":\"%s\"}", due);
    ck_valid("add_task", json);
    return civil_format(&arg_get(&args, "due_date")->when, text);
}

START_TEST(equal_calls_are_known)
{
    static const struct {
        const char *tool, *one, *other;
        bool equal;
    } cases[] = {
        { "add_task", "{\"content\":\"a\",\"due_date\":\"tomorrow\"}",
          "{\"due_date\":\"2026-11-21\",\"content\":\" a \",\"category\":null}", true },
        { "add_task", "{\"content\":\"a\"}", "{\"content\":\"b\"}", false },
        { "add_task", "{\"content\":\"a\"}", "{\"content\":\"a\",\"category\":\"Work\"}", false },
        { "add_task", "{\"content\":\"a\",\"due_date\":\"2026-11-21T10:00\"}",
          "{\"content\":\"a\",\"due_date\":\"2026-11-21T10:01\"}", false },
        { "add_task", "{\"content\":\"a\",\"due_date\":\"tomorrow\"}",
          "{\"content\":\"a\",\"due_date\":\"2026-11-21T00:00\"}", false },
        { "set_reminder", "{\"content\":\"a\",\"when\":\"every tuesday 9:00\"}",
          "{\"content\":\"a\",\"when\":\"every tuesday 10:00\"}", false },
        { "update_task", "{\"task_id\":1,\"due_date\":\"none\"}", "{\"task_id\":\"#1\",\"due_date\":\"\"}", true },
        { "update_task", "{\"task_id\":1,\"due_date\":\"none\"}", "{\"task_id\":1}", false },
        { "log_water", "{\"amount_ml\":500}", "{\"amount_ml\":\"0.5 l\"}", true },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_valid(cases[i].tool, cases[i].one);
        struct tool_args one = args;
        ck_valid(cases[i].tool, cases[i].other);
        ck_assert_msg(tool_args_equal(&one, &args) == cases[i].equal, "%s: %s, %s", cases[i].tool, cases[i].one,
                      cases[i].other);
    }
    ck_valid("list_tasks", "{}");
    struct tool_args tasks = args;
    ck_valid("list_notes", "{}");
    ck_assert(!tool_args_equal(&tasks, &args));
}
END_TEST

START_TEST(dates_are_resolved)
{
    ck_assert_str_eq(due_of("2026-11-21"), "2026-11-21");
    ck_assert_str_eq(due_of("2026-11-21T17:00"), "2026-11-21T17:00");
    ck_assert_str_eq(due_of("2026-11-21 17:00:00"), "2026-11-21T17:00");
    ck_assert_str_eq(due_of("tomorrow"), "2026-11-21");
    ck_assert_str_eq(due_of("tomorrow at 5pm"), "2026-11-21T17:00");
    due_of("every tuesday");
    ck_assert_ptr_nonnull(arg_get(&args, "due_date")->repeat);
    ck_refused("add_task", "{\"content\":\"x\",\"due_date\":\"2026-02-30\"}", "due_date is not a date I understand");
    ck_refused("add_task", "{\"content\":\"x\",\"due_date\":\"soonish\"}",
               "due_date is not a date I understand: \"soonish\"");
    ck_refused("add_task", "{\"content\":\"x\",\"due_date\":\"1999-01-01\"}",
               "must lie in the years 2025 to 2036; got 1999");
    ck_refused("add_task", "{\"content\":\"x\",\"due_date\":\"2037-01-01\"}", "must lie in the years 2025 to 2036");
    ck_valid("add_task", "{\"content\":\"x\",\"due_date\":\"2025-01-01\"}");
    ck_valid("add_task", "{\"content\":\"x\",\"due_date\":\"2036-12-31\"}");
    ck_valid("update_task", "{\"task_id\":1,\"due_date\":\"none\"}");
    ck_assert(arg_cleared(&args, "due_date") && !arg_get(&args, "due_date")->present);
    ck_valid("update_task", "{\"task_id\":1,\"due_date\":\"\"}");
    ck_assert(arg_cleared(&args, "due_date"));
    ck_valid("update_task", "{\"task_id\":1,\"due_date\":null}");
    ck_assert(!arg_cleared(&args, "due_date"));
    ck_refused("add_task", "{\"content\":\"x\",\"due_date\":\"none\"}", "due_date is not a date");
}
END_TEST

START_TEST(logs_lie_in_the_past)
{
    ck_valid("log_sleep", "{\"hours\":7,\"date\":\"2026-11-20\"}");
    ck_valid("log_sleep", "{\"hours\":7,\"date\":\"yesterday\"}");
    ck_assert_int_eq(arg_get(&args, "date")->when.day, 19);
    ck_valid("log_sleep", "{\"hours\":7,\"date\":\"2026-11-20T23:59\"}");
    ck_assert_int_eq(arg_get(&args, "date")->when.hour, -1);
    ck_refused("log_sleep", "{\"hours\":7,\"date\":\"2026-11-21\"}", "date must not be in the future; got 2026-11-21");
    ck_refused("log_sleep", "{\"hours\":7,\"date\":\"tomorrow\"}", "must not be in the future");
    ck_valid("log_sleep", "{\"hours\":7,\"date\":\"2019-03-01\"}");
    ck_refused("log_sleep", "{\"hours\":7,\"date\":\"0019-03-01\"}", "date");
}
END_TEST

START_TEST(repeats_are_rules)
{
    ck_valid("add_task", "{\"content\":\"x\",\"repeat\":\"every tuesday\"}");
    ck_assert_ptr_nonnull(strstr(arg_get(&args, "repeat")->repeat, "BYDAY=TU"));
    ck_assert_int_eq(arg_get(&args, "repeat")->when.day, 24);
    ck_valid("add_task", "{\"content\":\"x\",\"repeat\":\"RRULE:freq=weekly;byday=TU\"}");
    ck_assert_str_eq(arg_get(&args, "repeat")->repeat, "FREQ=WEEKLY;BYDAY=TU");
    ck_valid("add_task", "{\"content\":\"x\",\"repeat\":\"tuesday\"}");
    ck_refused("add_task", "{\"content\":\"x\",\"repeat\":\"FREQ=SOMETIMES\"}", "repeat is not a repetition");
    ck_refused("add_task", "{\"content\":\"x\",\"repeat\":\"often\"}", "repeat is not a repetition");
}
END_TEST

/* --- amounts --- */

START_TEST(amounts_have_units)
{
    static const struct {
        const char *text, *unit;
        double value;
    } cases[] = {
        { "250", "ml", 250 },       { "1.5 l", "ml", 1500 },  { "1,5l", "ml", 1500 },    { "1,500 ml", "ml", 1500 },
        { "2 glasses", "ml", 500 }, { "33 cl", "ml", 330 },   { "1h30", "minutes", 90 }, { "1:30", "minutes", 90 },
        { "45", "minutes", 45 },    { "1 h", "minutes", 60 }, { "81.4kg", "kg", 81.4 },  { "180 lb", "kg", 81.6466266 },
        { "18 %", "%", 18 },        { "85°C", "°C", 85 },     { "185 F", "°C", 85 },     { "12", NULL, 12 },
        { "-5", "°C", -5 },
    };
    static const struct {
        const char *text, *unit;
    } bad[] = {
        { "", "ml" },          { "ml", "ml" },
        { "5 kg", "ml" },      { "7h30x", "hours" },
        { "7:75", "hours" },   { "1.2.3", "kg" },
        { "12 apples", NULL }, { "nan", "kg" },
        { "inf", "kg" },       { "0x10", "kg" },
        { "1 2 3 4", "ml" },   { "7h 75", "hours" },
        { "--5", "kg" },       { "99999999999999999999999999", "kg" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double got = -1;
        ck_assert_msg(quantity_parse(cases[i].text, cases[i].unit, &got), "%s", cases[i].text);
        ck_assert_msg(fabs(got - cases[i].value) < 1e-6, "%s: %g", cases[i].text, got);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        double got;
        ck_assert_msg(!quantity_parse(bad[i].text, bad[i].unit, &got), "%s: %g", bad[i].text, got);
    }
}
END_TEST

/* --- words --- */

START_TEST(words_find_rows)
{
    static const struct {
        const char *words, *text;
        enum match_grade grade;
    } cases[] = {
        { "buy BREAD", "Buy bread", MATCH_EXACT },
        { "bread", "Buy bread", MATCH_WORDS },
        { "the bread", "Buy bread", MATCH_WORDS },
        { "buying breads", "Buy bread", MATCH_WORDS },
        { "brea", "Buy bread", MATCH_PART },
        { "y bre", "Buy bread", MATCH_PART },
        { "butter", "Buy bread", MATCH_NONE },
        { "bread butter", "Buy bread", MATCH_NONE },
        { "ÜBUNG", "übung machen", MATCH_WORDS },
        { "牛奶", "买牛奶", MATCH_PART },
        { "the", "The The", MATCH_WORDS },
        { "", "Buy bread", MATCH_NONE },
        { "call mom", "Call mom about the trip", MATCH_WORDS },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum match_grade got = match_grade(match_new(arena, cases[i].words), cases[i].text);
        ck_assert_msg(got == cases[i].grade, "%s in %s: %d", cases[i].words, cases[i].text, (int)got);
    }
    ck_assert(match_nearness(match_new(arena, "bred"), "Buy bread") > MATCH_NEAR);
    ck_assert(match_nearness(match_new(arena, "zebra"), "Buy bread") < MATCH_NEAR);
    ck_assert_int_eq(match_id("83"), 83);
    ck_assert_int_eq(match_id("#83"), 83);
    ck_assert_int_eq(match_id("task 83"), 83);
    ck_assert_int_eq(match_id("83 breads"), 0);
    ck_assert_int_eq(match_id("99999999999999999999"), 0);
}
END_TEST

/* --- results --- */

START_TEST(every_result_answers)
{
    struct error e = { .status = ST_BUSY, .text = "locked" };
    struct tool_result *r = tool_ok(&ctx);
    ck_assert_int_eq(tool_outcome(r), TOOL_OK);
    ck_assert(json_flag(tool_data(r), "ok", false));
    r = tool_fail(&ctx, "no <b>%s</b>", "bread");
    ck_assert_int_eq(tool_outcome(r), TOOL_FAIL);
    ck_assert_str_eq(buf_str(&tool_reply(r)->html), "no &lt;b&gt;bread&lt;/b&gt;");
    ck_assert_str_eq(json_str(tool_data(r), "error", ""), "no <b>bread</b>");
    r = tool_ask(&ctx, "which?");
    ck_assert_int_eq(tool_outcome(r), TOOL_ASK);
    ck_assert(!json_flag(tool_data(r), "ok", true));
    r = tool_error(&ctx, &e);
    ck_assert_int_eq(tool_outcome(r), TOOL_ERROR);
    ck_assert_int_eq(tool_result_error(r)->status, ST_BUSY);
    ck_assert(tool_reply(r)->html.len > 0);
    ck_assert_int_eq(tool_outcome(tool_status(&ctx, &e)), TOOL_ERROR);
    e.status = ST_NOT_FOUND;
    ck_assert_int_eq(tool_outcome(tool_status(&ctx, &e)), TOOL_FAIL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tool");
    TCase *t = tcase_create("tool");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, table_is_sound);
    tcase_add_test(t, schemas_say_all);
    tcase_add_test(t, names_are_checked);
    tcase_add_test(t, text_has_a_bound);
    tcase_add_test(t, numbers_are_coerced);
    tcase_add_test(t, integers_are_whole);
    tcase_add_test(t, flags_and_choices);
    tcase_add_test(t, equal_calls_are_known);
    tcase_add_test(t, dates_are_resolved);
    tcase_add_test(t, logs_lie_in_the_past);
    tcase_add_test(t, repeats_are_rules);
    tcase_add_test(t, amounts_have_units);
    tcase_add_test(t, words_find_rows);
    tcase_add_test(t, every_result_answers);
    suite_add_tcase(suite, t);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
