/* SPDX-License-Identifier: MIT
 * matrix_segment: up to 65,536 rows of one user, as columns.
 * Row x is kept as mean + scale × c + e with c in int8 and |e| <= resid (kernel.h); the fp32 row itself is a slot of
 * matrix_rows.h.  Rows are only appended; a row never changes once `count` covers it, it can only die.
 * One writer; readers load `count` first and look at nothing beyond. */
#ifndef EMBEDDINGS_MATRIX_SEGMENT_H
#define EMBEDDINGS_MATRIX_SEGMENT_H

#include "embeddings/kernel.h"
#include "embeddings/matrix.h"
#include "embeddings/matrix_rows.h"
#include <stdatomic.h>

enum {
    SEGMENT_ROWS_MAX = 65536, /* 25 MB of codes at 384 dimensions: what one compaction rewrites */
    SEGMENT_ROWS_MIN = 16,
    SEGMENT_SHIFT = 16, /* a position is ordinal << SEGMENT_SHIFT | row */
};

struct segment {
    uint32_t dimensions, stride, capacity;
    uint32_t mean_rows;     /* how many rows the mean was taken from; 0 = the mean is the origin */
    _Atomic uint32_t count; /* rows written; released after their columns */
    uint32_t dead_count;    /* writer only */
    _Atomic float radius;   /* the largest |scale × c| */
    float *mean;
    uint8_t *codes;
    struct kernel_row *row;
    int64_t *id;
    uint32_t *packed; /* day, type, done: kernel.h */
    uint32_t *category;
    uint32_t *slot;
    _Atomic uint64_t *dead; /* a bit a row */
};

/* What a row is beside its vector. */
struct segment_row {
    int64_t id;
    uint32_t packed, category, slot;
};

struct segment *segment_new(uint32_t dimensions, uint32_t capacity, const float *mean, uint32_t mean_rows);
void segment_free(struct segment *);

static inline uint32_t segment_count(const struct segment *s)
{
    return atomic_load_explicit(&s->count, memory_order_acquire);
}
static inline bool segment_dead(const struct segment *s, uint32_t row)
{
    return atomic_load_explicit(&s->dead[row / 64], memory_order_relaxed) >> (row % 64) & 1;
}
static inline uint32_t segment_live(const struct segment *s)
{ /* writer only */
    return segment_count(s) - s->dead_count;
}

/* The writer.  There must be room; returns the row's number. */
uint32_t segment_append(struct segment *, const struct segment_row *, const float *unit);
/* The same, the codes taken from a segment with the same mean. */
uint32_t segment_append_copy(struct segment *, const struct segment *from, uint32_t row);
void segment_kill(struct segment *, uint32_t row); /* must be alive */
struct segment_row segment_at(const struct segment *, uint32_t row);

/* The mean of the living rows of the segments (a sample when there are many) in out; how many rows there are. */
uint32_t segment_mean(struct segment *const *segments, size_t count, struct rows *, float *out);

uint32_t item_pack(const struct matrix_item *); /* the `packed` column; the item must be in range */
void item_unpack(uint32_t packed, struct matrix_item *);
static inline uint32_t item_type(uint32_t packed)
{
    return packed >> KERNEL_TYPE_SHIFT & KERNEL_TYPE_MASK;
}

#endif
