/* SPDX-License-Identifier: MIT
 * matrix_view: what one search sees of a user's rows, and which of them its filter lets through.
 * Runs on the searching threads; takes no lock. */
#include "embeddings/matrix_view.h"
#include "base/arena.h"
#include <stdlib.h>
#include <string.h>

/* Room for the parts and the copies of their dead bits. */
static void view_room(struct view *v, const struct segment_list *list)
{
    size_t words = 0;
    for (uint32_t i = 0; i < list->count; i++)
        words += list->segment[i] ? (list->segment[i]->capacity + 63) / 64 : 0;
    if (list->count > v->capacity) {
        v->capacity = list->count;
        v->part = xrealloc(v->part, v->capacity * sizeof *v->part);
    }
    if (words > v->dead_capacity) {
        v->dead_capacity = words;
        v->dead_memory = xrealloc(v->dead_memory, words * sizeof *v->dead_memory);
    }
}

/* Dead bits first, counts second: the replacement of a row that was dead by then is then among the rows counted. */
static void view_fill(struct view *v, const struct segment_list *list)
{
    uint64_t *words = v->dead_memory;
    v->count = 0;
    v->tail = list->tail;
    v->rows = 0;
    for (uint32_t i = 0; i < list->count; i++) {
        const struct segment *s = list->segment[i];
        if (!s)
            continue;
        struct view_part *part = &v->part[v->count++];
        *part = (struct view_part){ .segment = s, .ordinal = i, .dead = words };
        for (uint32_t w = 0; w < (s->capacity + 63) / 64; w++)
            *words++ = atomic_load_explicit(&s->dead[w], memory_order_acquire);
    }
    for (size_t i = 0; i < v->count; i++) {
        v->part[i].rows = segment_count(v->part[i].segment);
        v->rows += v->part[i].rows;
    }
}

void view_open_within(struct view *v, struct partition *p)
{
    memset(v, 0, sizeof *v);
    while (p) {
        uint32_t before = atomic_load(&p->replacing);
        struct segment_list *list = atomic_load(&p->list);
        if (!list) {
            v->count = 0;
            v->rows = 0;
            return;
        }
        view_room(v, list);
        view_fill(v, list);
        v->suspect = (before & 1) || atomic_load(&p->replacing) != before;
        /* A list that was replaced meanwhile may lack the newest rows; that is rare: growth and compaction */
        if (atomic_load(&p->list) == list)
            return;
    }
}

void view_open(struct view *v, struct matrix *m, int64_t user)
{
    struct epoch_reader *reader = epoch_enter(&m->epoch);
    view_open_within(v, matrix_partition(m, user));
    v->reader = reader;
}

void view_close(struct view *v)
{
    if (v->reader)
        epoch_leave(v->reader);
    free(v->part);
    free(v->dead_memory);
}

struct view_part *view_part_at(struct view *v, uint32_t position)
{
    size_t i = 0;
    while (v->part[i].ordinal != position >> SEGMENT_SHIFT)
        i++;
    return &v->part[i];
}

/* --- filters --- */

static uint32_t day_packed(int32_t day)
{
    int32_t in = day < MATRIX_DAY_MIN ? MATRIX_DAY_MIN : day > MATRIX_DAY_MAX ? MATRIX_DAY_MAX : day;
    return (uint32_t)(in - MATRIX_DAY_MIN) + 1;
}

enum status view_filter_init(struct view_filter *f, const struct matrix_filter *from, struct error *e)
{
    memset(f, 0, sizeof *f);
    f->match = (struct kernel_match){ .day_span = UINT32_MAX, .types = UINT32_MAX };
    f->all = true;
    if (!from)
        return OK;
    if (from->categories_count > MATRIX_CATEGORIES_MAX)
        return fail(e, ST_LIMIT, "a filter names at most %d categories", MATRIX_CATEGORIES_MAX);
    if (from->types)
        f->match.types = from->types;
    if (from->state != MATRIX_ANY) {
        f->match.state_mask = KERNEL_DONE;
        f->match.state = from->state == MATRIX_DONE ? KERNEL_DONE : 0;
    }
    if (from->dated) {
        f->match.day_from = day_packed(from->day_from);
        f->match.day_span = day_packed(from->day_to) - f->match.day_from;
        if (from->day_from > from->day_to || from->day_to < MATRIX_DAY_MIN || from->day_from > MATRIX_DAY_MAX)
            f->match.types = 0; /* no day at all */
    }
    for (size_t i = 0; i < from->categories_count; i++) {
        int64_t c = from->categories[i];
        if (c >= 0 && c <= UINT32_MAX)
            f->categories[f->categories_count++] = (uint32_t)c;
    }
    if (from->categories_count && !f->categories_count)
        f->match.types = 0; /* none that could exist */
    f->packed = from->types || from->state != MATRIX_ANY || from->dated || !f->match.types;
    f->all = !f->packed && !f->categories_count;
    return OK;
}

/* Which of the n <= 64 rows from `first` on match and live. */
static uint64_t block_mask(const struct matrix *m, const struct view_part *part, uint32_t first, uint32_t n,
                           const struct view_filter *f)
{
    uint64_t mask = n == 64 ? ~(uint64_t)0 : ((uint64_t)1 << n) - 1;
    mask &= ~part->dead[first / 64];
    if (f->all || !mask)
        return mask;
    const uint32_t *packed = part->segment->packed + first, *category = part->segment->category + first;
    uint32_t few[2][KERNEL_BLOCK_ROWS];
    if (n < KERNEL_BLOCK_ROWS) { /* what lies behind may be written at this moment */
        memset(few, 0, sizeof few);
        memcpy(few[0], packed, n * sizeof *packed);
        memcpy(few[1], category, n * sizeof *category);
        packed = few[0];
        category = few[1];
    }
    if (f->packed)
        mask &= m->kernel->match(&f->match, packed, n);
    if (mask && f->categories_count)
        mask &= m->kernel->member(f->categories, f->categories_count, category, n);
    return mask;
}

enum { DENSE_ROWS = 24 }; /* of 64: from here on reading the whole block costs less than gathering */

struct gather {
    uint32_t index[2 * KERNEL_BLOCK_ROWS];
    uint32_t n;
};

static void gather_add(struct gather *g, const struct segment *s, uint32_t first, uint64_t mask)
{
    for (; mask; mask &= mask - 1) {
        uint32_t row = first + (uint32_t)__builtin_ctzll(mask);
        const uint8_t *codes = s->codes + (size_t)row * s->stride;
        for (uint32_t j = 0; j < s->stride; j += KERNEL_ALIGN)
            __builtin_prefetch(codes + j);
        __builtin_prefetch(&s->row[row]);
        g->index[g->n++] = row;
    }
}

static void gather_flush(struct gather *g, uint32_t keep, const struct view_part *part,
                         void (*fn)(void *ctx, const struct view_block *), void *ctx)
{
    uint32_t n = g->n < KERNEL_BLOCK_ROWS ? g->n : KERNEL_BLOCK_ROWS;
    if (g->n <= keep)
        return;
    struct view_block block = { .part = part, .index = g->index, .n = n };
    block.mask = n == 64 ? ~(uint64_t)0 : ((uint64_t)1 << n) - 1;
    fn(ctx, &block);
    memmove(g->index, g->index + n, (g->n - n) * sizeof *g->index);
    g->n -= n;
}

uint64_t view_walk(const struct matrix *m, const struct view_part *part, uint32_t from, uint32_t to,
                   const struct view_filter *f, void (*fn)(void *ctx, const struct view_block *), void *ctx)
{
    struct gather g;
    g.n = 0;
    uint64_t matched = 0;
    for (uint32_t first = from; first < to; first += KERNEL_BLOCK_ROWS) {
        uint32_t n = to - first < KERNEL_BLOCK_ROWS ? to - first : KERNEL_BLOCK_ROWS;
        uint64_t mask = block_mask(m, part, first, n, f);
        int rows = __builtin_popcountll(mask);
        matched += (uint64_t)rows;
        if (rows >= DENSE_ROWS || (rows && (uint32_t)rows == n)) {
            fn(ctx, &(struct view_block){ .part = part, .first = first, .n = n, .mask = mask });
        } else if (rows) {
            gather_add(&g, part->segment, first, mask);
            gather_flush(&g, KERNEL_BLOCK_ROWS - 1, part, fn, ctx);
        }
    }
    gather_flush(&g, 0, part, fn, ctx);
    return matched;
}
