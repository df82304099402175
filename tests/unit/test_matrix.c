/* SPDX-License-Identifier: MIT
 * test_matrix: the answer is the exact one, for every kind of vectors, kernel, number of threads, k and filter. */
#include "tests/unit/matrix_fixture.h"
#include <stdio.h>

static const uint32_t ks[] = { 1, 10, 100 };

/* All kernels usable here, one and three threads, single and batch, against the oracle. */
static void exact_check(enum vectors kind, uint32_t n, uint32_t d, uint32_t queries, const struct matrix_filter *f,
                        bool (*wanted)(const struct matrix_item *))
{
    float *x = vectors_make(kind, n, d), *q = vectors_make(kind, queries, d);
    if (queries > 1 && n) /* one of the rows itself */
        memcpy(q, x + (size_t)random_below(n) * d, d * sizeof *q);
    struct matrix_hit *want = xcalloc((size_t)queries * 100, sizeof *want),
                      *got = xcalloc((size_t)queries * 100, sizeof *got);
    size_t *want_count = xcalloc(queries, sizeof *want_count), *got_count = xcalloc(queries, sizeof *got_count);
    const struct kernel *kernel;
    for (size_t ik = 0; ik < 3; ik++) {
        uint32_t k = ks[ik];
        for (uint32_t i = 0; i < queries; i++)
            want_count[i] = oracle(x, n, d, q + (size_t)i * d, k, wanted, want + (size_t)i * k);
        for (size_t i = 0; (kernel = kernel_at(i)); i++) {
            if (!kernel->usable())
                continue;
            struct matrix *m = matrix_made(d, kernel->name, i % 2 ? 3 : 1);
            struct matrix_trace trace;
            char what[128];
            snprintf(what, sizeof what, "%s kind %d n %u d %u k %u", kernel->name, (int)kind, n, d, k);
            matrix_fill(m, x, n);
            for (uint32_t j = 0; j < queries; j++) {
                size_t count = search(m, f, k, q + (size_t)j * d, got, &trace);
                hits_equal(got, count, want + (size_t)j * k, want_count[j], what);
            }
            struct matrix_query mq = { .user = 1, .k = k, .filter = f };
            ck_assert_int_eq(matrix_search_batch(m, &mq, q, queries, got, got_count, &trace, NULL), OK);
            ck_assert(trace.exact);
            for (uint32_t j = 0; j < queries; j++)
                hits_equal(got + (size_t)j * k, got_count[j], want + (size_t)j * k, want_count[j], what);
            matrix_free(m);
        }
    }
    free(x);
    free(q);
    free(want);
    free(got);
    free(want_count);
    free(got_count);
}

START_TEST(test_kinds)
{
    random_state = 42;
    exact_check((enum vectors)_i, 1500, 96, 13, NULL, NULL);
}
END_TEST

START_TEST(test_sizes)
{
    static const uint32_t sizes[] = { 0, 1, 2, 15, 16, 17, 63, 64, 65, 127, 300 };
    random_state = 7;
    exact_check(CLUSTERED, sizes[_i], 48, 9, NULL, NULL);
}
END_TEST

START_TEST(test_dimensions)
{
    static const uint32_t dims[] = { 1, 2, 63, 64, 65, 384, 1536, 4096 };
    random_state = 9;
    exact_check(RANDOM, 200, dims[_i], 9, NULL, NULL);
}
END_TEST

/* Large enough for the threads to share the scan: 5 MB of codes. */
START_TEST(test_threads)
{
    random_state = 11;
    exact_check(CLUSTERED, 14000, 384, 5, NULL, NULL);
}
END_TEST

static const int64_t some_categories[] = { 3, 7, 10, -5, 5000000000 };
static bool typed(const struct matrix_item *i)
{
    return i->type == 1;
}
static bool open_only(const struct matrix_item *i)
{
    return !i->done;
}
static bool done_only(const struct matrix_item *i)
{
    return i->done;
}
static bool in_week(const struct matrix_item *i)
{
    return i->day != MATRIX_DAY_NONE && i->day >= 10 && i->day <= 17;
}
static bool in_categories(const struct matrix_item *i)
{
    return i->category == 3 || i->category == 7 || i->category == 10;
}
static bool together(const struct matrix_item *i)
{
    return i->type != 0 && !i->done && i->day != MATRIX_DAY_NONE && i->day <= 500 && in_categories(i);
}
static bool none(const struct matrix_item *i)
{
    (void)i;
    return false;
}

static const struct {
    struct matrix_filter filter;
    bool (*wanted)(const struct matrix_item *);
} filters[] = {
    { { .types = 1 << 1 }, typed },
    { { .state = MATRIX_OPEN }, open_only },
    { { .state = MATRIX_DONE }, done_only },
    { { .dated = true, .day_from = 10, .day_to = 17 }, in_week },
    { { .categories = some_categories, .categories_count = 5 }, in_categories },
    { { .types = 6,
        .state = MATRIX_OPEN,
        .dated = true,
        .day_from = INT32_MIN,
        .day_to = 500,
        .categories = some_categories,
        .categories_count = 3 },
      together },
    { { .dated = true, .day_from = 17, .day_to = 10 }, none },
    { { .types = 1 << 9 }, none },
    { { .categories = some_categories + 3, .categories_count = 2 }, none },
};

START_TEST(test_filters)
{
    random_state = 13;
    exact_check(CLUSTERED, 2000, 64, 9, &filters[_i].filter, filters[_i].wanted);
}
END_TEST

/* The proof must not cost more than it saves: few fp32 rows are read. */
START_TEST(test_rescored)
{
    enum { N = 5000, D = 384 };
    float *x = vectors_make(CLUSTERED, N, D);
    struct matrix *m = matrix_made(D, NULL, 1);
    struct matrix_hit hits[10];
    struct matrix_trace trace;
    matrix_fill(m, x, N);
    search(m, NULL, 10, x, hits, &trace);
    ck_assert_uint_eq(trace.matched, N);
    ck_assert_uint_eq(trace.scanned, N);
    ck_assert_uint_ge(trace.rescored, 10);
    ck_assert_uint_le(trace.rescored, 200);
    struct matrix_query q = { .user = 1, .k = 10, .rescore_max = 3 };
    size_t count;
    ck_assert_int_eq(matrix_search(m, &q, x, hits, &count, &trace, NULL), OK);
    ck_assert(!trace.exact);
    ck_assert_uint_eq(count, 3);
    matrix_free(m);
    free(x);
}
END_TEST

START_TEST(test_rows_and_gram)
{
    enum { N = 300, D = 40, K = 20 };
    float *x = vectors_make(CLUSTERED, N, D), rows[K * D], gram[K * K], unit[D];
    struct matrix *m = matrix_made(D, NULL, 1);
    struct matrix_hit hits[K];
    struct matrix_query q = { .user = 1, .k = K, .rows = rows };
    size_t count;
    matrix_fill(m, x, N);
    ck_assert_int_eq(matrix_search(m, &q, x, hits, &count, NULL, NULL), OK);
    ck_assert_uint_eq(count, K);
    ck_assert_int_eq(hits[0].id, 1);
    for (size_t i = 0; i < K; i++) {
        unit_of(x + (hits[i].id - 1) * D, D, unit);
        ck_assert_mem_eq(rows + i * D, unit, sizeof unit);
    }
    ck_assert_int_eq(matrix_gram(rows, K, D, gram, NULL), OK);
    for (size_t i = 0; i < K; i++)
        for (size_t j = 0; j < K; j++)
            ck_assert_double_le(fabs(gram[i * K + j] - kernel_portable.dot(rows + i * D, rows + j * D, D)), 1e-5);
    ck_assert_int_eq(matrix_gram(rows, MATRIX_GRAM_ROWS_MAX + 1, D, gram, NULL), ST_LIMIT);
    matrix_free(m);
    free(x);
}
END_TEST

START_TEST(test_refusals)
{
    struct matrix *m = matrix_made(4, NULL, 1);
    struct matrix_item item = item_of(0);
    static const float bad[][4] = { { 0, 0, 0, 0 }, { 1, NAN, 0, 0 }, { 1, INFINITY, 0, 0 }, { -INFINITY, 0, 0, 0 } };
    static const float good[4] = { 1, 2, 3, 4 };
    struct matrix_hit hits[10];
    struct matrix_query q = { .user = 1, .k = 10 };
    struct error e;
    size_t count;
    for (size_t i = 0; i < 4; i++) {
        ck_assert_int_eq(matrix_put(m, &item, bad[i], &e), ST_INVALID);
        ck_assert_int_eq(matrix_search(m, &q, bad[i], hits, &count, NULL, &e), ST_INVALID);
        ck_assert_int_eq(matrix_search_batch(m, &q, bad[i], 1, hits, &count, NULL, NULL), ST_INVALID);
    }
    ck_assert_int_eq(matrix_search(m, &q, good, hits, &count, NULL, NULL), OK);
    ck_assert_uint_eq(count, 0);
    q.k = 0;
    ck_assert_int_eq(matrix_search(m, &q, good, hits, &count, NULL, &e), ST_INVALID);
    q.k = MATRIX_HITS_MAX + 1;
    ck_assert_int_eq(matrix_search(m, &q, good, hits, &count, NULL, &e), ST_INVALID);
    struct matrix_item out[] = { item, item, item, item };
    out[0].type = MATRIX_TYPES_MAX;
    out[1].category = -1;
    out[2].category = (int64_t)UINT32_MAX + 1;
    out[3].day = MATRIX_DAY_MAX + 1;
    for (size_t i = 0; i < 4; i++)
        ck_assert_int_eq(matrix_put(m, &out[i], good, &e), ST_INVALID);
    matrix_free(m);
    struct matrix_options o = { .model = "m", .dimensions = 0 };
    ck_assert_int_eq(matrix_new(&o, &m, &e), ST_INVALID);
    o.dimensions = MATRIX_DIMENSIONS_MAX + 1;
    ck_assert_int_eq(matrix_new(&o, &m, &e), ST_INVALID);
    o = (struct matrix_options){ .model = "m", .dimensions = 4, .kernel = "abacus" };
    ck_assert_int_eq(matrix_new(&o, &m, &e), ST_INVALID);
    o = (struct matrix_options){ .model = "m", .dimensions = 4, .rows_dir = "/nowhere/at/all" };
    ck_assert_int_eq(matrix_new(&o, &m, &e), ST_INTERNAL);
    ck_assert_ptr_null(m);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("matrix");
    TCase *t = tcase_create("matrix");
    tcase_set_timeout(t, 300);
    tcase_add_loop_test(t, test_kinds, 0, VECTORS_COUNT);
    tcase_add_loop_test(t, test_sizes, 0, 11);
    tcase_add_loop_test(t, test_dimensions, 0, 8);
    tcase_add_test(t, test_threads);
    tcase_add_loop_test(t, test_filters, 0, (int)(sizeof filters / sizeof *filters));
    tcase_add_test(t, test_rescored);
    tcase_add_test(t, test_rows_and_gram);
    tcase_add_test(t, test_refusals);
    suite_add_tcase(s, t);
    return run_suite(s);
}
