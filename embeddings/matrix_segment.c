/* SPDX-License-Identifier: MIT
 * matrix_segment: see the header.  Called by the matrix's writer; the columns are read by searches. */
#include "embeddings/matrix_segment.h"
#include "base/arena.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    HUGE_PAGE = 2 << 20,
    MEAN_SAMPLE_MAX = 4096, /* rows a mean is taken from: beyond, the residuals no longer change */
};

/* Memory that is only used as far as it is written; large pieces in huge pages, which a scan needs for its TLB. */
static void *column(size_t bytes)
{
    bool huge = bytes >= 2 * HUGE_PAGE;
    size_t align = huge ? HUGE_PAGE : KERNEL_ALIGN;
    void *p = aligned_alloc(align, (bytes + align - 1) / align * align);
    if (!p)
        abort();
    if (huge)
        (void)madvise(p, bytes, MADV_HUGEPAGE);
    return p;
}

struct segment *segment_new(uint32_t dimensions, uint32_t capacity, const float *mean, uint32_t mean_rows)
{
    struct segment *s = xcalloc(1, sizeof *s);
    s->dimensions = dimensions;
    s->stride = kernel_stride(dimensions);
    s->capacity = capacity;
    s->mean_rows = mean_rows;
    s->mean = xcalloc(dimensions, sizeof *s->mean);
    if (mean)
        memcpy(s->mean, mean, dimensions * sizeof *s->mean);
    s->codes = column((size_t)capacity * s->stride);
    s->row = column(capacity * sizeof *s->row);
    s->id = column(capacity * sizeof *s->id);
    s->packed = column(capacity * sizeof *s->packed);
    s->category = column(capacity * sizeof *s->category);
    s->slot = column(capacity * sizeof *s->slot);
    s->dead = xcalloc((capacity + 63) / 64, sizeof *s->dead);
    return s;
}

void segment_free(struct segment *s)
{
    if (!s)
        return;
    free(s->mean);
    free(s->codes);
    free(s->row);
    free(s->id);
    free(s->packed);
    free(s->category);
    free(s->slot);
    free(s->dead);
    free(s);
}

/* Everything but the codes, then show the row to readers. */
static uint32_t publish(struct segment *s, const struct segment_row *r)
{
    uint32_t row = atomic_load_explicit(&s->count, memory_order_relaxed);
    s->id[row] = r->id;
    s->packed[row] = r->packed;
    s->category[row] = r->category;
    s->slot[row] = r->slot;
    atomic_store_explicit(&s->count, row + 1, memory_order_release);
    return row;
}

static void radius_raise(struct segment *s, float radius)
{
    if (radius > atomic_load_explicit(&s->radius, memory_order_relaxed))
        atomic_store_explicit(&s->radius, radius, memory_order_relaxed);
}

uint32_t segment_append(struct segment *s, const struct segment_row *r, const float *unit)
{
    uint32_t row = atomic_load_explicit(&s->count, memory_order_relaxed);
    radius_raise(s, kernel_encode(unit, s->mean, s->dimensions, s->codes + (size_t)row * s->stride, &s->row[row]));
    return publish(s, r);
}

uint32_t segment_append_copy(struct segment *s, const struct segment *from, uint32_t row)
{
    uint32_t at = atomic_load_explicit(&s->count, memory_order_relaxed);
    memcpy(s->codes + (size_t)at * s->stride, from->codes + (size_t)row * s->stride, s->stride);
    s->row[at] = from->row[row];
    radius_raise(s, atomic_load_explicit(&from->radius, memory_order_relaxed));
    struct segment_row r = segment_at(from, row);
    return publish(s, &r);
}

void segment_kill(struct segment *s, uint32_t row)
{
    atomic_fetch_or(&s->dead[row / 64], (uint64_t)1 << (row % 64));
    s->dead_count++;
}

struct segment_row segment_at(const struct segment *s, uint32_t row)
{
    return (struct segment_row){ s->id[row], s->packed[row], s->category[row], s->slot[row] };
}

uint32_t segment_mean(struct segment *const *segments, size_t count, struct rows *rows, float *out)
{
    uint32_t live = 0, dimensions = segments[0]->dimensions;
    for (size_t i = 0; i < count; i++)
        live += segment_live(segments[i]);
    double *sum = xcalloc(dimensions, sizeof *sum);
    uint32_t step = live / MEAN_SAMPLE_MAX + 1, seen = 0, taken = 0;
    for (size_t i = 0; i < count; i++)
        for (uint32_t row = 0, n = segment_count(segments[i]); row < n; row++) {
            if (segment_dead(segments[i], row) || seen++ % step != 0)
                continue;
            const float *x = rows_at(rows, segments[i]->slot[row]);
            for (uint32_t j = 0; j < dimensions; j++)
                sum[j] += x[j];
            taken++;
        }
    for (uint32_t j = 0; j < dimensions; j++)
        out[j] = taken ? (float)(sum[j] / taken) : 0;
    free(sum);
    return live;
}

uint32_t item_pack(const struct matrix_item *item)
{
    uint32_t day = item->day == MATRIX_DAY_NONE ? 0 : (uint32_t)(item->day - MATRIX_DAY_MIN) + 1;
    return day << KERNEL_DAY_SHIFT | item->type << KERNEL_TYPE_SHIFT | (item->done ? KERNEL_DONE : 0u);
}

void item_unpack(uint32_t packed, struct matrix_item *item)
{
    uint32_t day = packed >> KERNEL_DAY_SHIFT;
    item->day = day ? (int32_t)(day - 1) + MATRIX_DAY_MIN : MATRIX_DAY_NONE;
    item->type = item_type(packed);
    item->done = (packed & KERNEL_DONE) != 0;
}
