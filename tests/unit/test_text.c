/* SPDX-License-Identifier: MIT
 * test_text: lengths, borders, folding, cleaning and unmasking of UTF-8. */
#include "base/text.h"
#include "base/graphemes.h"
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAMILY "👨‍👩‍👧‍👦" /* 4 people, 3 joiners: 11 UTF-16 units */
#define FLAG "🇩🇪"                          /* 4 units */

START_TEST(text_validity)
{
    static const char *const bad[] = { "\x80",         "\xC0\x80",         "\xE2\x82",    "a\xFFz",
                                       "\xED\xA0\x80", "\xF5\x80\x80\x80", "\xF0\x9F\x98" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert(!text_valid(bad[i], strlen(bad[i])));
    ck_assert(!text_valid("a\0b", 3));
    ck_assert(text_valid("", 0));
    ck_assert(text_valid("aé€😀", strlen("aé€😀")));
    ck_assert(!text_valid("€", 2));
}
END_TEST

START_TEST(text_units)
{
    ck_assert_uint_eq(text_utf16_units("", 0), 0);
    ck_assert_uint_eq(text_utf16_units("aé€😀", strlen("aé€😀")), 5);
    ck_assert_uint_eq(text_utf16_units(FAMILY FLAG, strlen(FAMILY FLAG)), 15);
}
END_TEST

START_TEST(text_prefix_never_cuts_a_grapheme)
{
    static const char s[] = "ab" FAMILY "e\xCC\x81" FLAG FLAG "x"; /* units: 1 1 11 2 4 4 1 */
    static const size_t unit_ends[] = { 0, 1, 2, 13, 15, 19, 23, 24 };
    size_t len = strlen(s);
    for (size_t units = 0; units < 30; units++) {
        size_t cut = text_prefix_utf16(s, len, units), want = 0;
        for (size_t i = 0; i < 8; i++) {
            if (unit_ends[i] <= units)
                want = unit_ends[i];
        }
        ck_assert_uint_eq(text_utf16_units(s, cut), want);
    }
    /* Long texts take the short way through a window. */
    struct buf b = BUF_INIT(1 << 20);
    while (b.len < 500000)
        buf_puts(&b, FAMILY "€");
    for (size_t units = 1; units < 100; units++) {
        size_t cut = text_prefix_utf16(b.data, b.len, units);
        ck_assert_uint_eq(text_utf16_units(b.data, cut), units / 12 * 12 + (units % 12 == 11 ? 11 : 0));
    }
    buf_release(&b);
}
END_TEST

START_TEST(text_trims_unicode_white_space)
{
    static const char *const cases[][2] = { { "  a b\n", "a b" },
                                            { "", "" },
                                            { " \t\r\n", "" },
                                            { "\xC2\xA0x\xE3\x80\x80", "x" },
                                            { "é", "é" },
                                            { "\xE2\x80\x83€ ", "€" },
                                            { "\xFFx\xFF ", "\xFFx\xFF" } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *copy = strdup(cases[i][0]);
        ck_assert_str_eq(text_trim(copy), cases[i][1]);
        free(copy);
    }
}
END_TEST

START_TEST(text_folding)
{
    struct arena *a = arena_new();
    ck_assert_str_eq(text_fold(a, "STRASSE"), "strasse");
    ck_assert(text_equal_fold("Straße", "STRASSE"));
    ck_assert(text_equal_fold("Caf\xC3\xA9", "CAFE\xCC\x81"));
    ck_assert(!text_equal_fold("cafe", "café")); /* accents count */
    ck_assert(text_equal_fold("ﬁle ２", "FILE 2"));
    ck_assert(text_equal_fold("ΣΊΣΥΦΟΣ", "σίσυφος"));
    ck_assert(text_equal_fold("", ""));
    ck_assert(!text_equal_fold("", "a"));
    ck_assert_str_eq(text_fold(a, "a\xFFz"), "a\xEF\xBF\xBDz");
    /* One character that becomes eighteen. */
    ck_assert_uint_eq(strlen(text_fold(a, "ﷺ")), strlen("صلى الله عليه وسلم"));
    arena_free(a);
}
END_TEST

START_TEST(text_cleaning)
{
    struct arena *a = arena_new();
    ck_assert_str_eq(text_clean(a, "a\0b\x01\x1F\x7F c\xFF", 9), "a\xEF\xBF\xBD"
                                                                 "b c\xEF\xBF\xBD");
    ck_assert_str_eq(text_clean(a, "1\r\n2\r3\n\t4\r", 10), "1\n2\n3\n\t4\n");
    ck_assert_str_eq(text_clean(a, "", 0), "");
    const char *worst = text_clean(a, "\0\0\0\0", 4);
    ck_assert_uint_eq(strlen(worst), 12);
    for (int i = 0; i < 256; i++) {
        char two[2] = { (char)i, 'x' };
        const char *clean = text_clean(a, two, 2);
        ck_assert(text_valid(clean, strlen(clean)));
    }
    arena_free(a);
}
END_TEST

static const struct {
    const char *in, *out; /* out NULL = unchanged */
} spoofs[] = {
    { "plain text\n\twith lines", NULL },
    { "rm -rf \xE2\x80\xAE/safe", "rm -rf ⟨U+202E⟩/safe" },
    { "\xE2\x81\xA6x\xE2\x81\xA9", "⟨U+2066⟩x⟨U+2069⟩" },
    { "a\xE2\x80\x8B"
      "b",
      "a⟨U+200B⟩b" },
    { "a\xE2\x80\x8D"
      "b",
      "a⟨U+200D⟩b" },
    { "so\xC2\xADon", "so⟨U+00AD⟩on" },
    { "\xEF\xBB\xBFx", "⟨U+FEFF⟩x" },
    { "x\xE2\x81\xA0y\xE2\x81\xA4", "x⟨U+2060⟩y⟨U+2064⟩" },
    { "\xD8\x9C", "⟨U+061C⟩" },
    { "x\xF3\xA0\x81\xA1\xF3\xA0\x81\xBF", "x⟨U+E0061⟩⟨U+E007F⟩" },
    { "\xE2\x80\xA8", "⟨U+2028⟩" },
    { "\x1B[31m\x07\r", "⟨U+001B⟩[31m⟨U+0007⟩⟨U+000D⟩" },
    { "\xC2\x9B", "⟨U+009B⟩" },
    { "\xE3\x85\xA4\xE2\xA0\x80", "⟨U+3164⟩⟨U+2800⟩" },
    { "a\xEF\xB8\x8F", "a⟨U+FE0F⟩" },
    { "x\xF3\xA0\x84\x80", "x⟨U+E0100⟩" },
    /* Emoji keep their glue. */
    { FAMILY " " FLAG, NULL },
    { "❤️ 1️⃣ ☺︎", NULL },
    { "👩🏽‍💻 🏳️‍🌈 🧑🏿‍🤝‍🧑🏻", NULL },
    { "🏴\xF3\xA0\x81\xA7\xF3\xA0\x81\xA2\xF3\xA0\x81\xA5\xF3\xA0\x81\xAE\xF3\xA0\x81\xA7\xF3\xA0\x81\xBF", NULL },
    /* But not glue that joins nothing, nor a flag that spells a message. */
    { "👩\xE2\x80\x8D", "👩⟨U+200D⟩" },
    { "👩\xE2\x80\x8D\xE2\x80\x8D👩", "👩⟨U+200D⟩⟨U+200D⟩👩" },
    { "\xE2\x80\x8D👩", "⟨U+200D⟩👩" },
    { "❤️️", "❤️⟨U+FE0F⟩" },
    { "🏴\xF3\xA0\x81\xB2\xF3\xA0\x81\xAD\xF3\xA0\x81\xBF", "🏴⟨U+E0072⟩⟨U+E006D⟩⟨U+E007F⟩" },
    { "🏴\xF3\xA0\x81\xA7", "🏴⟨U+E0067⟩" },
    { "a\xFF", "a\xEF\xBF\xBD" },
    { "", NULL },
    { "שלום عالم नमस्ते 日本語", NULL },
};

START_TEST(text_whole_drops_halves)
{
    static const char *const cases[][2] = {
        { "", "" },           { "abc", "abc" },       { "a\xc3", "a" },           { "\xc3\xa4\xc3", "ä" },
        { "\x98\x80z", "z" }, { "😀 \xf0\x9f", "😀 " }, { "“\xe2\x80” x", "“” x" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char s[64];
        snprintf(s, sizeof s, "%s", cases[i][0]);
        text_whole(s);
        ck_assert_str_eq(s, cases[i][1]);
    }
}
END_TEST

START_TEST(text_unspoof_shows_what_hides)
{
    struct arena *a = arena_new();
    ck_assert_str_eq(text_unspoof(a, spoofs[_i].in), spoofs[_i].out ? spoofs[_i].out : spoofs[_i].in);
    arena_free(a);
}
END_TEST

START_TEST(text_unspoof_twice_is_once)
{
    struct arena *a = arena_new();
    const char *once = text_unspoof(a, spoofs[_i].in);
    ck_assert_str_eq(text_unspoof(a, once), once);
    arena_free(a);
}
END_TEST

START_TEST(graphemes_cover_any_bytes)
{
    unsigned seed = 1;
    for (int round = 0; round < 2000; round++) {
        char s[40];
        size_t len = (size_t)(rand_r(&seed) % 40), at = 0, next;
        for (size_t i = 0; i < len; i++)
            s[i] = (char)rand_r(&seed);
        struct graphemes g;
        graphemes_open(&g, s, len);
        while ((next = graphemes_next(&g)) > at)
            at = next;
        graphemes_close(&g);
        ck_assert_uint_eq(at, len);
    }
}
END_TEST

static void *use_graphemes(void *p)
{
    for (int i = 0; i < 500; i++) {
        if (text_prefix_utf16(FAMILY FAMILY, strlen(FAMILY FAMILY), 12) != strlen(FAMILY))
            return NULL;
        if (!text_equal_fold("ÄÖÜ", "äöü"))
            return NULL;
    }
    return p;
}

START_TEST(text_from_many_threads)
{
    pthread_t thread[4];
    int done = 0;
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, use_graphemes, &done), 0);
    for (int i = 0; i < 4; i++) {
        void *result;
        pthread_join(thread[i], &result);
        ck_assert_ptr_eq(result, &done);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("text");
    TCase *tcase = tcase_create("text");
    tcase_add_test(tcase, text_validity);
    tcase_add_test(tcase, text_units);
    tcase_add_test(tcase, text_prefix_never_cuts_a_grapheme);
    tcase_add_test(tcase, text_trims_unicode_white_space);
    tcase_add_test(tcase, text_folding);
    tcase_add_test(tcase, text_cleaning);
    tcase_add_test(tcase, text_whole_drops_halves);
    tcase_add_loop_test(tcase, text_unspoof_shows_what_hides, 0, sizeof spoofs / sizeof *spoofs);
    tcase_add_loop_test(tcase, text_unspoof_twice_is_once, 0, sizeof spoofs / sizeof *spoofs);
    tcase_add_test(tcase, graphemes_cover_any_bytes);
    tcase_add_test(tcase, text_from_many_threads);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
