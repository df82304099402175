/* SPDX-License-Identifier: MIT
 * test_kernel: every kernel of this machine computes the very integers that plain loops do, at the edges of its
 * ranges too, and no bound is ever violated. */
#include "tests/unit/matrix_fixture.h"

static const uint32_t dimension[] = { 1, 3, 64, 65, 384, 768, 1536, 4096 };
enum { DIMENSIONS = sizeof dimension / sizeof *dimension };

static void *aligned(size_t bytes)
{
    void *p = aligned_alloc(KERNEL_ALIGN, (bytes + KERNEL_ALIGN - 1) / KERNEL_ALIGN * KERNEL_ALIGN);
    ck_assert_ptr_nonnull(p);
    return p;
}

struct block {
    uint32_t d, stride;
    uint8_t *codes; /* 64 rows */
    float *unit;
    void *memory;
    struct kernel_query query;
};

/* extreme: the largest codes against the flattest query, where integer sums are largest. */
static void block_init(struct block *b, uint32_t d, int extreme)
{
    b->d = d;
    b->stride = kernel_stride(d);
    b->codes = aligned((size_t)KERNEL_BLOCK_ROWS * b->stride);
    b->unit = xcalloc(d, sizeof *b->unit);
    b->memory = aligned(kernel_query_bytes(d));
    float *v = vectors_make(RANDOM, 1, d);
    for (uint32_t j = 0; extreme && j < d; j++)
        v[j] = extreme > 0 ? 1.0f : -1.0f;
    unit_of(v, d, b->unit);
    free(v);
    memset(b->codes, 128, (size_t)KERNEL_BLOCK_ROWS * b->stride);
    for (uint32_t i = 0; i < KERNEL_BLOCK_ROWS; i++)
        for (uint32_t j = 0; j < d; j++)
            b->codes[(size_t)i * b->stride + j] = (uint8_t)(extreme ? (i % 2 ? 255 : 1) : 1 + random_below(255));
    kernel_query_init(&b->query, b->unit, d, b->memory);
}

static void block_free(struct block *b)
{
    free(b->codes);
    free(b->unit);
    free(b->memory);
}

static int64_t naive(const struct block *b, uint32_t row, bool coarse)
{
    int64_t sum = 0;
    for (uint32_t j = 0; j < b->d; j++)
        sum += (b->codes[(size_t)row * b->stride + j] - 128) * (coarse ? b->query.q8[j] : b->query.q16[j]);
    return sum;
}

static void scan_check(const struct kernel *k, const struct block *b)
{
    uint32_t index[KERNEL_BLOCK_ROWS];
    int32_t sums[KERNEL_BLOCK_ROWS + 1];
    for (size_t n = 1; n <= KERNEL_BLOCK_ROWS; n += n < 9 ? 1 : 11) {
        sums[n] = 4711;
        k->scan(b->codes, b->stride, NULL, n, &b->query, sums);
        for (uint32_t i = 0; i < n; i++)
            ck_assert_msg(sums[i] == naive(b, i, false), "%s d=%u n=%zu row %u", k->name, b->d, n, i);
        ck_assert_int_eq(sums[n], 4711);
        for (size_t i = 0; i < n; i++)
            index[i] = random_below(KERNEL_BLOCK_ROWS);
        k->scan(b->codes, b->stride, index, n, &b->query, sums);
        for (uint32_t i = 0; i < n; i++)
            ck_assert_msg(sums[i] == naive(b, index[i], false), "%s d=%u n=%zu row %u", k->name, b->d, n, i);
        ck_assert_int_eq(sums[n], 4711);
    }
}

static void tile_check(const struct kernel *k, const struct block *b)
{
    if (!k->tile)
        return;
    struct block other;
    block_init(&other, b->d, 0);
    const struct kernel_query *four[] = { &b->query, &other.query, &b->query, &other.query };
    int32_t sums[KERNEL_TILE_QUERIES][KERNEL_BLOCK_ROWS];
    uint8_t *interleaved = aligned((size_t)KERNEL_BLOCK_ROWS * b->stride);
    k->interleave(b->codes, b->stride, interleaved);
    k->tile(interleaved, b->stride, four, sums);
    free(other.codes);
    other.codes = b->codes;
    for (uint32_t i = 0; i < KERNEL_BLOCK_ROWS; i++)
        for (uint32_t t = 0; t < KERNEL_TILE_QUERIES; t++)
            ck_assert_msg(sums[t][i] == naive(t % 2 ? &other : b, i, true), "%s d=%u row %u", k->name, b->d, i);
    other.codes = NULL;
    block_free(&other);
    free(interleaved);
}

START_TEST(test_sums)
{
    const struct kernel *k;
    for (size_t i = 0; (k = kernel_at(i)); i++)
        for (int extreme = -1; k->usable() && extreme <= 1; extreme++)
            for (size_t j = 0; j < DIMENSIONS; j++) {
                struct block b;
                block_init(&b, dimension[j], extreme);
                scan_check(k, &b);
                tile_check(k, &b);
                block_free(&b);
            }
}
END_TEST

START_TEST(test_query_forms)
{
    for (size_t i = 0; i < DIMENSIONS; i++)
        for (int extreme = 0; extreme <= 1; extreme++) {
            struct block b;
            block_init(&b, dimension[i], extreme);
            int64_t sum = 0;
            double missed = 0;
            for (uint32_t j = 0; j < b.d; j++) {
                ck_assert_int_eq(b.query.q16[j], 256 * b.query.hi[j] + b.query.lo[j]);
                ck_assert_int_le(abs(b.query.q16[j]), KERNEL_Q16_MAX);
                ck_assert_int_ge(b.query.q8[j], -127);
                sum += abs(b.query.q16[j]);
                missed += pow(b.unit[j] - (double)b.query.step16 * b.query.q16[j], 2);
            }
            ck_assert_int_le(sum, KERNEL_Q16_SUM_MAX);
            ck_assert_double_le(sqrt(missed), b.query.error16);
            block_free(&b);
        }
}
END_TEST

/* |<q,x> - base - scale × step × sum| <= resid + error × radius, for every kind of vectors. */
START_TEST(test_certificate)
{
    enum { D = 384, N = 64 };
    for (enum vectors kind = RANDOM; kind < VECTORS_COUNT; kind++) {
        float *x = vectors_make(kind, N, D), *mean = xcalloc(D, sizeof *mean), *unit = xcalloc(N * D, sizeof *unit);
        struct block b;
        struct kernel_row row[N];
        float radius[N];
        int32_t sums[N];
        block_init(&b, D, 0);
        for (uint32_t i = 0; i < N; i++) {
            unit_of(x + i * D, D, unit + i * D);
            for (uint32_t j = 0; j < D && i < N / 2; j++)
                mean[j] += unit[i * D + j] * 2 / N;
        }
        for (uint32_t i = 0; i < N; i++)
            radius[i] = kernel_encode(unit + i * D, mean, D, b.codes + i * b.stride, &row[i]);
        kernel_portable.scan(b.codes, b.stride, NULL, N, &b.query, sums);
        double base = kernel_portable.dot(b.unit, mean, D);
        for (uint32_t i = 0; i < N; i++) {
            double truth = kernel_portable.dot(b.unit, unit + i * D, D);
            double about = base + (double)row[i].scale * b.query.step16 * sums[i];
            ck_assert_double_le(fabs(truth - about), row[i].resid * (1 + 1e-6) + b.query.error16 * radius[i] + 1e-12);
        }
        block_free(&b);
        free(x);
        free(mean);
        free(unit);
    }
}
END_TEST

START_TEST(test_bounds)
{
    const struct kernel *k;
    struct kernel_row row[KERNEL_BLOCK_ROWS];
    int32_t sums[KERNEL_BLOCK_ROWS];
    float upper[KERNEL_BLOCK_ROWS], want[KERNEL_BLOCK_ROWS];
    for (size_t round = 0; round < 200; round++) {
        struct kernel_bounds b = { (float)random_unit(), 1e-5f, 1e-5f, (float)random_unit() };
        size_t n = 1 + random_below(KERNEL_BLOCK_ROWS);
        for (size_t i = 0; i < KERNEL_BLOCK_ROWS; i++) {
            row[i] = (struct kernel_row){ (float)random_unit() * 0.01f, (float)random_unit() * 0.01f };
            sums[i] = (int32_t)random_below(20000000) - 10000000;
        }
        uint64_t mask = kernel_portable.bounds(&b, row, sums, n, want);
        for (size_t i = 0; (k = kernel_at(i)); i++) {
            if (!k->usable())
                continue;
            ck_assert_msg(k->bounds(&b, row, sums, n, upper) == mask, "%s", k->name);
            ck_assert_msg(memcmp(upper, want, n * sizeof *want) == 0, "%s", k->name);
        }
    }
}
END_TEST

START_TEST(test_filters)
{
    const struct kernel *k;
    uint32_t packed[KERNEL_BLOCK_ROWS], set[5];
    for (size_t round = 0; round < 500; round++) {
        struct kernel_match m = { .day_from = random_below(50),
                                  .day_span = random_below(40),
                                  .types = random_below(65536) };
        if (round % 3 == 0)
            m = (struct kernel_match){ .day_span = UINT32_MAX, .types = UINT32_MAX };
        m.state_mask = round % 2 ? KERNEL_DONE : 0;
        m.state = m.state_mask & (round % 4 == 1 ? KERNEL_DONE : 0);
        size_t n = 1 + random_below(KERNEL_BLOCK_ROWS);
        for (size_t i = 0; i < KERNEL_BLOCK_ROWS; i++)
            packed[i] = random_below(100) << KERNEL_DAY_SHIFT | random_below(16) << KERNEL_TYPE_SHIFT |
                        random_below(2) * KERNEL_DONE;
        for (size_t i = 0; i < 5; i++)
            set[i] = packed[random_below(KERNEL_BLOCK_ROWS)];
        uint64_t match = kernel_portable.match(&m, packed, n), member = kernel_portable.member(set, 5, packed, n);
        ck_assert_uint_ne(kernel_portable.member(set, 5, packed, KERNEL_BLOCK_ROWS), 0);
        for (size_t i = 0; (k = kernel_at(i)); i++) {
            if (!k->usable())
                continue;
            ck_assert_msg(k->match(&m, packed, n) == match, "%s", k->name);
            ck_assert_msg(k->member(set, 5, packed, n) == member, "%s", k->name);
        }
    }
}
END_TEST

START_TEST(test_dot)
{
    const struct kernel *k;
    for (uint32_t d = 1; d < 100; d++) {
        float *v = vectors_make(RANDOM, 2, d);
        double want = kernel_portable.dot(v, v + d, d);
        long double truth = 0;
        for (uint32_t j = 0; j < d; j++)
            truth += (long double)v[j] * v[d + j];
        ck_assert_double_le(fabs((double)truth - want), 1e-12);
        for (size_t i = 0; (k = kernel_at(i)); i++) {
            double got = k->usable() ? k->dot(v, v + d, d) : want;
            ck_assert_msg(memcmp(&got, &want, sizeof got) == 0, "%s d=%u", k->name, d);
        }
        free(v);
    }
}
END_TEST

START_TEST(test_find)
{
    ck_assert_ptr_null(kernel_find("abacus"));
    ck_assert_ptr_eq(kernel_find("portable"), &kernel_portable);
    ck_assert_ptr_nonnull(kernel_find(NULL));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("kernel");
    TCase *t = tcase_create("kernel");
    tcase_set_timeout(t, 120);
    tcase_add_test(t, test_sums);
    tcase_add_test(t, test_query_forms);
    tcase_add_test(t, test_certificate);
    tcase_add_test(t, test_bounds);
    tcase_add_test(t, test_filters);
    tcase_add_test(t, test_dot);
    tcase_add_test(t, test_find);
    suite_add_tcase(s, t);
    return run_suite(s);
}
