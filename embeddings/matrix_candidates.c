/* SPDX-License-Identifier: MIT
 * matrix_candidates: see the header.  Called by searches, on their threads. */
#include "embeddings/matrix_candidates.h"
#include "base/arena.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CANDIDATES_START = 1024 };

void candidates_init(struct candidates *c, uint32_t k)
{
    memset(c, 0, sizeof *c);
    c->k = k;
    c->heap = xcalloc(k, sizeof *c->heap);
    c->threshold = -INFINITY;
}

void candidates_release(struct candidates *c)
{
    free(c->heap);
    free(c->list);
}

void candidates_clear(struct candidates *c)
{
    c->heap_count = 0;
    c->count = 0;
    c->matched = 0;
    c->threshold = -INFINITY;
}

static void sift_down(float *heap, uint32_t count)
{
    float moved = heap[0];
    uint32_t i = 0;
    for (uint32_t child; (child = 2 * i + 1) < count; i = child) {
        if (child + 1 < count && heap[child + 1] < heap[child])
            child++;
        if (heap[child] >= moved)
            break;
        heap[i] = heap[child];
    }
    heap[i] = moved;
}

static void heap_add(struct candidates *c, float lower)
{
    if (c->heap_count < c->k) {
        uint32_t i = c->heap_count++;
        for (; i && c->heap[(i - 1) / 2] > lower; i = (i - 1) / 2)
            c->heap[i] = c->heap[(i - 1) / 2];
        c->heap[i] = lower;
    } else if (lower > c->heap[0]) {
        c->heap[0] = lower;
        sift_down(c->heap, c->heap_count);
    } else {
        return;
    }
    if (c->heap_count == c->k && c->heap[0] > c->threshold)
        c->threshold = c->heap[0];
}

void candidates_prune(struct candidates *c)
{
    size_t kept = 0;
    for (size_t i = 0; i < c->count; i++)
        if (c->list[i].upper >= c->threshold)
            c->list[kept++] = c->list[i];
    c->count = kept;
}

void candidates_add(struct candidates *c, float upper, float lower, uint32_t position)
{
    if (c->count == c->capacity) {
        candidates_prune(c);
        if (c->count >= c->capacity / 2) {
            c->capacity = c->capacity ? 2 * c->capacity : CANDIDATES_START;
            c->list = xrealloc(c->list, c->capacity * sizeof *c->list);
        }
    }
    c->list[c->count++] = (struct candidate){ upper, lower, position };
    heap_add(c, lower);
}

void candidates_merge(struct candidates *c, const struct candidates *from)
{
    if (from->threshold > c->threshold)
        c->threshold = from->threshold;
    for (size_t i = 0; i < from->count; i++)
        if (from->list[i].upper >= c->threshold)
            candidates_add(c, from->list[i].upper, from->list[i].lower, from->list[i].position);
    c->matched += from->matched;
}

void candidates_add_block(struct candidates *c, const struct matrix *m, const struct view_block *b, const int32_t *sums,
                          struct kernel_bounds bounds)
{
    const struct segment *s = b->part->segment;
    const struct kernel_row *row = s->row + b->first;
    struct kernel_row few[KERNEL_BLOCK_ROWS];
    float upper[KERNEL_BLOCK_ROWS];
    if (b->index || b->n < KERNEL_BLOCK_ROWS) {
        memset(few, 0, sizeof few);
        for (uint32_t i = 0; i < b->n; i++)
            few[i] = s->row[b->index ? b->index[i] : b->first + i];
        row = few;
    }
    bounds.threshold = c->threshold;
    uint64_t keep = m->kernel->bounds(&bounds, row, sums, b->n, upper) & b->mask;
    for (; keep; keep &= keep - 1) {
        uint32_t i = (uint32_t)__builtin_ctzll(keep);
        if (upper[i] < c->threshold)
            continue;
        float lower = upper[i] - 2 * (row[i].resid + bounds.slack);
        uint32_t at = b->index ? b->index[i] : b->first + i;
        candidates_add(c, upper[i], lower, b->part->ordinal << SEGMENT_SHIFT | at);
    }
}

/* --- the exact scores --- */

struct scored {
    struct matrix_hit hit;
    uint32_t position;
    const float *row;
};

static bool before(const struct matrix_hit *a, const struct matrix_hit *b)
{
    if (a->score != b->score)
        return a->score > b->score;
    return a->type != b->type ? a->type < b->type : a->id < b->id;
}

/* Into the k best, best first; returns their number. */
static size_t best_insert(struct scored *best, size_t count, size_t k, const struct scored *s)
{
    if (count == k && !before(&s->hit, &best[count - 1].hit))
        return count;
    size_t i = count < k ? count++ : count - 1;
    for (; i && before(&s->hit, &best[i - 1].hit); i--)
        best[i] = best[i - 1];
    best[i] = *s;
    return count;
}

static int upper_first(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    if (x->upper != y->upper)
        return x->upper > y->upper ? -1 : 1;
    return x->position < y->position ? -1 : x->position > y->position;
}

/* The older version of an item that is there twice counts as dead from now on. */
static bool twins_resolve(struct view *v, const struct scored *best, size_t count)
{
    bool found = false;
    for (size_t i = 0; v->suspect && i < count; i++)
        for (size_t j = i + 1; j < count; j++) {
            if (best[i].hit.id != best[j].hit.id || best[i].hit.type != best[j].hit.type)
                continue;
            /* Replacements go to the end of the tail */
            uint32_t a = best[i].position, b = best[j].position, tail = v->tail;
            bool a_older = a >> SEGMENT_SHIFT == b >> SEGMENT_SHIFT ? a < b : b >> SEGMENT_SHIFT == tail;
            uint32_t older = a_older ? a : b, row = older & (SEGMENT_ROWS_MAX - 1);
            view_part_at(v, older)->dead[row / 64] |= (uint64_t)1 << (row % 64);
            found = true;
        }
    return found;
}

static struct scored score_one(struct matrix *m, struct view *v, const float *unit, uint32_t position)
{
    const struct segment *s = view_part_at(v, position)->segment;
    uint32_t at = position & (SEGMENT_ROWS_MAX - 1);
    const float *row = rows_at(&m->rows, s->slot[at]);
    float score = (float)m->kernel->dot(unit, row, m->dimensions);
    return (struct scored){ { s->id[at], item_type(s->packed[at]), score }, position, row };
}

void candidates_rescore(struct candidates *c, struct matrix *m, struct view *v, const float *unit, uint32_t rescore_max,
                        struct matrix_hit *hits, float *rows, struct rescored *out)
{
    struct scored *best = xcalloc(c->k, sizeof *best);
    *out = (struct rescored){ .exact = true };
    candidates_prune(c);
    if (c->count)
        qsort(c->list, c->count, sizeof *c->list, upper_first);
    for (size_t i = 0; i < c->count; i++) {
        if (out->count == c->k && c->list[i].upper < best[c->k - 1].hit.score)
            break; /* and so are all that follow */
        if (rescore_max && i >= rescore_max) {
            out->exact = false;
            break;
        }
        struct scored s = score_one(m, v, unit, c->list[i].position);
        out->count = best_insert(best, out->count, c->k, &s);
        out->read++;
    }
    out->twice = twins_resolve(v, best, out->count);
    for (size_t i = 0; i < out->count; i++) {
        hits[i] = best[i].hit;
        if (rows)
            memcpy(rows + i * m->dimensions, best[i].row, m->dimensions * sizeof *rows);
    }
    free(best);
}
