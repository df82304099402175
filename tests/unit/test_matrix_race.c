/* SPDX-License-Identifier: MIT
 * test_matrix_race: searches beside writers, for ThreadSanitizer and for what a reader may see: every item that was
 * there all the time is found, none twice, none that is of the past. */
#include "embeddings/matrix_view.h"
#include "tests/unit/matrix_fixture.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

enum { D = 24, KEPT = 40, WRITES = 6000, READERS = 3 };

struct race {
    struct matrix *m;
    float *x;
    _Atomic bool stop;
    _Atomic long searches, doubles;
};

/* Ids 0 … KEPT-1 are replaced all the time but never absent; ids above come and go. */
static void *write_run(void *arg)
{
    struct race *r = arg;
    uint64_t rng = 99;
    for (uint32_t i = 0; i < WRITES; i++) {
        rng = rng * 6364136223846793005u + 1442695040888963407u;
        uint32_t pick = (uint32_t)(rng >> 33);
        struct matrix_item item = { .user = 1, .id = pick % KEPT, .type = 1, .day = (int32_t)(i % 100) };
        if (i % 3 == 0)
            ck_assert_int_eq(matrix_set(r->m, &item, NULL), OK);
        else
            ck_assert_int_eq(matrix_put(r->m, &item, r->x + (item.id * 2 + i % 2) * D, NULL), OK);
        item.id = KEPT + pick % 500;
        if (i % 2)
            ck_assert_int_eq(matrix_put(r->m, &item, r->x + (pick % 1000) * D, NULL), OK);
        else if (matrix_remove(r->m, 1, 1, item.id, NULL) == ST_INTERNAL)
            ck_abort();
        if (i % 1000 == 999)
            matrix_compact(r->m);
        item.user = 2 + i % 40; /* other users come and grow the table */
        ck_assert_int_eq(matrix_put(r->m, &item, r->x, NULL), OK);
        if (i % 50 == 49)
            matrix_remove_user(r->m, item.user);
    }
    atomic_store(&r->stop, true);
    return NULL;
}

/* All KEPT items exactly once: whatever was there all the time is found, in one version. */
static void seen_check(const struct matrix_hit *hits, size_t count)
{
    uint32_t seen[KEPT + 500] = { 0 };
    for (size_t i = 0; i < count; i++) {
        ck_assert_int_ge(hits[i].id, 0);
        ck_assert_int_lt(hits[i].id, KEPT + 500);
        ck_assert_msg(seen[hits[i].id]++ == 0, "item %lld twice", (long long)hits[i].id);
    }
    for (size_t i = 0; i < KEPT; i++)
        ck_assert_msg(seen[i] == 1, "item %zu is missing", i);
}

static void *read_run(void *arg)
{
    struct race *r = arg;
    struct matrix_hit *hits = xcalloc(4 * 600, sizeof *hits);
    struct matrix_query q = { .user = 1, .k = 600 };
    struct matrix_trace trace;
    size_t counts[4];
    while (!atomic_load(&r->stop)) {
        long i = atomic_fetch_add(&r->searches, 1);
        if (i % 8) {
            ck_assert_int_eq(matrix_search(r->m, &q, r->x + i % 1000 * D, hits, counts, &trace, NULL), OK);
            ck_assert(trace.exact);
            seen_check(hits, counts[0]);
        } else {
            ck_assert_int_eq(matrix_search_batch(r->m, &q, r->x + i % 900 * D, 4, hits, counts, &trace, NULL), OK);
            for (size_t j = 0; j < 4; j++)
                seen_check(hits + 600 * j, counts[j]);
        }
    }
    free(hits);
    return NULL;
}

static void race_run(const char *kernel)
{
    struct race r = { .m = matrix_made(D, kernel, 2), .x = vectors_make(CLUSTERED, 1000, D) };
    pthread_t writer, reader[READERS];
    for (uint32_t i = 0; i < KEPT; i++)
        matrix_put_ok(r.m, &(struct matrix_item){ .user = 1, .id = i, .type = 1 }, r.x + i * D);
    for (size_t i = 0; i < READERS; i++)
        ck_assert_int_eq(pthread_create(&reader[i], NULL, read_run, &r), 0);
    ck_assert_int_eq(pthread_create(&writer, NULL, write_run, &r), 0);
    pthread_join(writer, NULL);
    for (size_t i = 0; i < READERS; i++)
        pthread_join(reader[i], NULL);
    ck_assert_int_gt(atomic_load(&r.searches), 0);
    matrix_free(r.m);
    free(r.x);
}

START_TEST(test_race)
{
    race_run(NULL);
}
END_TEST

START_TEST(test_race_portable)
{
    race_run("portable");
}
END_TEST

/* Long vectors, whose encoding takes a while: nothing may be seen to be missing in the middle of a replacement. */
enum { WIDE_D = 4096, WIDE_ITEMS = 5, WIDE_WRITES = 3000 };

static void *replace_run(void *arg)
{
    struct race *r = arg;
    for (uint32_t i = 0; i < WIDE_WRITES; i++)
        matrix_put_ok(r->m, &(struct matrix_item){ .user = 1, .id = i % WIDE_ITEMS }, r->x + i % 8 * WIDE_D);
    atomic_store(&r->stop, true);
    return NULL;
}

START_TEST(test_replacing)
{
    struct race r = { .m = matrix_made(WIDE_D, NULL, 1), .x = vectors_make(CLUSTERED, 8, WIDE_D) };
    struct matrix_hit hits[4 * WIDE_ITEMS];
    struct matrix_trace trace;
    pthread_t writer;
    for (uint32_t i = 0; i < WIDE_ITEMS; i++)
        matrix_put_ok(r.m, &(struct matrix_item){ .user = 1, .id = i }, r.x);
    ck_assert_int_eq(pthread_create(&writer, NULL, replace_run, &r), 0);
    while (!atomic_load(&r.stop)) {
        uint32_t seen = 0;
        ck_assert_uint_eq(search(r.m, NULL, 4 * WIDE_ITEMS, r.x, hits, &trace), WIDE_ITEMS);
        for (size_t i = 0; i < WIDE_ITEMS; i++)
            seen |= 1u << hits[i].id;
        ck_assert_uint_eq(seen, (1u << WIDE_ITEMS) - 1);
    }
    pthread_join(writer, NULL);
    matrix_free(r.m);
    free(r.x);
}
END_TEST

/* The writer stopped between appending a replacement and killing what it replaces: a search counts the item once, in
 * its new version, and k hits stay k hits. */
START_TEST(test_both_alive)
{
    enum { N = 200, K = 50 };
    float *x = vectors_make(CLUSTERED, N, D), *unit = xcalloc(D, sizeof *unit);
    struct matrix *m = matrix_made(D, NULL, 1);
    struct matrix_hit hits[K];
    struct matrix_trace trace;
    matrix_fill(m, x, N);
    struct partition *p = matrix_partition(m, 1);
    atomic_fetch_add(&p->replacing, 1);
    for (uint32_t i = 0; i < 5; i++) { /* five at once: what an unlucky reader may see of five in a row */
        struct matrix_item item = item_of(i);
        struct segment_row row = { item.id, item_pack(&item), 0, 0 };
        unit_of(x, D, unit);
        unit[0] += 1e-3f * (float)(i + 1);
        unit_of(unit, D, unit);
        ck_assert_int_eq(rows_put(&m->rows, unit, &row.slot, NULL), OK);
        partition_append(m, p, &row, unit);
    }
    for (int batch = 0; batch < 2; batch++) {
        struct matrix_query q = { .user = 1, .k = K };
        size_t counts[8];
        struct matrix_hit *many = xcalloc((size_t)8 * K, sizeof *many);
        if (batch)
            ck_assert_int_eq(matrix_search_batch(m, &q, x, 8, many, counts, &trace, NULL), OK);
        else
            counts[0] = search(m, NULL, K, x, many, &trace);
        memcpy(hits, many, sizeof hits);
        free(many);
        ck_assert_uint_eq(counts[0], K);
        for (size_t i = 0; i < K; i++)
            for (size_t j = 0; j < i; j++)
                ck_assert_msg(hits[i].id != hits[j].id, "item %lld twice", (long long)hits[i].id);
        ck_assert_int_eq(hits[0].id, 1);
        ck_assert_float_lt(hits[0].score, 1.0f); /* the old version of item 1 is the query itself */
    }
    matrix_free(m);
    free(x);
    free(unit);
}
END_TEST

/* Several threads want the helpers at once: one gets them, the others go alone, all find the same. */
struct shared {
    struct matrix *m;
    const float *x;
    struct matrix_hit want[10];
};

static void *shared_run(void *arg)
{
    struct shared *s = arg;
    struct matrix_hit got[10];
    struct matrix_trace trace;
    for (int i = 0; i < 15; i++)
        hits_equal(got, search(s->m, NULL, 10, s->x, got, &trace), s->want, 10, "shared");
    return NULL;
}

START_TEST(test_helpers)
{
    enum { N = 12000, WIDE = 384 };
    float *x = vectors_make(CLUSTERED, N, WIDE);
    struct shared s = { matrix_made(WIDE, NULL, 3), x, { { 0 } } };
    struct matrix_trace trace;
    pthread_t t[4];
    matrix_fill(s.m, x, N);
    search(s.m, NULL, 10, x, s.want, &trace);
    for (size_t i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&t[i], NULL, shared_run, &s), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    matrix_free(s.m);
    free(x);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("matrix_race");
    TCase *t = tcase_create("matrix_race");
    tcase_set_timeout(t, 600);
    tcase_add_test(t, test_race);
    tcase_add_test(t, test_race_portable);
    tcase_add_test(t, test_replacing);
    tcase_add_test(t, test_both_alive);
    tcase_add_test(t, test_helpers);
    suite_add_tcase(s, t);
    return run_suite(s);
}
