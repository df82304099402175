/* SPDX-License-Identifier: MIT
 * bench_matrix: times the matrix on a file of vectors; called by tests/bench/run, which compares with others.
 *
 *   bench_matrix make DIR N D Q                       clustered unit vectors: DIR/rows.f32, DIR/queries.f32
 *   bench_matrix run DIR N D Q K THREADS [KERNEL]     "name value" lines; hits in DIR/matrix.ids, DIR/matrix-batch.ids
 *
 * Times are milliseconds per query, the median over the queries of the best round (batches: the median round). */
#include "base/arena.h"
#include "embeddings/blas.h"
#include "embeddings/matrix.h"
#include "embeddings/snapshot.h"
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 5, BATCH = 256, WRITES_PER_SECOND = 1000, RACE_SECONDS = 4 };

struct bench {
    const char *dir;
    uint32_t n, d, queries, k;
    unsigned threads;
    float *rows, *query;
    struct matrix *m;
};

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void die(const char *what)
{
    fprintf(stderr, "bench_matrix: %s\n", what);
    exit(1);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}
static double quantile(double *v, size_t n, double q)
{
    qsort(v, n, sizeof *v, by_value);
    return v[(size_t)(q * (double)(n - 1) + 0.5)];
}

/* --- data --- */

static uint64_t state = 88172645463325252u;
static double uniform(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (double)(state >> 11) * 0x1p-53;
}
/* Sum of four uniforms: close enough to normal, and quick for 400 million numbers. */
static double normal(void)
{
    return (uniform() + uniform() + uniform() + uniform() - 2) * 1.7320508;
}

static void row_make(const float *centre, uint32_t d, float *row)
{
    double square = 0;
    for (uint32_t j = 0; j < d; j++) {
        row[j] = (float)(centre[j] + 0.7 * normal());
        square += row[j] * row[j];
    }
    for (uint32_t j = 0; j < d; j++)
        row[j] = (float)(row[j] / sqrt(square));
}

static void file_make(const char *dir, const char *name, uint32_t n, uint32_t d, const float *centre, uint32_t centres)
{
    char path[4096];
    float *row = xcalloc(d, sizeof *row);
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "wb");
    if (!f)
        die(path);
    for (uint32_t i = 0; i < n; i++) {
        row_make(centre + (size_t)(uniform() * centres) * d, d, row);
        fwrite(row, sizeof *row, d, f);
    }
    if (fclose(f) != 0)
        die(path);
    free(row);
}

static void data_make(const char *dir, uint32_t n, uint32_t d, uint32_t queries)
{
    uint32_t centres = n / 100 + 1;
    float *centre = xcalloc((size_t)centres * d, sizeof *centre);
    for (size_t i = 0; i < (size_t)centres * d; i++)
        centre[i] = (float)normal() + 0.2f; /* a common direction, as real embeddings have */
    file_make(dir, "rows.f32", n, d, centre, centres);
    file_make(dir, "queries.f32", queries, d, centre, centres);
    free(centre);
}

static float *file_read(const char *dir, const char *name, size_t count)
{
    char path[4096];
    float *v = xmalloc(count * sizeof *v);
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "rb");
    if (!f || fread(v, sizeof *v, count, f) != count)
        die(path);
    fclose(f);
    return v;
}

static void ids_write(const struct bench *b, const char *name, const struct matrix_hit *hits, size_t queries)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", b->dir, name);
    FILE *f = fopen(path, "wb");
    if (!f)
        die(path);
    for (size_t i = 0; i < queries * b->k; i++) {
        int32_t id = (int32_t)hits[i].id;
        fwrite(&id, sizeof id, 1, f);
    }
    fclose(f);
}

/* --- what the machine can do --- */

struct reader {
    const uint64_t *at;
    size_t words;
    uint64_t sum;
};

__attribute__((noinline)) static uint64_t read_sum(const uint64_t *p, size_t words)
{
    uint64_t s[8] = { 0 };
    for (size_t i = 0; i + 64 <= words; i += 64) {
        for (size_t j = 0; j < 64; j += 8) /* a word of each cache line: the lines are what costs */
            s[j / 8] += p[i + j];
    }
    return s[0] + s[1] + s[2] + s[3] + s[4] + s[5] + s[6] + s[7];
}

static void *read_run(void *arg)
{
    struct reader *r = arg;
    r->sum = read_sum(r->at, r->words);
    return NULL;
}

/* GB/s of the threads together from memory: over eight times the last cache. */
static double bandwidth(unsigned threads)
{
    long cache = sysconf(_SC_LEVEL3_CACHE_SIZE);
    size_t bytes = (cache > 32 << 20 ? (size_t)cache : 32 << 20) * 8;
    uint64_t *p = aligned_alloc(2 << 20, (bytes + (2 << 20) - 1) >> 21 << 21);
    double best = 1e30;
    if (!p)
        die("no memory");
    (void)madvise(p, bytes, MADV_HUGEPAGE);
    memset(p, 1, bytes);
    for (int round = 0; round < 8; round++) {
        struct reader r[64];
        pthread_t t[64];
        double start = now_ms();
        for (unsigned i = 0; i < threads; i++) {
            r[i] = (struct reader){ p + bytes / 8 * i / threads, bytes / 8 / threads, 0 };
            if (i && pthread_create(&t[i], NULL, read_run, &r[i]) != 0)
                die("no thread");
        }
        read_run(&r[0]);
        for (unsigned i = 1; i < threads; i++)
            pthread_join(t[i], NULL);
        best = fmin(best, now_ms() - start);
    }
    free(p);
    return (double)bytes / best / 1e6;
}

/* ms a query of sgemm alone, in blocks whose scores stay in the cache. */
static double sgemm_alone(const struct bench *b)
{
    enum { BLOCK = 1024 };
    float *out = xmalloc((size_t)BATCH * BLOCK * sizeof *out);
    double t[3];
    for (int round = 0; round < 3; round++) {
        double start = now_ms();
        for (uint32_t i = 0; i < b->n; i += BLOCK)
            blas_products(b->query, BATCH, b->rows + (size_t)i * b->d, b->n - i < BLOCK ? b->n - i : BLOCK, b->d, out,
                          BLOCK);
        t[round] = (now_ms() - start) / BATCH;
    }
    free(out);
    return quantile(t, 3, 0.5);
}

/* --- the matrix --- */

static struct matrix_item item_of(uint32_t i)
{
    return (struct matrix_item){ .user = 1,
                                 .id = i,
                                 .day = (int32_t)(uniform() * 1000),
                                 .category = (int64_t)(uniform() * 100),
                                 .type = (uint32_t)(uniform() * 2) };
}

static void fill(struct bench *b)
{
    double start = now_ms();
    for (uint32_t i = 0; i < b->n; i++) {
        struct matrix_item item = item_of(i);
        if (matrix_put(b->m, &item, b->rows + (size_t)i * b->d, NULL) != OK)
            die("a row was refused");
    }
    printf("put_us %.3f\n", (now_ms() - start) * 1e3 / b->n);
}

static double search_ms(struct bench *b, const struct matrix_filter *f, struct matrix_hit *hits,
                        struct matrix_trace *sum)
{
    double *t = xcalloc(b->queries, sizeof *t), best = 1e30;
    struct matrix_query q = { .user = 1, .k = b->k, .filter = f };
    memset(sum, 0, sizeof *sum);
    for (int round = 0; round < ROUNDS; round++) {
        for (uint32_t i = 0; i < b->queries; i++) {
            struct matrix_trace trace;
            size_t count;
            double start = now_ms();
            if (matrix_search(b->m, &q, b->query + (size_t)i * b->d, hits + (size_t)i * b->k, &count, &trace, NULL) !=
                OK)
                die("a search failed");
            t[i] = now_ms() - start;
            if (!trace.exact)
                die("not exact");
            sum->rescored += trace.rescored;
            sum->matched += trace.matched;
        }
        best = fmin(best, quantile(t, b->queries, 0.5));
    }
    sum->rescored /= (uint64_t)b->queries * ROUNDS;
    sum->matched /= (uint64_t)b->queries * ROUNDS;
    free(t);
    return best;
}

static void singles(struct bench *b)
{
    static const int64_t one[1] = { 7 };
    const struct {
        const char *name;
        struct matrix_filter filter;
    } filters[] = {
        { "filter1", { .categories = one, .categories_count = 1 } },
        { "filter10", { .dated = true, .day_from = 100, .day_to = 199 } },
        { "filter50", { .types = 1 } },
    };
    struct matrix_hit *hits = xcalloc((size_t)b->queries * b->k, sizeof *hits);
    struct matrix_trace trace;
    double ms = search_ms(b, NULL, hits, &trace);
    ids_write(b, "matrix.ids", hits, b->queries);
    double bytes = (double)b->n * ((b->d + 63) / 64 * 64 + 8.0);
    double gbs = bandwidth(b->threads);
    printf("single_ms %.4f\nrescored %llu\nbandwidth_gbs %.2f\nefficiency %.3f\n", ms,
           (unsigned long long)trace.rescored, gbs, bytes / (ms * 1e6 * gbs));
    for (size_t i = 0; i < 3; i++) {
        double part = search_ms(b, &filters[i].filter, hits, &trace);
        printf("%s_ms %.4f\n%s_matched %llu\n", filters[i].name, part, filters[i].name,
               (unsigned long long)trace.matched);
    }
    free(hits);
}

static void batches(struct bench *b)
{
    struct matrix_hit *hits = xcalloc((size_t)b->queries * b->k, sizeof *hits);
    size_t counts[BATCH];
    struct matrix_query q = { .user = 1, .k = b->k };
    struct matrix_trace trace;
    double t[3];
    for (int round = 0; round < 3; round++) {
        double start = now_ms();
        if (matrix_search_batch(b->m, &q, b->query, BATCH, hits, counts, &trace, NULL) != OK || !trace.exact)
            die("a batch failed");
        t[round] = (now_ms() - start) / BATCH;
    }
    ids_write(b, "matrix-batch.ids", hits, BATCH);
    printf("batch_ms %.4f\nbatch_rescored %llu\n", quantile(t, 3, 0.5), (unsigned long long)(trace.rescored / BATCH));
    free(hits);
}

/* --- a reader beside a writer --- */

struct race {
    struct bench *b;
    _Atomic bool stop;
    _Atomic long writes;
};

static void *write_run(void *arg)
{
    struct race *r = arg;
    struct bench *b = r->b;
    double start = now_ms();
    for (uint32_t i = 0; !atomic_load(&r->stop); i++) {
        struct matrix_item item = item_of(b->n + i);
        if (matrix_put(b->m, &item, b->rows + (size_t)(i % b->n) * b->d, NULL) != OK ||
            matrix_remove(b->m, 1, 0, i % b->n, NULL) == ST_INTERNAL)
            die("a write failed");
        atomic_fetch_add(&r->writes, 2);
        double due = start + (i + 1) * 1e3 / WRITES_PER_SECOND;
        double wait = due - now_ms();
        if (wait > 0)
            usleep((useconds_t)(wait * 1e3));
    }
    return NULL;
}

static double reader_p99(struct bench *b, double *median)
{
    enum { SAMPLES_MAX = 200000 };
    double *t = xcalloc(SAMPLES_MAX, sizeof *t), start = now_ms();
    struct matrix_hit *hits = xcalloc(b->k, sizeof *hits);
    struct matrix_query q = { .user = 1, .k = b->k };
    size_t n = 0, count;
    while (n < SAMPLES_MAX && now_ms() - start < RACE_SECONDS * 1e3) {
        double at = now_ms();
        if (matrix_search(b->m, &q, b->query + (n % b->queries) * b->d, hits, &count, NULL, NULL) != OK)
            die("a search failed");
        t[n++] = now_ms() - at;
    }
    double p99 = quantile(t, n, 0.99);
    *median = quantile(t, n, 0.5);
    free(t);
    free(hits);
    return p99;
}

static void races(struct bench *b)
{
    struct race r = { .b = b };
    pthread_t t;
    double median, alone = reader_p99(b, &median);
    printf("reader_alone_p50_ms %.4f\nreader_alone_p99_ms %.4f\n", median, alone);
    if (pthread_create(&t, NULL, write_run, &r) != 0)
        die("no thread");
    double p99 = reader_p99(b, &median);
    atomic_store(&r.stop, true);
    pthread_join(t, NULL);
    printf("reader_p50_ms %.4f\nreader_p99_ms %.4f\nwrites_per_s %.0f\n", median, p99,
           (double)atomic_load(&r.writes) / RACE_SECONDS);
}

static void snapshots(struct bench *b, const struct matrix_options *o)
{
    char path[4096];
    struct snapshot_state said;
    struct matrix *m;
    struct error e;
    snprintf(path, sizeof path, "%s/matrix.snapshot", b->dir);
    double start = now_ms();
    if (snapshot_save(b->m, &(struct snapshot_saving){ .path = path, .state = { .mark = 1 } }, &e) != OK)
        die(e.text);
    printf("snapshot_save_ms %.1f\n", now_ms() - start);
    start = now_ms();
    if (snapshot_load(path, o, &m, &said, &e) != OK)
        die(e.text);
    printf("snapshot_load_ms %.1f\n", now_ms() - start);
    matrix_free(m);
    unlink(path);
}

static void bench_run(struct bench *b, const char *kernel)
{
    struct matrix_options o = {
        .model = "bench", .dimensions = b->d, .rows_dir = b->dir, .threads = b->threads, .kernel = kernel
    };
    struct matrix_usage usage;
    struct error e;
    b->rows = file_read(b->dir, "rows.f32", (size_t)b->n * b->d);
    b->query = file_read(b->dir, "queries.f32", (size_t)b->queries * b->d);
    if (matrix_new(&o, &b->m, &e) != OK)
        die(e.text);
    printf("kernel %s\n", matrix_kernel(b->m));
    fill(b);
    matrix_usage(b->m, &usage);
    printf("hot_bytes_per_item %.1f\n", (double)usage.hot_bytes / (double)usage.items);
    singles(b);
    batches(b);
    if (b->threads == 1)
        printf("sgemm_ms %.4f\n", sgemm_alone(b));
    if (!kernel) {
        snapshots(b, &o);
        races(b);
    }
    matrix_free(b->m);
    free(b->rows);
    free(b->query);
}

static uint32_t number(const char *s)
{
    char *end;
    unsigned long v = strtoul(s, &end, 10);
    if (*end || v < 1 || v > 100000000)
        die("a number is wrong");
    return (uint32_t)v;
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc == 6 && strcmp(argv[1], "make") == 0) {
        data_make(argv[2], number(argv[3]), number(argv[4]), number(argv[5]));
    } else if ((argc == 8 || argc == 9) && strcmp(argv[1], "run") == 0) {
        struct bench b = { .dir = argv[2],
                           .n = number(argv[3]),
                           .d = number(argv[4]),
                           .queries = number(argv[5]),
                           .k = number(argv[6]),
                           .threads = number(argv[7]) };
        if (b.queries < BATCH)
            die("at least 256 queries are wanted");
        bench_run(&b, argc == 9 ? argv[8] : NULL);
    } else {
        die("make DIR N D Q | run DIR N D Q K THREADS [KERNEL]");
    }
    return 0;
}
