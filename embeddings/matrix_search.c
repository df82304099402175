/* SPDX-License-Identifier: MIT
 * matrix_search: one query against one user's rows.
 * Scan the codes once, keep the rows whose upper bound reaches the k-th best lower bound, settle those by their
 * fp32 vectors.  Runs on the caller, with helpers when there is enough to read; takes no lock. */
#include "base/arena.h"
#include "embeddings/blas.h"
#include "embeddings/matrix_candidates.h"
#include "embeddings/matrix_search.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SHARE_BYTES_MIN = 4 << 20 }; /* codes under which handing work to another thread costs more than it saves */

struct chunk {
    uint32_t part, from;
};

struct scan {
    struct matrix *m;
    struct view *view;
    const struct view_filter *filter;
    const struct kernel_query *query;
    struct kernel_bounds *bounds; /* one per part */
    struct chunk *chunk;
    uint32_t chunks;
    _Atomic uint32_t next;
    _Atomic float threshold; /* the highest any thread knows */
    struct candidates *worker;
};

struct scan_worker {
    struct scan *scan;
    struct candidates *found;
};

struct kernel_bounds matrix_bounds(const struct matrix *m, const struct segment *s, const struct kernel_query *q,
                                   float step, float error)
{
    float radius = atomic_load_explicit(&s->radius, memory_order_relaxed);
    return (struct kernel_bounds){
        .base = (float)m->kernel->dot(q->unit, s->mean, m->dimensions),
        .step = step,
        .slack = error * radius + BOUND_SLACK,
    };
}

static void scan_block(void *ctx, const struct view_block *b)
{
    struct scan_worker *w = ctx;
    const struct scan *s = w->scan;
    const struct segment *g = b->part->segment;
    int32_t sums[KERNEL_BLOCK_ROWS];
    if (b->n < KERNEL_BLOCK_ROWS)
        memset(sums, 0, sizeof sums);
    s->m->kernel->scan(g->codes + (size_t)b->first * g->stride, g->stride, b->index, b->n, s->query, sums);
    candidates_add_block(w->found, s->m, b, sums, s->bounds[b->part - s->view->part]);
}

/* Tell the others of a better threshold, learn theirs. */
static void threshold_share(struct scan *s, struct candidates *c)
{
    float known = atomic_load_explicit(&s->threshold, memory_order_relaxed);
    while (c->threshold > known && !atomic_compare_exchange_weak(&s->threshold, &known, c->threshold))
        ;
    if (known > c->threshold)
        c->threshold = known;
}

static void scan_run(void *ctx, unsigned worker)
{
    struct scan *s = ctx;
    struct candidates *found = &s->worker[worker];
    struct scan_worker w = { s, found };
    for (uint32_t i; (i = atomic_fetch_add_explicit(&s->next, 1, memory_order_relaxed)) < s->chunks;) {
        const struct view_part *part = &s->view->part[s->chunk[i].part];
        uint32_t from = s->chunk[i].from, rest = part->rows - from;
        uint32_t to = from + (rest < VIEW_CHUNK_ROWS ? rest : VIEW_CHUNK_ROWS);
        threshold_share(s, found);
        found->matched += view_walk(s->m, part, from, to, s->filter, scan_block, &w);
    }
}

static void scan_plan(struct scan *s)
{
    const struct view *v = s->view;
    uint32_t chunks = 0;
    for (size_t i = 0; i < v->count; i++)
        chunks += (v->part[i].rows + VIEW_CHUNK_ROWS - 1) / VIEW_CHUNK_ROWS;
    s->chunk = xcalloc(chunks + 1, sizeof *s->chunk);
    s->bounds = xcalloc(v->count + 1, sizeof *s->bounds);
    for (uint32_t i = 0; i < v->count; i++) {
        s->bounds[i] = matrix_bounds(s->m, v->part[i].segment, s->query, s->query->step16, s->query->error16);
        for (uint32_t from = 0; from < v->part[i].rows; from += VIEW_CHUNK_ROWS)
            s->chunk[s->chunks++] = (struct chunk){ i, from };
    }
}

/* What may be among the k best, in `all`. */
static void scan_view(struct matrix *m, struct view *v, const struct view_filter *f, const struct kernel_query *q,
                      struct candidates *all)
{
    unsigned workers = v->rows * m->stride >= SHARE_BYTES_MIN ? threads_count(m->threads) : 1;
    struct scan s = { .m = m, .view = v, .filter = f, .query = q };
    atomic_init(&s.threshold, -INFINITY);
    scan_plan(&s);
    s.worker = xcalloc(workers, sizeof *s.worker);
    for (unsigned i = 0; i < workers; i++)
        candidates_init(&s.worker[i], all->k);
    if (workers == 1 || !threads_run(m->threads, scan_run, &s))
        scan_run(&s, 0);
    for (unsigned i = 0; i < workers; i++) {
        candidates_merge(all, &s.worker[i]);
        candidates_release(&s.worker[i]);
    }
    free(s.worker);
    free(s.chunk);
    free(s.bounds);
}

enum status matrix_query_check(const struct matrix_query *q, struct error *e)
{
    if (q->k < 1 || q->k > MATRIX_HITS_MAX)
        return fail(e, ST_INVALID, "a search returns 1 to %d items, not %u", MATRIX_HITS_MAX, q->k);
    return OK;
}

void matrix_search_view(struct matrix *m, struct view *v, const struct view_filter *f, const struct matrix_query *q,
                        const struct kernel_query *kq, struct matrix_hit *hits, size_t *count,
                        struct matrix_trace *trace)
{
    struct candidates all;
    struct rescored r;
    candidates_init(&all, q->k);
    do {
        candidates_clear(&all);
        scan_view(m, v, f, kq, &all);
        candidates_rescore(&all, m, v, kq->unit, q->rescore_max, hits, q->rows, &r);
        trace->scanned += all.matched;
        trace->rescored += r.read;
    } while (r.twice);
    trace->matched += all.matched;
    trace->exact = trace->exact && r.exact;
    *count = r.count;
    candidates_release(&all);
}

enum status matrix_search(struct matrix *m, const struct matrix_query *q, const float *vector, struct matrix_hit *hits,
                          size_t *count, struct matrix_trace *trace, struct error *e)
{
    struct matrix_trace unused = { 0 };
    struct view_filter f;
    struct view v;
    *count = 0;
    enum status s = matrix_query_check(q, e);
    if (s == OK)
        s = view_filter_init(&f, q->filter, e);
    if (s != OK)
        return s;
    float *unit = xcalloc(m->dimensions, sizeof *unit);
    if ((s = matrix_normalise(vector, m->dimensions, unit, e)) == OK) {
        void *memory = aligned_alloc(KERNEL_ALIGN, kernel_query_bytes(m->dimensions));
        if (!memory)
            abort();
        struct kernel_query kq;
        kernel_query_init(&kq, unit, m->dimensions, memory);
        trace = trace ? trace : &unused;
        *trace = (struct matrix_trace){ .exact = true };
        view_open(&v, m, q->user);
        matrix_search_view(m, &v, &f, q, &kq, hits, count, trace);
        view_close(&v);
        free(memory);
    }
    free(unit);
    return s;
}

enum status matrix_gram(const float *rows, size_t count, uint32_t dimensions, float *out, struct error *e)
{
    if (count > MATRIX_GRAM_ROWS_MAX)
        return fail(e, ST_LIMIT, "a Gram matrix has at most %d rows", MATRIX_GRAM_ROWS_MAX);
    if (count)
        blas_products(rows, count, rows, count, dimensions, out, count);
    return OK;
}
