/* SPDX-License-Identifier: MIT
 * test_json: what is JSON and what is not, and the lookups. */
#include "base/json.h"
#include "base/buf.h"
#include "base/limits.h"
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum status parse(const char *text, struct json_object **out, struct error *e)
{
    /* An exact copy, so that a read past the end is seen by a sanitizer. */
    size_t len = strlen(text);
    char *copy = malloc(len ? len : 1);
    memcpy(copy, text, len);
    enum status s = json_parse(copy, len, out, e);
    free(copy);
    return s;
}

static const char *const good[] = {
    "{}",
    "[]",
    " [ ] ",
    "null",
    "true",
    "false",
    "0",
    "-0",
    "-1.5e+3",
    "1E2",
    "\"\"",
    "\t\r\n{\"a\" : [1 , 2]}\n",
    "{\"a\":{\"a\":1},\"b\":[{\"a\":1},{\"a\":1}]}",
    "\"\\ud83d\\ude00\"",
    "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551615",
    "1e308",
    "1e-999",
    "\"\xEF\xBF\xBF\"",
    "\"\x7F\"",
    "\"😀\"",
    "{\"\":1}",
    "{\"a\":1,\"A\":2}",
    "[\"a\",\"a\"]",
};

START_TEST(json_accepts)
{
    struct json_object *o;
    struct error e;
    ck_assert_msg(parse(good[_i], &o, &e) == OK, "%s: %s", good[_i], e.text);
    json_object_put(o);
}
END_TEST

/* Text, and the byte its error must name; -1 = only that it fails. */
static const struct {
    const char *text;
    int byte;
} bad[] = {
    { "", 0 },
    { "   ", 3 },
    { "{", 1 },
    { "[1", 2 },
    { "[1,]", 3 },
    { "{\"a\":1,}", 7 },
    { "{'a':1}", 1 },
    { "'a'", 0 },
    { "{a:1}", 1 },
    { "NaN", 0 },
    { "[Infinity]", 1 },
    { "-Infinity", 1 },
    { "1e999", 0 },
    { "[-1e999]", 1 },
    { "01", 1 },
    { "+1", 0 },
    { "1.", 2 },
    { ".5", 0 },
    { "1e", 2 },
    { "0x10", 1 },
    { "-", 1 },
    { "True", 0 },
    { "nul", 0 },
    { "nullx", 4 },
    { "{} {}", 3 },
    { "1 2", 2 },
    { "[1] x", 4 },
    { "// c\n1", 0 },
    { "/* c */1", 0 },
    { "\"abc", 4 },
    { "\"a\nb\"", 2 },
    { "\"a\tb\"", 2 },
    { "\"\\x\"", 1 },
    { "\"\\u12\"", 1 },
    { "\"\\u12G4\"", 1 },
    { "\"\\ud800\"", 1 },
    { "\"x\\udc00\"", 2 },
    { "\"\\ud800\\u0041\"", 1 },
    { "\"\\ud800\\ud800\"", 1 },
    { "\"\\ud83d", 1 },
    { "\"\xC0\x80\"", 1 },
    { "\"a\xED\xA0\x80\"", 2 },
    { "\"\xF4\x90\x80\x80\"", 1 },
    { "\"\x80\"", 1 },
    { "\"\xE2\x82", 1 },
    { "\xEF\xBB\xBF{}", 0 },
    { "{\"a\" 1}", 5 },
    { "{\"a\":1 \"b\":2}", 7 },
    { "[1 2]", 3 },
    { "[1}", 2 },
    { "}", 0 },
    { "18446744073709551616", 0 },
    { "-9223372036854775809", 0 },
    { "{\"a\":1,\"a\":2}", 7 },
    { "{\"b\":[{\"k\":{\"a\":1,\"x\":[],\"\\u0061\":2}}]}", 25 },
    { "{\"\\u0000\":1,\"\\u0000\":2}", 12 },
    { "{\"a\":\"a\",\"b\":\"{\",\"a\":0}", 17 },
};

START_TEST(json_refuses_and_names_the_byte)
{
    struct json_object *o = (void *)1;
    struct error e = { 0 };
    char at[32];
    snprintf(at, sizeof at, "at byte %d", bad[_i].byte);
    ck_assert_msg(parse(bad[_i].text, &o, &e) == ST_INVALID, "accepted: %s", bad[_i].text);
    ck_assert_ptr_null(o);
    ck_assert_msg(strstr(e.text, at) != NULL, "%s: \"%s\" lacks \"%s\"", bad[_i].text, e.text, at);
}
END_TEST

START_TEST(json_refuses_a_nul_byte)
{
    struct json_object *o;
    ck_assert_int_eq(json_parse("[1\0]", 4, &o, NULL), ST_INVALID);
    ck_assert_int_eq(json_parse("[1]\0", 4, &o, NULL), ST_INVALID);
    ck_assert_int_eq(json_parse("\"a\0b\"", 5, &o, NULL), ST_INVALID);
}
END_TEST

START_TEST(json_depth_is_bounded)
{
    for (int depth = JSON_DEPTH_MAX - 1; depth <= JSON_DEPTH_MAX + 1; depth++) {
        for (int leaf = 0; leaf < 2; leaf++) {
            struct buf b = BUF_INIT(1024);
            struct json_object *o;
            struct error e;
            for (int i = 0; i < depth; i++)
                buf_puts(&b, i % 2 ? "{\"a\":" : "[");
            if (leaf || depth % 2 == 0)
                buf_puts(&b, "1");
            for (int i = depth; i-- > 0;)
                buf_puts(&b, i % 2 ? "}" : "]");
            enum status s = json_parse(b.data, b.len, &o, &e);
            ck_assert_int_eq(s, depth <= JSON_DEPTH_MAX ? OK : ST_LIMIT);
            json_object_put(o);
            buf_release(&b);
        }
    }
    /* Far too deep is refused at the same place, not at the end of the stack. */
    struct buf b = BUF_INIT(1 << 20);
    struct json_object *o;
    while (b.len < 1000000)
        buf_putc(&b, '[');
    ck_assert_int_eq(json_parse(b.data, b.len, &o, NULL), ST_LIMIT);
    buf_release(&b);
}
END_TEST

START_TEST(json_nul_escape_becomes_the_replacement_character)
{
    struct json_object *o;
    struct error e;
    ck_assert_int_eq(parse("{\"a\\u0000b\":\"x\\u0000y\\\\u0000\\\\\\u0000\"}", &o, &e), OK);
    ck_assert_str_eq(json_str(o,
                              "a\xEF\xBF\xBD"
                              "b",
                              ""),
                     "x\xEF\xBF\xBDy\\u0000\\\xEF\xBF\xBD");
    json_object_put(o);
}
END_TEST

START_TEST(json_lookups_follow_paths_and_fall_back)
{
    struct arena *a = arena_new();
    const char *text = "{\"message\":{\"chat\":{\"id\":-1001234567890},\"text\":\"hi\",\"none\":null,\"ok\":true},"
                       "\"list\":[{\"x\":1.5},\"two\"],\"big\":18446744073709551615,\"int\":3}";
    struct json_object *o;
    ck_assert_int_eq(json_parse_in(a, text, strlen(text), &o, NULL), OK);
    ck_assert_int_eq(json_int(o, "message.chat.id", 0), -1001234567890);
    ck_assert_str_eq(json_str(o, "message.text", ""), "hi");
    ck_assert_ptr_null(json_str(o, "message.chat", NULL));
    ck_assert_str_eq(json_str(o, "message.none", "f"), "f");
    ck_assert(json_flag(o, "message.ok", false));
    ck_assert(json_flag(o, "message.text", true));
    ck_assert(json_has(o, "message.chat"));
    ck_assert(!json_has(o, "message.none"));
    ck_assert(!json_has(o, "message.text.more"));
    ck_assert_double_eq(json_num(o, "list.0.x", 0), 1.5);
    ck_assert_double_eq(json_num(o, "int", 0), 3);
    ck_assert_double_eq(json_num(o, "message.text", 9), 9);
    ck_assert_int_eq(json_int(o, "list.0.x", 4), 4);
    ck_assert_str_eq(json_str(o, "list.1", ""), "two");
    ck_assert_ptr_null(json_at(o, "list.2"));
    ck_assert_ptr_null(json_at(o, "list.-1"));
    ck_assert_ptr_null(json_at(o, "list.99999999999999999999"));
    ck_assert_int_eq(json_int(o, "big", 5), 5);
    ck_assert_int_eq(json_int(NULL, "a", 6), 6);
    ck_assert_ptr_null(json_at(o, ""));
    ck_assert_ptr_null(json_at(o, "message."));
    ck_assert_ptr_null(json_at(o, ".message"));
    arena_free(a);
}
END_TEST

START_TEST(json_setters_write_what_reads_back)
{
    struct arena *a = arena_new();
    struct json_object *o = json_keep(a, json_object_new_object()), *list = json_object_new_array();
    json_set_str(o, "s", "a/b\"é");
    json_set_str(o, "n", NULL);
    json_set_int(o, "i", INT64_MIN);
    json_set_num(o, "w", 81.4);
    json_set_num(o, "third", 1.0 / 3);
    json_set_num(o, "nan", NAN);
    json_set_bool(o, "t", true);
    json_push(list, json_object_new_int(1));
    json_push(list, NULL);
    json_set(o, "l", list);
    const char *text = json_text(a, o);
    ck_assert_str_eq(text, "{\"s\":\"a/b\\\"é\",\"n\":null,\"i\":-9223372036854775808,\"w\":81.4,"
                           "\"third\":0.3333333333333333,\"nan\":null,\"t\":true,\"l\":[1,null]}");
    struct json_object *again;
    ck_assert_int_eq(json_parse_in(a, text, strlen(text), &again, NULL), OK);
    ck_assert(json_num(again, "third", 0) == 1.0 / 3);
    ck_assert_str_eq(json_text(a, NULL), "null");
    arena_free(a);
}
END_TEST

START_TEST(json_survives_every_cut_and_every_flip)
{
    static const char seed[] = "{\"a\":[1,-2.5e3,\"x\\u00e9\\ud83d\\ude00\",true,null],\"b\":{\"c\":\"é😀\"}}";
    size_t len = sizeof seed - 1;
    char *copy = malloc(len);
    for (size_t cut = 0; cut < len; cut++) {
        char *part = malloc(cut ? cut : 1);
        struct json_object *o;
        memcpy(part, seed, cut);
        ck_assert_int_eq(json_parse(part, cut, &o, NULL), ST_INVALID);
        free(part);
    }
    for (size_t at = 0; at < len; at++) {
        for (int value = 0; value < 256; value++) {
            struct json_object *o;
            memcpy(copy, seed, len);
            copy[at] = (char)value;
            if (json_parse(copy, len, &o, NULL) != OK)
                ck_assert_ptr_null(o);
            json_object_put(o);
        }
    }
    free(copy);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("json");
    TCase *tcase = tcase_create("json");
    tcase_add_loop_test(tcase, json_accepts, 0, sizeof good / sizeof *good);
    tcase_add_loop_test(tcase, json_refuses_and_names_the_byte, 0, sizeof bad / sizeof *bad);
    tcase_add_test(tcase, json_refuses_a_nul_byte);
    tcase_add_test(tcase, json_depth_is_bounded);
    tcase_add_test(tcase, json_nul_escape_becomes_the_replacement_character);
    tcase_add_test(tcase, json_lookups_follow_paths_and_fall_back);
    tcase_add_test(tcase, json_setters_write_what_reads_back);
    tcase_add_test(tcase, json_survives_every_cut_and_every_flip);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
