/* SPDX-License-Identifier: MIT
 * test_matrix_write: putting, replacing, removing and compacting leave exactly the rows they should, for the user
 * they belong to, within the memory allowed. */
#include "tests/unit/matrix_fixture.h"
#include <stdio.h>

enum { D = 32 };

struct model { /* what should be there: vector number of each id, -1 = nothing */
    int32_t vector[3000];
    struct matrix_item item[3000];
};

static void model_check(struct matrix *m, const struct model *want, uint32_t ids, const float *x)
{
    struct matrix_item item;
    float vector[D], unit[D];
    uint32_t live = 0;
    for (uint32_t i = 0; i < ids; i++) {
        enum status s = matrix_get(m, 1, want->item[i].type, i, &item, vector, NULL);
        ck_assert_int_eq(s, want->vector[i] < 0 ? ST_NOT_FOUND : OK);
        if (s != OK)
            continue;
        live++;
        unit_of(x + (size_t)want->vector[i] * D, D, unit);
        ck_assert_mem_eq(vector, unit, sizeof unit);
        ck_assert_int_eq(item.day, want->item[i].day);
        ck_assert_int_eq(item.category, want->item[i].category);
        ck_assert_int_eq(item.done, want->item[i].done);
    }
    struct matrix_usage u;
    matrix_usage(m, &u);
    ck_assert_uint_eq(u.items, live);
}

/* The oracle over the model. */
static void model_search(struct matrix *m, const struct model *want, uint32_t ids, const float *x, uint32_t k)
{
    struct matrix_hit *all = xcalloc(ids + 1, sizeof *all), *got = xcalloc(k, sizeof *got);
    float unit[D], q[D];
    const float *query = x + (size_t)random_below(3000) * D;
    size_t count = 0;
    struct matrix_trace trace;
    unit_of(query, D, q);
    for (uint32_t i = 0; i < ids; i++)
        if (want->vector[i] >= 0) {
            unit_of(x + (size_t)want->vector[i] * D, D, unit);
            all[count++] = (struct matrix_hit){ i, want->item[i].type, (float)kernel_portable.dot(q, unit, D) };
        }
    qsort(all, count, sizeof *all, hit_order);
    hits_equal(got, search(m, NULL, k, query, got, &trace), all, count < k ? count : k, "model");
    free(all);
    free(got);
}

static void random_write(struct matrix *m, struct model *w, uint32_t ids, const float *x, bool removing)
{
    uint32_t i = random_below(ids), what = random_below(10);
    struct matrix_item *item = &w->item[i];
    *item = (struct matrix_item){ .user = 1,
                                  .id = i,
                                  .type = i % 4,
                                  .day = (int32_t)random_below(9),
                                  .category = random_below(9),
                                  .done = random_below(2) };
    if (what < (removing ? 8 : 3)) {
        ck_assert_int_eq(matrix_remove(m, 1, item->type, i, NULL), w->vector[i] < 0 ? ST_NOT_FOUND : OK);
        w->vector[i] = -1;
    } else if (what == 8) {
        ck_assert_int_eq(matrix_set(m, item, NULL), w->vector[i] < 0 ? ST_NOT_FOUND : OK);
    } else {
        w->vector[i] = (int32_t)random_below(3000);
        matrix_put_ok(m, item, x + (size_t)w->vector[i] * D);
    }
}

/* Thousands of random writes against a plain array; growing, then shrinking, several times. */
START_TEST(test_random_writes)
{
    static struct model w;
    random_state = 3;
    float *x = vectors_make(CLUSTERED, 3000, D);
    struct matrix *m = matrix_made(D, NULL, 1);
    memset(w.vector, 0xff, sizeof w.vector);
    for (int phase = 0; phase < 6; phase++) {
        for (int i = 0; i < 4000; i++) {
            random_write(m, &w, 3000, x, phase % 2 == 1);
            if (i % 400 == 0)
                model_search(m, &w, 3000, x, 1 + random_below(40));
        }
        model_check(m, &w, 3000, x);
        if (phase == 3)
            matrix_compact(m);
    }
    struct matrix_usage u;
    matrix_compact(m);
    matrix_usage(m, &u);
    ck_assert_uint_eq(u.dead, 0);
    model_check(m, &w, 3000, x);
    matrix_free(m);
    free(x);
}
END_TEST

/* More rows than one segment holds; then most of them go, and their space with them. */
START_TEST(test_segments)
{
    enum { N = 150000 };
    struct matrix *m = matrix_made(D, NULL, 1);
    struct matrix_usage full, u;
    struct matrix_hit hit;
    struct matrix_trace trace;
    float v[D] = { 0 };
    for (int round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < N; i++) {
            v[0] = 1;
            v[1 + i % 31] = (float)i / N;
            matrix_put_ok(m, &(struct matrix_item){ .user = 1, .id = i }, v);
            v[1 + i % 31] = 0;
        }
        matrix_usage(m, &full);
        ck_assert_uint_eq(full.items, N);
        ck_assert_uint_ge(full.segments, 3);
        for (uint32_t i = 0; i < N; i++)
            if (i % 100 != 7)
                ck_assert_int_eq(matrix_remove(m, 1, 0, i, NULL), OK);
        matrix_usage(m, &u);
        ck_assert_uint_eq(u.items, N / 100);
        ck_assert_uint_le(u.dead, u.items / 2 + 200);
        ck_assert_uint_le(u.hot_bytes, full.hot_bytes / 2); /* the key table does not shrink */
        ck_assert_uint_le(u.segments, 2);
        v[1 + 7 % 31] = 7.0f / N;
        ck_assert_uint_eq(search(m, NULL, 1, v, &hit, &trace), 1);
        ck_assert_uint_eq(trace.matched, N / 100);
        ck_assert_int_eq(hit.id, 7);
        memset(v, 0, sizeof v);
    }
    matrix_free(m);
}
END_TEST

START_TEST(test_users)
{
    enum { USERS = 200 };
    struct matrix *m = matrix_made(D, NULL, 1);
    float *x = vectors_make(CLUSTERED, USERS, D);
    struct matrix_hit hits[10];
    struct matrix_trace trace;
    size_t count;
    for (int64_t u = 0; u < USERS; u++)
        for (uint32_t i = 0; i < u % 7; i++) /* the same ids and vectors for everyone */
            matrix_put_ok(m, &(struct matrix_item){ .user = u * u - 50, .id = i }, x + i * D);
    for (int64_t u = 0; u < USERS; u++) {
        struct matrix_query q = { .user = u * u - 50, .k = 10 };
        ck_assert_int_eq(matrix_search(m, &q, x, hits, &count, &trace, NULL), OK);
        ck_assert_uint_eq(count, u % 7);
        ck_assert_uint_eq(trace.scanned, u % 7);
        ck_assert_uint_eq(matrix_remove_user(m, q.user), u % 7);
        ck_assert_int_eq(matrix_search(m, &q, x, hits, &count, &trace, NULL), OK);
        ck_assert_uint_eq(count, 0);
        matrix_put_ok(m, &(struct matrix_item){ .user = q.user, .id = 5 }, x);
        ck_assert_int_eq(matrix_search(m, &q, x, hits, &count, &trace, NULL), OK);
        ck_assert_uint_eq(count, 1);
    }
    matrix_free(m);
    free(x);
}
END_TEST

START_TEST(test_failed_put_changes_nothing)
{
    struct matrix *m = matrix_made(4, NULL, 1);
    struct matrix_item item = { .user = 1, .id = 1, .day = 5 }, got;
    float v[4] = { 1, 0, 0, 0 }, bad[4] = { NAN, 0, 0, 0 }, out[4];
    matrix_put_ok(m, &item, v);
    item.day = 6;
    ck_assert_int_eq(matrix_put(m, &item, bad, NULL), ST_INVALID);
    ck_assert_int_eq(matrix_get(m, 1, 0, 1, &got, out, NULL), OK);
    ck_assert_int_eq(got.day, 5);
    ck_assert_mem_eq(out, v, sizeof v);
    item.id = 2;
    ck_assert_int_eq(matrix_set(m, &item, NULL), ST_NOT_FOUND);
    ck_assert_int_eq(matrix_remove(m, 2, 0, 1, NULL), ST_NOT_FOUND);
    matrix_free(m);
}
END_TEST

/* 100,000 items of 384 dimensions: at most 420 bytes each beside their fp32 rows. */
START_TEST(test_memory)
{
    struct matrix *m;
    struct matrix_options o = { .model = "m", .dimensions = 384, .rows_dir = "/tmp" };
    struct matrix_usage u;
    float v[384] = { 1 };
    ck_assert_int_eq(matrix_new(&o, &m, NULL), OK);
    for (uint32_t i = 0; i < 100000; i++) {
        v[i % 384] = 1 + (float)i;
        matrix_put_ok(m, &(struct matrix_item){ .user = 1, .id = i }, v);
        matrix_usage(m, &u);
        if (i >= 10000 && i % 1000 == 0)
            ck_assert_msg(u.hot_bytes <= 420 * u.items, "%.1f bytes an item at %u",
                          (double)u.hot_bytes / (double)u.items, i);
    }
    ck_assert_uint_eq(u.mapped_bytes, 100000ull * 384 * 4);
    matrix_free(m);
}
END_TEST

static void count_item(void *ctx, const struct matrix_item *item)
{
    ck_assert_int_eq(item->user, 3);
    *(uint64_t *)ctx += (uint64_t)item->id;
}

START_TEST(test_walk)
{
    struct matrix *m = matrix_made(2, NULL, 1);
    uint64_t sum = 0;
    for (int64_t i = 1; i <= 100; i++)
        matrix_put_ok(m, &(struct matrix_item){ .user = 3, .id = i }, (float[]){ 1, (float)i });
    for (int64_t i = 1; i <= 100; i += 2)
        ck_assert_int_eq(matrix_remove(m, 3, 0, i, NULL), OK);
    matrix_walk(m, count_item, &sum);
    ck_assert_uint_eq(sum, 2550);
    matrix_free(m);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("matrix_write");
    TCase *t = tcase_create("matrix_write");
    tcase_set_timeout(t, 300);
    tcase_add_test(t, test_random_writes);
    tcase_add_test(t, test_segments);
    tcase_add_test(t, test_users);
    tcase_add_test(t, test_failed_put_changes_nothing);
    tcase_add_test(t, test_memory);
    tcase_add_test(t, test_walk);
    suite_add_tcase(s, t);
    return run_suite(s);
}
