/* SPDX-License-Identifier: MIT
 * matrix_fixture: vectors of every awkward kind, and the answer by brute force in double precision. */
#ifndef TESTS_MATRIX_FIXTURE_H
#define TESTS_MATRIX_FIXTURE_H

#include "base/arena.h"
#include "embeddings/kernel.h"
#include "embeddings/matrix.h"
#include <check.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static uint64_t random_state = 1;

static inline uint64_t random_bits(void)
{ /* xorshift64* (Vigna 2016) */
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * 0x2545f4914f6cdd1du;
}
static inline uint32_t random_below(uint32_t n)
{
    return (uint32_t)((random_bits() >> 32) * n >> 32);
}
static inline double random_unit(void)
{
    return (double)(random_bits() >> 11) * 0x1p-53;
}
static inline double random_normal(void)
{
    return sqrt(-2 * log(random_unit() + 1e-300)) * cos(6.283185307179586 * random_unit());
}

enum vectors { RANDOM, CLUSTERED, DUPLICATE, NEAR, DENORMAL, HUGE_NUMBERS, ONE_HOT, OUTLIER, VECTORS_COUNT };

/* n × d vectors of a kind; the caller frees. */
static inline float *vectors_make(enum vectors kind, uint32_t n, uint32_t d)
{
    enum { CENTRES = 16 };
    float *x = xcalloc((size_t)n * d, sizeof *x), *centre = xcalloc((size_t)CENTRES * d, sizeof *centre);
    for (uint32_t i = 0; i < CENTRES * d; i++)
        centre[i] = (float)random_normal();
    for (uint32_t i = 0; i < n; i++) {
        float *row = x + (size_t)i * d;
        uint32_t c = random_below(CENTRES), hot = random_below(d);
        for (uint32_t j = 0; j < d; j++) {
            double noise = random_normal(), base = centre[c * d + j];
            switch (kind) {
            case CLUSTERED:
                row[j] = (float)(base + 0.3 * noise);
                break;
            case DUPLICATE:
                row[j] = (float)base;
                break;
            case NEAR:
                row[j] = (float)(centre[j] + 1e-6 * noise);
                break;
            case DENORMAL:
                row[j] = (float)(noise * 1e-41);
                break;
            case HUGE_NUMBERS:
                row[j] = (float)(noise * 1e37);
                break;
            case ONE_HOT:
                row[j] = j == hot ? 1.0f : 0.0f;
                break;
            case OUTLIER:
                row[j] = (float)(j == hot ? 1000 : noise);
                break;
            default:
                row[j] = (float)noise;
            }
        }
        row[0] += row[0] == 0 && kind == DENORMAL ? 1e-40f : 0;
    }
    free(centre);
    return x;
}

static inline struct matrix *matrix_made(uint32_t d, const char *kernel, unsigned threads)
{
    struct matrix *m;
    struct error e = { 0 };
    struct matrix_options o = { .model = "test", .dimensions = d, .kernel = kernel, .threads = threads };
    ck_assert_msg(matrix_new(&o, &m, &e) == OK, "%s", e.text);
    return m;
}

static inline void matrix_put_ok(struct matrix *m, const struct matrix_item *item, const float *v)
{
    struct error e = { 0 };
    ck_assert_msg(matrix_put(m, item, v, &e) == OK, "%s", e.text);
}

/* Rows 0 … n-1 as items of user 1: id = row + 1. */
static inline struct matrix_item item_of(uint32_t row)
{
    return (struct matrix_item){ .user = 1,
                                 .id = row + 1,
                                 .type = row % 3,
                                 .day = row % 7 == 0 ? MATRIX_DAY_NONE : (int32_t)(row % 1000),
                                 .category = row % 11,
                                 .done = row % 4 == 0 };
}

static inline void matrix_fill(struct matrix *m, const float *x, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        struct matrix_item item = item_of(i);
        matrix_put_ok(m, &item, x + (size_t)i * matrix_dimensions(m));
    }
}

static inline void unit_of(const float *v, uint32_t d, float *out)
{
    double square = 0;
    for (uint32_t j = 0; j < d; j++)
        square += (double)v[j] * v[j];
    for (uint32_t j = 0; j < d; j++)
        out[j] = (float)(v[j] / sqrt(square));
}

static inline int hit_order(const void *a, const void *b)
{
    const struct matrix_hit *x = a, *y = b;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    if (x->type != y->type)
        return x->type < y->type ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

/* The k best rows that `wanted` lets through (NULL = all), by a full scan in double and a full sort. */
static inline size_t oracle(const float *x, uint32_t n, uint32_t d, const float *query, uint32_t k,
                            bool (*wanted)(const struct matrix_item *), struct matrix_hit *out)
{
    struct matrix_hit *all = xcalloc(n + 1, sizeof *all);
    float *q = xcalloc(d, sizeof *q), *row = xcalloc(d, sizeof *row);
    size_t count = 0;
    unit_of(query, d, q);
    for (uint32_t i = 0; i < n; i++) {
        struct matrix_item item = item_of(i);
        if (wanted && !wanted(&item))
            continue;
        unit_of(x + (size_t)i * d, d, row);
        all[count++] = (struct matrix_hit){ item.id, item.type, (float)kernel_portable.dot(q, row, d) };
    }
    qsort(all, count, sizeof *all, hit_order);
    count = count < k ? count : k;
    memcpy(out, all, count * sizeof *all);
    free(all);
    free(q);
    free(row);
    return count;
}

static inline void hits_equal(const struct matrix_hit *got, size_t got_count, const struct matrix_hit *want,
                              size_t want_count, const char *what)
{
    ck_assert_msg(got_count == want_count, "%s: %zu hits, not %zu", what, got_count, want_count);
    for (size_t i = 0; i < got_count; i++)
        ck_assert_msg(got[i].id == want[i].id && got[i].type == want[i].type &&
                          memcmp(&got[i].score, &want[i].score, sizeof got[i].score) == 0,
                      "%s: hit %zu is %lld (%.9g), not %lld (%.9g)", what, i, (long long)got[i].id, got[i].score,
                      (long long)want[i].id, want[i].score);
}

static inline size_t search(struct matrix *m, const struct matrix_filter *f, uint32_t k, const float *query,
                            struct matrix_hit *hits, struct matrix_trace *trace)
{
    struct matrix_query q = { .user = 1, .k = k, .filter = f };
    struct error e = { 0 };
    size_t count;
    ck_assert_msg(matrix_search(m, &q, query, hits, &count, trace, &e) == OK, "%s", e.text);
    ck_assert(trace->exact);
    ck_assert_uint_eq(count, trace->matched < k ? trace->matched : k);
    return count;
}

static inline int run_suite(Suite *s)
{
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
