/* SPDX-License-Identifier: MIT
 * Embedders and what they stand on, without a network: requests and answers of servers, the built-in one, spelling, the
 * vector file. */
#include "base/json.h"
#include "embeddings/embedder.h"
#include "embeddings/recall_spell.h"
#include "store/vectors_file.h"
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#undef fail

static struct arena *arena;
static struct error e;

static void setup(void)
{
    arena = arena_new();
    e = (struct error){ 0 };
}

static void teardown(void)
{
    arena_free(arena);
}

static const struct embed_options small = { "https://x/v1", "key", "text-embedding-3-small", 3 };
static const struct embed_options other = { "http://localhost:1/v1", NULL, "nomic", 3 };

START_TEST(requests)
{
    struct embed_call c;
    const char *texts[] = { "one", "", "three" };
    embed_openai.build(&small, arena, texts, 3, false, &c);
    ck_assert_str_eq(c.url, "https://x/v1/embeddings");
    ck_assert_str_eq(c.body,
                     "{\"model\":\"text-embedding-3-small\",\"input\":[\"one\",\" \",\"three\"],\"dimensions\":3,"
                     "\"encoding_format\":\"float\"}");
    ck_assert_str_eq(c.headers[1], "authorization: Bearer key");
    embed_openai.build(&other, arena, texts, 1, true, &c);
    ck_assert_ptr_null(strstr(c.body, "dimensions"));
    ck_assert_ptr_null(c.headers[1]);
}
END_TEST

static enum status parse(const struct embed_options *o, const char *body, size_t count, float *out)
{
    int64_t tokens = -1;
    enum status st = embed_openai.parse(o, arena, body, strlen(body), count, out, &tokens, &e);
    ck_assert(st != OK || tokens >= 0);
    return st;
}

START_TEST(answers_by_index_in_floats_and_base64)
{
    float v[6] = { 0 };
    ck_assert_int_eq(parse(&small,
                           "{\"data\":[{\"index\":1,\"embedding\":[4,5,6]},{\"index\":0,\"embedding\":[1,2.5,3]}],"
                           "\"usage\":{\"total_tokens\":7}}",
                           2, v),
                     OK);
    ck_assert(v[0] == 1 && v[1] == 2.5f && v[3] == 4 && v[5] == 6);
    /* 1.0f, -2.0f, 0.5f */
    ck_assert_int_eq(parse(&other, "{\"data\":[{\"embedding\":\"AACAPwAAAMAAAAA/\"}]}", 1, v), OK);
    ck_assert(v[0] == 1 && v[1] == -2 && v[2] == 0.5f);
}
END_TEST

START_TEST(lengths_never_mix)
{
    float v[3];
    const char *four = "{\"data\":[{\"embedding\":[1,2,3,4]}]}";
    ck_assert_int_eq(parse(&small, four, 1, v), OK); /* trained to be cut */
    ck_assert_int_eq(parse(&other, four, 1, v), ST_INVALID);
    ck_assert_ptr_nonnull(strstr(e.text, "answers with 4 numbers, EMBEDDING_DIMENSIONS says 3: set it to 4"));
    ck_assert_int_eq(parse(&small, "{\"data\":[{\"embedding\":[1,2]}]}", 1, v), ST_INVALID);
    ck_assert_int_eq(parse(&other, "{\"data\":[{\"embedding\":\"AACAPwAA\"}]}", 1, v), ST_INVALID);
}
END_TEST

START_TEST(answers_that_are_none)
{
    static const char *const bodies[] = {
        "",
        "[]",
        "{\"data\":[]}",
        "{\"data\":[{\"embedding\":[1,2,null]}]}",
        "{\"data\":[{\"embedding\":[1,2,\"3\"]}]}",
        "{\"data\":[{\"embedding\":7}]}",
        "{\"data\":[{\"index\":1,\"embedding\":[1,2,3]}]}",
        "{\"data\":[{\"index\":-1,\"embedding\":[1,2,3]}]}",
        "{\"data\":[{\"embedding\":\"?\"}]}",
        "{\"data\":[{\"embedding\":\"\"}]}",
        "{\"data\":[5]}",
    };
    float v[6];
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        ck_assert_msg(parse(&other, bodies[i], 1, v) == ST_INVALID, "%s", bodies[i]);
    ck_assert_int_eq(
        parse(&other, "{\"data\":[{\"index\":0,\"embedding\":[1,2,3]},{\"index\":0,\"embedding\":[1,2,3]}]}", 2, v),
        ST_INVALID);
}
END_TEST

START_TEST(normalising)
{
    float v[2] = { 3, 4 }, zero[2] = { 0, 0 }, nan[2] = { NAN, 1 }, huge[2] = { 3e38f, 3e38f }, tiny[2] = { 1e-45f, 0 };
    ck_assert_int_eq(embed_normalise(v, 2, &e), OK);
    ck_assert_float_eq_tol(v[0], 0.6f, 1e-7f);
    ck_assert_int_eq(embed_normalise(zero, 2, &e), ST_INVALID);
    ck_assert_int_eq(embed_normalise(nan, 2, &e), ST_INVALID);
    ck_assert_int_eq(embed_normalise(huge, 2, &e), OK);
    ck_assert_float_eq_tol(huge[0], 0.70710678f, 1e-6f);
    ck_assert_int_eq(embed_normalise(tiny, 2, &e), OK);
    ck_assert_float_eq_tol(tiny[0], 1, 1e-6f);
}
END_TEST

START_TEST(long_texts_are_cut_at_a_character)
{
    ck_assert_str_eq(embed_cut(arena, "short", 100), "short");
    ck_assert_str_eq(embed_cut(arena, "買麵包", 5), "買麵");
    ck_assert_uint_le(embed_tokens(embed_cut(arena, "abcdefghij", 2)), 2);
}
END_TEST

static double cosine(const char *a, const char *b)
{
    float x[EMBED_BUILTIN_DIMENSIONS], y[EMBED_BUILTIN_DIMENSIONS];
    double sum = 0;
    embed_builtin(a, x);
    embed_builtin(b, y);
    for (int i = 0; i < EMBED_BUILTIN_DIMENSIONS; i++)
        sum += (double)x[i] * y[i];
    return sum;
}

START_TEST(the_built_in_embedder)
{
    static const char *const texts[] = { "", "!!!", "🙂", "the of and", "a", "Anna likes dark chocolate", "買麵包" };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        ck_assert_msg(fabs(cosine(texts[i], texts[i]) - 1) < 1e-5, "%s", texts[i]);
    ck_assert_double_gt(cosine("plummber", "the plumber comes"), 0.25);
    ck_assert_double_lt(cosine("submarine volcano", "the plumber comes"), 0.2);
    ck_assert_double_gt(cosine("Chocolates!", "chocolate"), 0.5);
    /* the formula is part of the stored vectors: a change of it needs another model name */
    float v[EMBED_BUILTIN_DIMENSIONS];
    uint64_t sum = 0;
    embed_builtin("Anna likes dark chocolate and orchids", v);
    for (int i = 0; i < EMBED_BUILTIN_DIMENSIONS; i++)
        sum = sum * 31 + (uint64_t)(int64_t)lrint(v[i] * 1e4);
    ck_assert_msg(sum == UINT64_C(4516521574723692560), "%llu", (unsigned long long)sum);
}
END_TEST

START_TEST(spelling)
{
    ck_assert_uint_eq(spell_distance("dentsit", "dentist", 2), 1);
    ck_assert_uint_eq(spell_distance("pasword", "password", 2), 1);
    ck_assert_uint_eq(spell_distance("breda", "bread", 2), 1);
    ck_assert_uint_eq(spell_distance("passport", "report", 2), 3);
    ck_assert_uint_eq(spell_distance("", "ab", 2), 2);
    struct spell s = { .analyzer = analyzer_new(),
                       .known = { "cabin" },
                       .known_count = 1,
                       .unknown = { "pasword", "cat" },
                       .unknown_count = 2 };
    double mended;
    ck_assert_double_eq_tol(spell_match(&s, arena, "the passwords of the cabins, and a car", &mended), 1.0 / 3, 1e-9);
    ck_assert_double_eq_tol(spell_match(&s, arena, "the password of the cabins, and a car", &mended), 2.0 / 3, 1e-9);
    ck_assert_double_eq_tol(mended, 0.5, 1e-9);
    analyzer_free(s.analyzer);
}
END_TEST

/* --- the file --- */

static enum status count_item(struct vectors_item *item, struct arena *a, void *arg, struct error *error)
{
    (void)a, (void)error;
    *(double *)arg += item->values[0];
    return OK;
}

static enum status read_file(const char *text, double *sum)
{
    struct vectors_file f;
    *sum = 0;
    enum status st = vectors_file_open(&f, arena, text, strlen(text), &e);
    return st == OK ? vectors_file_each(&f, count_item, sum, &e) : st;
}

#define HEAD "{\"metadata\":{\"model\":\"m\",\"dimensions\":2},\n\"items\":["
#define ITEM(id, numbers) "{\"id\":\"" id "\",\"content\":\"x } ] \\\" y\",\"embedding\":" numbers "}"

START_TEST(vector_files)
{
    double sum;
    ck_assert_int_eq(read_file(HEAD "\n" ITEM("note_1", "[1,0]") ",\n" ITEM("task_2", "[0.5,1e-7]") "\n]}\n", &sum),
                     OK);
    ck_assert_double_eq_tol(sum, 1.5, 1e-9);
    ck_assert_int_eq(read_file("{\"items\":[],\"more\":[1,{}],\"metadata\":{\"model\":\"m\",\"dimensions\":2}}", &sum),
                     OK);
    static const struct {
        const char *text, *words;
    } bad[] = {
        { HEAD "\n" ITEM("note_1", "[1,0]") ",\n" ITEM("note_2", "[1]") "]}", "line 4" },
        { HEAD "\n" ITEM("note_1", "[1,null]") "]}", "line 3" },
        { HEAD "\n" ITEM("note_1", "[1,1e39]") "]}", "does not fit" },
        { HEAD "\n" ITEM("note_1", "[0,0]") "]}", "all zero" },
        { HEAD "\n" ITEM("lamp_1", "[1,0]") "]}", "like \"task_83\"" },
        { HEAD "\n" ITEM("note_-1", "[1,0]") "]}", "like \"task_83\"" },
        { HEAD "\n" ITEM("note_1", "[1,0]") ",]}", "line 3" },
        { HEAD "\n" ITEM("note_1", "[1,0]") "]", "does not end" },
        { HEAD "\n{\"id\":\"note_1\"", "ends inside" },
        { "[]", "line 1" },
        { "", "line 1" },
        { "{}", "missing" },
        { "{\"items\":[],\"metadata\":{\"model\":\"m\"}}", "dimensions" },
        { "{\"items\":[],\"metadata\":{\"dimensions\":2}}", "model" },
        { "{\"items\":{},\"metadata\":{\"dimensions\":2}}", "list" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_msg(read_file(bad[i].text, &sum) == ST_INVALID, "%s", bad[i].text);
        ck_assert_msg(strstr(e.text, bad[i].words) != NULL, "%s: %s", bad[i].text, e.text);
    }
}
END_TEST

START_TEST(numbers_read_back_as_the_same_float)
{
    uint32_t bits = 12345;
    char text[32];
    for (int i = 0; i < 200000; i++) {
        float value;
        bits = bits * 1664525u + 1013904223u;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value))
            continue;
        ck_assert_msg((float)strtod(vectors_number(value, text), NULL) == value, "%s", text);
    }
    ck_assert_str_eq(vectors_number(0.1f, text), "0.1");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("embedder");
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_test(all, requests);
    tcase_add_test(all, answers_by_index_in_floats_and_base64);
    tcase_add_test(all, lengths_never_mix);
    tcase_add_test(all, answers_that_are_none);
    tcase_add_test(all, normalising);
    tcase_add_test(all, long_texts_are_cut_at_a_character);
    tcase_add_test(all, the_built_in_embedder);
    tcase_add_test(all, spelling);
    tcase_add_test(all, vector_files);
    tcase_add_test(all, numbers_read_back_as_the_same_float);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
