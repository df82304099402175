/* SPDX-License-Identifier: MIT
 * The analyzer and the lexical index: folding, stemming, numbers, names, removal, order.  No database. */
#include "embeddings/analyzer.h"
#include "embeddings/lexical.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct arena *arena;
static struct analyzer *analyzer;
static struct lexical *lx;

static void set_up(void)
{
    arena = arena_new();
    analyzer = analyzer_new();
    lx = lexical_new(NULL);
}

static void tear_down(void)
{
    lexical_free(lx);
    analyzer_free(analyzer);
    arena_free(arena);
}

/* "buy* the fresh bread": stems, "*" behind stop words, "+" behind joined ones. */
static const char *stems(const char *text)
{
    struct word *word;
    size_t n = analyzer_split(analyzer, arena, text, &word);
    const char *out = "";
    for (size_t i = 0; i < n; i++)
        out = arena_printf(arena, "%s%s%s%s%s", out, i ? " " : "", word[i].stem, word[i].stop ? "*" : "",
                           word[i].joined ? "+" : "");
    return out;
}

START_TEST(words_are_folded_and_stemmed)
{
    ck_assert_str_eq(stems("The runners RUNNING to Café Ölçü"), "the* runner run to* cafe olcu");
    ck_assert_str_eq(stems("Mom's don’t can't"), "mom dont* cant*");
    ck_assert_str_eq(stems("e\xCC\x81t\xC3\xA9 Straße ＡＢＣ"), "et strass abc");
    ck_assert_str_eq(stems("Привет МИР"), "привет мир");
    ck_assert_str_eq(stems("81.4 kg on 2026-11-20, 7,5 h"), "81 4 81.4+ kg on* 2026 11 20 2026-11-20+ 7 5 7.5+ h");
    ck_assert_str_eq(stems("買麵包 x"), "買麵 麵包 x");
    ck_assert_str_eq(stems("水"), "水");
    ck_assert_str_eq(stems("note_21 #83"), "note 21 83");
    ck_assert_str_eq(stems(" \t… 😀 -- "), "");
    ck_assert_str_eq(stems("wifi: hunter2!"), "wifi hunter2");
}
END_TEST

START_TEST(offsets_point_into_the_text)
{
    static const char text[] = "Ölpreis: 81.4 €";
    struct word *word;
    size_t n = analyzer_split(analyzer, arena, text, &word);
    ck_assert_uint_eq(n, 4);
    ck_assert_uint_eq(word[0].begin, 0);
    ck_assert_uint_eq(word[0].end, 8);
    ck_assert_int_eq(strncmp(text + word[3].begin, "81.4", word[3].end - word[3].begin), 0);
}
END_TEST

static int64_t best(const char *query)
{
    struct lexical_hit *hit;
    return lexical_search(lx, arena, query, 10, NULL, NULL, &hit) ? hit[0].key : -1;
}

static void corpus(void)
{
    lexical_add(lx, 1, "task 83", "Buy bread and butter");
    lexical_add(lx, 2, "note 21", "The wifi password at the cabin is hunter2");
    lexical_add(lx, 3, "note 83", "Dentist appointments: Dr. Müller, 030 1234567");
    lexical_add(lx, 4, "task 7", "Running shoes, size 42, ask Runner's Point");
    lexical_add(lx, 5, "body 3", "Weight 81.4 kg 2026-11-20");
    lexical_add(lx, 6, "body 4", "Weight 81 kg, 4 days after the feast 2026-10-20");
}

START_TEST(finds_by_meaningful_words)
{
    corpus();
    ck_assert_int_eq(best("what was the WIFI password?"), 2);
    ck_assert_int_eq(best("dr muller"), 3);
    ck_assert_int_eq(best("appointment with the dentist"), 3);
    ck_assert_int_eq(best("shoe"), 4);
    ck_assert_int_eq(best("quantum chromodynamics"), -1);
    ck_assert_int_eq(best(""), -1);
    ck_assert_int_eq(best("81.4"), 5);
    ck_assert_int_eq(best("2026-10-20"), 6);
}
END_TEST

START_TEST(names_are_exact)
{
    corpus();
    struct lexical_hit *hit;
    ck_assert_int_eq(best("task 83"), 1);
    ck_assert_int_eq(best("open [note 83] please"), 3);
    ck_assert_int_eq(best("note_21"), 2);
    ck_assert_uint_eq(lexical_search(lx, arena, "#83", 10, NULL, NULL, &hit), 2);
    ck_assert(hit[0].named && hit[1].named);
    /* "size 42" is a word and a number, not the name of a row */
    ck_assert_uint_ge(lexical_search(lx, arena, "size 42", 10, NULL, NULL, &hit), 1);
    ck_assert(!hit[0].named);
}
END_TEST

START_TEST(coverage_tells_chance_words)
{
    corpus();
    struct lexical_hit *hit;
    ck_assert_uint_ge(lexical_search(lx, arena, "wifi password", 10, NULL, NULL, &hit), 1);
    ck_assert_double_ge(hit[0].coverage, 0.99);
    ck_assert_uint_ge(lexical_search(lx, arena, "largest ocean bread world", 10, NULL, NULL, &hit), 1);
    ck_assert_double_le(hit[0].coverage, 0.3);
}
END_TEST

/* Who has one note finds it as one finds it among many: another word, or a slip, in the question does no harm. */
START_TEST(coverage_of_a_single_row)
{
    struct lexical_hit *hit;
    lexical_add(lx, 1, NULL, "The wifi password is hunter2");
    ck_assert_uint_eq(lexical_search(lx, arena, "wifi password upstairs", 10, NULL, NULL, &hit), 1);
    ck_assert_double_ge(hit[0].coverage, 0.5);
    ck_assert_uint_eq(lexical_search(lx, arena, "wifi pasword", 10, NULL, NULL, &hit), 1);
    ck_assert_double_ge(hit[0].coverage, 0.4);
    ck_assert_uint_eq(lexical_search(lx, arena, "wifi volcano submarine", 10, NULL, NULL, &hit), 1);
    ck_assert_double_le(hit[0].coverage, 0.3);
}
END_TEST

START_TEST(repeated_query_words_count)
{
    lexical_add(lx, 1, NULL, "apple tree garden");
    lexical_add(lx, 2, NULL, "pear tree garden");
    ck_assert_int_eq(best("pear apple apple"), 1);
    ck_assert_int_eq(best("apple pear pear"), 2);
    /* a query of stop words alone keeps them */
    lexical_add(lx, 3, NULL, "to be or not to be");
    ck_assert_int_eq(best("to be or not to be"), 3);
}
END_TEST

static bool odd(int64_t key, void *arg)
{
    (*(int *)arg)++;
    return key % 2;
}

START_TEST(filter_and_limit)
{
    for (int i = 0; i < 40; i++)
        lexical_add(lx, i, NULL, "the same words");
    struct lexical_hit *hit;
    int asked = 0;
    ck_assert_uint_eq(lexical_search(lx, arena, "words", 5, odd, &asked, &hit), 5);
    for (int i = 0; i < 5; i++) /* ties by key */
        ck_assert_int_eq(hit[i].key, 2 * i + 1);
    ck_assert_int_eq(asked, 40);
    ck_assert_uint_eq(lexical_search(lx, arena, "words", 100, odd, &asked, &hit), 20);
}
END_TEST

/* Whatever was added, replaced and removed: the same answers as an index built afresh. */
START_TEST(changes_equal_a_fresh_index)
{
    static const char *const words[] = { "bread", "milk", "garden", "invoice", "running", "dentist", "wifi" };
    unsigned seed = 7;
    static char text[1000][64];
    static bool there[1000];
    for (int step = 0; step < 6000; step++) {
        seed = seed * 1103515245 + 12345;
        int key = (int)(seed >> 8) % 1000;
        if (step % 3 == 2) {
            ck_assert(lexical_remove(lx, key) == there[key]);
            there[key] = false;
            continue;
        }
        snprintf(text[key], sizeof text[key], "%s %s %d", words[seed >> 10 & 3], words[(seed >> 14) % 7], step % 11);
        lexical_add(lx, key, NULL, text[key]);
        there[key] = true;
    }
    struct lexical *fresh = lexical_new(NULL);
    for (int key = 0; key < 1000; key++)
        if (there[key])
            lexical_add(fresh, key, NULL, text[key]);
    ck_assert_uint_eq(lexical_count(lx), lexical_count(fresh));
    for (int i = 0; i < 7; i++) {
        struct lexical_hit *a, *b;
        const char *query = arena_printf(arena, "%s %s 5", words[i], words[(i + 2) % 7]);
        size_t n = lexical_search(lx, arena, query, 500, NULL, NULL, &a);
        ck_assert_uint_eq(n, lexical_search(fresh, arena, query, 500, NULL, NULL, &b));
        for (size_t j = 0; j < n; j++) {
            ck_assert_int_eq(a[j].key, b[j].key);
            ck_assert_double_eq_tol(a[j].score, b[j].score, 1e-9);
        }
    }
    lexical_free(fresh);
}
END_TEST

START_TEST(what_has_gone_takes_no_room)
{
    struct lexical_hit *hits;
    for (int i = 0; i < 10; i++)
        lexical_add(lx, i, arena_printf(arena, "task %d", i), arena_printf(arena, "kept word%d", i));
    size_t kept = lexical_terms(lx);
    for (int i = 10; i < 3000; i++) {
        lexical_add(lx, i, arena_printf(arena, "task %d", i),
                    arena_printf(arena, "call number %d about garden%d", i, i));
        ck_assert(lexical_remove(lx, i));
    }
    ck_assert_uint_eq(lexical_count(lx), 10);
    ck_assert_uint_lt(lexical_terms(lx), kept + 600); /* of fewer than a hundred dead documents */
    ck_assert_uint_eq(lexical_search(lx, arena, "word7", 5, NULL, NULL, &hits), 1);
    ck_assert_int_eq(hits[0].key, 7);
    ck_assert_uint_eq(lexical_search(lx, arena, "task 3", 1, NULL, NULL, &hits), 1);
    ck_assert(hits[0].key == 3 && hits[0].named);
}
END_TEST

START_TEST(excerpts_show_the_place)
{
    const char *text = "";
    for (int i = 0; i < 200; i++)
        text = arena_printf(arena, "%sfiller%d ", text, i);
    text = arena_printf(arena, "%s the Wi-Fi passwörd is hunter2 %s", text, text);
    const char *part = lexical_excerpt(lx, arena, text, "password hunter2", 200);
    ck_assert_ptr_nonnull(strstr(part, "passwörd is hunter2"));
    ck_assert_uint_le(strlen(part), 200 + 2 * strlen("…"));
    ck_assert_int_eq(strncmp(part, "…", strlen("…")), 0);
    ck_assert_str_eq(lexical_excerpt(lx, arena, "short", "x", 200), "short");
    /* no word of the query: the beginning */
    ck_assert_int_eq(strncmp(lexical_excerpt(lx, arena, text, "zebra", 100), "filler0", 7), 0);
    /* one long run without spaces is still cut */
    char *run = arena_alloc(arena, 3001);
    memset(run, 'x', 3000);
    ck_assert_uint_le(strlen(lexical_excerpt(lx, arena, run, "zebra", 300)), 310);
    memset(run, '-', 3000);
    ck_assert_uint_le(strlen(lexical_excerpt(lx, arena, run, "zebra", 300)), 310);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lexical");
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_set_timeout(all, 60);
    tcase_add_test(all, words_are_folded_and_stemmed);
    tcase_add_test(all, offsets_point_into_the_text);
    tcase_add_test(all, finds_by_meaningful_words);
    tcase_add_test(all, names_are_exact);
    tcase_add_test(all, coverage_tells_chance_words);
    tcase_add_test(all, coverage_of_a_single_row);
    tcase_add_test(all, repeated_query_words_count);
    tcase_add_test(all, filter_and_limit);
    tcase_add_test(all, changes_equal_a_fresh_index);
    tcase_add_test(all, what_has_gone_takes_no_room);
    tcase_add_test(all, excerpts_show_the_place);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
