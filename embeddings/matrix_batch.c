/* SPDX-License-Identifier: MIT
 * matrix_batch: many queries against one user's rows, each row read once for all of them.
 * With VNNI a coarse pass multiplies 8-bit queries with blocks of 64 rows, and what survives is bounded again by
 * 16-bit queries; without, BLAS multiplies fp32 blocks.  Either way the certificate decides what is
 * re-scored, so the hits are those of matrix_search().  Threads take slices of the queries. */
#include "base/arena.h"
#include "embeddings/blas.h"
#include "embeddings/matrix_candidates.h"
#include "embeddings/matrix_search.h"
#include <stdlib.h>
#include <string.h>

enum {
    BLAS_QUERIES_MIN = 8,  /* below, sgemm's packing costs more than single scans */
    BLAS_BLOCK_ROWS = 512, /* 0.8 MB of rows at 384 dimensions, scores of 256 queries 0.5 MB: L2 */
    BATCH_QUERIES = 256,   /* queries of one pass: 98 KB of 8-bit queries at 384 dimensions */
};

struct batch {
    struct matrix *m;
    struct view *view;
    const struct view_filter *filter;
    const struct matrix_query *q;
    struct kernel_query *query;
    float *unit;
    size_t queries, slices;
    _Atomic size_t next_slice;
    struct matrix_hit *hits;
    size_t *counts;
    struct matrix_trace *trace; /* one per slice */
};

/* One slice of the queries on one thread. */
struct pass {
    struct batch *b;
    const struct kernel_query *query;
    const float *unit;
    size_t n;
    struct candidates *found;     /* n */
    struct kernel_bounds *bounds; /* part × n */
    uint8_t *rows8, *interleaved; /* 64 rows gathered, and in the tile's order */
    float *rows, *scores;         /* BLAS: a block of rows, n × rows scores */
    uint32_t *position;
    uint32_t filled;
};

static void *aligned(size_t bytes)
{
    void *p = aligned_alloc(KERNEL_ALIGN, (bytes + KERNEL_ALIGN - 1) / KERNEL_ALIGN * KERNEL_ALIGN);
    if (!p)
        abort();
    return p;
}

/* --- the coarse pass --- */

static const uint8_t *block_codes(struct pass *p, const struct view_block *b)
{
    const struct segment *s = b->part->segment;
    if (!b->index && b->n == KERNEL_BLOCK_ROWS)
        return s->codes + (size_t)b->first * s->stride;
    for (uint32_t i = 0; i < b->n; i++)
        memcpy(p->rows8 + (size_t)i * s->stride, s->codes + (size_t)(b->index ? b->index[i] : b->first + i) * s->stride,
               s->stride);
    return p->rows8;
}

static void tile_block(void *ctx, const struct view_block *b)
{
    struct pass *p = ctx;
    const struct kernel *kernel = p->b->m->kernel;
    size_t stride = p->b->m->stride;
    const struct kernel_bounds *bounds = p->bounds + (size_t)(b->part - p->b->view->part) * p->n;
    kernel->interleave(block_codes(p, b), stride, p->interleaved);
    for (size_t i = 0; i < p->n; i += KERNEL_TILE_QUERIES) {
        const struct kernel_query *four[KERNEL_TILE_QUERIES];
        int32_t sums[KERNEL_TILE_QUERIES][KERNEL_BLOCK_ROWS];
        for (size_t t = 0; t < KERNEL_TILE_QUERIES; t++)
            four[t] = &p->query[i + t < p->n ? i + t : p->n - 1];
        kernel->tile(p->interleaved, stride, four, sums);
        for (size_t t = 0; t < KERNEL_TILE_QUERIES && i + t < p->n; t++)
            candidates_add_block(&p->found[i + t], p->b->m, b, sums[t], bounds[i + t]);
    }
}

/* The survivors of one query again, with its 16-bit form. */
static void refine(struct pass *p, size_t query, struct candidates *fine)
{
    struct batch *b = p->b;
    struct candidates *coarse = &p->found[query];
    const struct kernel_query *q = &p->query[query];
    candidates_clear(fine);
    candidates_prune(coarse);
    fine->matched = coarse->matched;
    for (size_t part = 0; part < b->view->count; part++) {
        const struct view_part *at = &b->view->part[part];
        struct kernel_bounds bounds = matrix_bounds(b->m, at->segment, q, q->step16, q->error16);
        uint32_t index[KERNEL_BLOCK_ROWS], n = 0;
        for (size_t i = 0; i <= coarse->count; i++) {
            if (i < coarse->count && coarse->list[i].position >> SEGMENT_SHIFT == at->ordinal)
                index[n++] = coarse->list[i].position & (SEGMENT_ROWS_MAX - 1);
            if (!n || (n < KERNEL_BLOCK_ROWS && i < coarse->count))
                continue;
            int32_t sums[KERNEL_BLOCK_ROWS] = { 0 };
            struct view_block block = { .part = at, .index = index, .n = n, .mask = ~(uint64_t)0 };
            b->m->kernel->scan(at->segment->codes, at->segment->stride, index, n, q, sums);
            candidates_add_block(fine, b->m, &block, sums, bounds);
            n = 0;
        }
    }
}

static void pass_bounds(struct pass *p)
{
    struct view *v = p->b->view;
    p->bounds = xcalloc(v->count * p->n + 1, sizeof *p->bounds);
    for (size_t part = 0; part < v->count; part++)
        for (size_t i = 0; i < p->n; i++)
            p->bounds[part * p->n + i] =
                matrix_bounds(p->b->m, v->part[part].segment, &p->query[i], p->query[i].step8, p->query[i].error8);
}

/* --- by BLAS --- */

static void blas_flush(struct pass *p)
{
    size_t d = p->b->m->dimensions, rows = p->filled;
    float error = blas_error(d) + BOUND_SLACK;
    if (!rows)
        return;
    blas_products(p->unit, p->n, p->rows, rows, d, p->scores, BLAS_BLOCK_ROWS);
    for (size_t i = 0; i < p->n; i++) {
        const float *score = p->scores + i * BLAS_BLOCK_ROWS;
        struct candidates *c = &p->found[i];
        for (size_t j = 0; j < rows; j++)
            if (score[j] + error >= c->threshold)
                candidates_add(c, score[j] + error, score[j] - error, p->position[j]);
    }
    p->filled = 0;
}

static void blas_block(void *ctx, const struct view_block *b)
{
    struct pass *p = ctx;
    struct matrix *m = p->b->m;
    for (uint64_t mask = b->mask; mask; mask &= mask - 1) {
        uint32_t i = (uint32_t)__builtin_ctzll(mask), row = b->index ? b->index[i] : b->first + i;
        memcpy(p->rows + (size_t)p->filled * m->dimensions, rows_at(&m->rows, b->part->segment->slot[row]),
               m->dimensions * sizeof *p->rows);
        p->position[p->filled++] = b->part->ordinal << SEGMENT_SHIFT | row;
        if (p->filled == BLAS_BLOCK_ROWS)
            blas_flush(p);
    }
}

/* --- a pass --- */

static uint64_t walk_all(struct pass *p, void (*fn)(void *ctx, const struct view_block *))
{
    uint64_t matched = 0;
    for (size_t i = 0; i < p->b->view->count; i++) {
        const struct view_part *part = &p->b->view->part[i];
        matched += view_walk(p->b->m, part, 0, part->rows, p->b->filter, fn, p);
    }
    return matched;
}

static void pass_scan(struct pass *p)
{
    const struct matrix *m = p->b->m;
    uint64_t matched;
    if (m->kernel->tile) {
        size_t block = (size_t)KERNEL_BLOCK_ROWS * m->stride;
        p->rows8 = aligned(block);
        memset(p->rows8, 0, block);
        p->interleaved = aligned(block);
        pass_bounds(p);
        matched = walk_all(p, tile_block);
    } else {
        p->rows = aligned((size_t)BLAS_BLOCK_ROWS * m->dimensions * sizeof *p->rows);
        p->scores = aligned(p->n * BLAS_BLOCK_ROWS * sizeof *p->scores);
        p->position = aligned(BLAS_BLOCK_ROWS * sizeof *p->position);
        matched = walk_all(p, blas_block);
        blas_flush(p);
    }
    for (size_t i = 0; i < p->n; i++)
        p->found[i].matched = matched;
}

/* Settle query i of the pass, number `at` of the batch. */
static void pass_settle(struct pass *p, size_t i, size_t at, struct candidates *fine, struct matrix_trace *trace)
{
    struct batch *b = p->b;
    struct candidates *c = &p->found[i];
    struct matrix_hit *hits = b->hits + at * b->q->k;
    struct rescored r;
    if (b->m->kernel->tile) {
        refine(p, i, fine);
        c = fine;
    }
    candidates_rescore(c, b->m, b->view, p->query[i].unit, b->q->rescore_max, hits, NULL, &r);
    trace->scanned += c->matched;
    trace->rescored += r.read;
    trace->matched += c->matched;
    trace->exact = trace->exact && r.exact;
    b->counts[at] = r.count;
}

static void pass_run(struct batch *b, size_t first, size_t n, struct matrix_trace *trace)
{
    struct pass p = { .b = b, .query = b->query + first, .unit = b->unit + first * b->m->dimensions, .n = n };
    struct candidates fine;
    candidates_init(&fine, b->q->k);
    p.found = xcalloc(n, sizeof *p.found);
    for (size_t i = 0; i < n; i++)
        candidates_init(&p.found[i], b->q->k);
    pass_scan(&p);
    for (size_t i = 0; i < n; i++) {
        pass_settle(&p, i, first + i, &fine, trace);
        candidates_release(&p.found[i]);
    }
    candidates_release(&fine);
    free(p.found);
    free(p.bounds);
    free(p.rows8);
    free(p.interleaved);
    free(p.rows);
    free(p.scores);
    free(p.position);
}

static void batch_run(void *ctx, unsigned worker)
{
    struct batch *b = ctx;
    (void)worker;
    for (size_t slice; (slice = atomic_fetch_add(&b->next_slice, 1)) < b->slices;) {
        size_t from = b->queries * slice / b->slices, to = b->queries * (slice + 1) / b->slices;
        if (to > from)
            pass_run(b, from, to - from, &b->trace[slice]);
    }
}

static void batch_all(struct batch *b, struct matrix_trace *trace)
{
    unsigned workers = threads_count(b->m->threads);
    b->slices = (b->queries + BATCH_QUERIES - 1) / BATCH_QUERIES;
    b->slices = (b->slices + workers - 1) / workers * workers;
    b->trace = xcalloc(b->slices, sizeof *b->trace);
    for (size_t i = 0; i < b->slices; i++)
        b->trace[i].exact = true;
    if (!threads_run(b->m->threads, batch_run, b))
        batch_run(b, 0);
    for (size_t i = 0; i < b->slices; i++) {
        trace->matched += b->trace[i].matched;
        trace->scanned += b->trace[i].scanned;
        trace->rescored += b->trace[i].rescored;
        trace->exact = trace->exact && b->trace[i].exact;
    }
    free(b->trace);
}

/* A view that may show an item twice is for single searches, which look again. */
static bool one_by_one(const struct batch *b)
{
    size_t least = b->m->kernel->tile ? KERNEL_TILE_QUERIES : BLAS_QUERIES_MIN;
    return b->queries < least || b->view->suspect;
}

static void batch_view(struct batch *b, struct matrix_trace *trace)
{
    if (!one_by_one(b)) {
        batch_all(b, trace);
        return;
    }
    struct matrix_query q = *b->q;
    q.rows = NULL;
    for (size_t i = 0; i < b->queries; i++)
        matrix_search_view(b->m, b->view, b->filter, &q, &b->query[i], b->hits + i * q.k, &b->counts[i], trace);
}

static enum status batch_queries(struct batch *b, const float *vectors, void *memory, struct error *e)
{
    size_t d = b->m->dimensions, bytes = kernel_query_bytes(b->m->dimensions);
    for (size_t i = 0; i < b->queries; i++) {
        enum status s = matrix_normalise(vectors + i * d, b->m->dimensions, b->unit + i * d, e);
        if (s != OK)
            return e ? fail_context(e, "query %zu", i) : s;
        kernel_query_init(&b->query[i], b->unit + i * d, b->m->dimensions, (char *)memory + i * bytes);
    }
    return OK;
}

enum status matrix_search_batch(struct matrix *m, const struct matrix_query *q, const float *vectors, size_t queries,
                                struct matrix_hit *hits, size_t *counts, struct matrix_trace *trace, struct error *e)
{
    struct matrix_trace unused = { 0 };
    struct view_filter f;
    struct view v;
    trace = trace ? trace : &unused;
    *trace = (struct matrix_trace){ .exact = true };
    if (queries > MATRIX_BATCH_MAX)
        return fail(e, ST_LIMIT, "a batch has at most %d queries", MATRIX_BATCH_MAX);
    enum status s = matrix_query_check(q, e);
    if (s == OK)
        s = view_filter_init(&f, q->filter, e);
    if (s != OK || !queries)
        return s;
    struct batch b = { .m = m, .view = &v, .filter = &f, .q = q, .queries = queries, .hits = hits, .counts = counts };
    void *memory = aligned(queries * kernel_query_bytes(m->dimensions));
    b.query = xcalloc(queries, sizeof *b.query);
    b.unit = xcalloc(queries * m->dimensions, sizeof *b.unit);
    if ((s = batch_queries(&b, vectors, memory, e)) == OK) {
        view_open(&v, m, q->user);
        batch_view(&b, trace);
        view_close(&v);
    }
    free(b.query);
    free(b.unit);
    free(memory);
    return s;
}
