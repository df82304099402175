/* SPDX-License-Identifier: MIT
 * matrix_partition: the rows of one user from the writer's side: appending, killing, compacting.
 * Every change of the segment list is one pointer swap, so that a reader sees the rows before or after it.
 * A segment grows by doubling (with a new mean) up to SEGMENT_ROWS_MAX; a quarter dead and it is
 * rewritten, small ones into the tail: the space of deleted rows comes back by itself. */
#include "base/arena.h"
#include "embeddings/matrix_view.h"
#include <stdlib.h>
#include <string.h>

enum {
    TIDY_DEAD_MIN = 16,  /* dead rows under which a segment is left alone */
    TIDY_DEAD_SHARE = 4, /* rewritten when more than a quarter is dead */
};

static void drop_memory(void *ctx, void *object)
{
    (void)ctx;
    free(object);
}
static void drop_segment(void *ctx, void *object)
{
    (void)ctx;
    segment_free(object);
}
static void drop_slot(void *ctx, void *object)
{
    rows_drop(ctx, (uint32_t)(uintptr_t)object);
}

static struct segment_list *list_of(struct partition *p)
{
    return atomic_load_explicit(&p->list, memory_order_relaxed);
}

/* A copy of the list with room for `count` ordinals. */
static struct segment_list *list_copy(const struct segment_list *from, uint32_t count)
{
    struct segment_list *list = xcalloc(1, sizeof *list + count * sizeof(struct segment *));
    list->count = count;
    list->tail = from ? from->tail : 0;
    for (uint32_t i = 0; from && i < from->count && i < count; i++)
        list->segment[i] = from->segment[i];
    return list;
}

static void list_publish(struct matrix *m, struct partition *p, struct segment_list *list)
{
    struct segment_list *old = list_of(p);
    atomic_store(&p->list, list);
    if (old)
        epoch_retire(&m->epoch, drop_memory, NULL, old);
}

/* The living rows of `from` at the end of `to`. */
static void rows_move(struct matrix *m, struct segment *to, const struct segment *from, bool same_mean)
{
    for (uint32_t row = 0, n = segment_count(from); row < n; row++) {
        if (segment_dead(from, row))
            continue;
        struct segment_row r = segment_at(from, row);
        if (same_mean)
            segment_append_copy(to, from, row);
        else
            segment_append(to, &r, rows_at(&m->rows, r.slot));
    }
}

/* Their new positions in the index; `at` is the first one. */
static uint32_t index_move(struct partition *p, const struct segment *from, uint32_t ordinal, uint32_t at)
{
    for (uint32_t row = 0, n = segment_count(from); row < n; row++)
        if (!segment_dead(from, row))
            key_index_move(&p->index, item_type(from->packed[row]), from->id[row], ordinal << SEGMENT_SHIFT | row,
                           at++);
    return at;
}

static uint32_t capacity_for(uint32_t rows)
{
    return rows < SEGMENT_ROWS_MIN ? SEGMENT_ROWS_MIN : rows > SEGMENT_ROWS_MAX ? SEGMENT_ROWS_MAX : rows;
}

/* Replace segment `ordinal`, and the one at `other` (or ordinal again: none), by one without dead rows. */
static void rewrite(struct matrix *m, struct partition *p, uint32_t ordinal, uint32_t other, uint32_t capacity)
{
    struct segment_list *old = list_of(p);
    struct segment *from[2] = { old->segment[ordinal], old->segment[other] };
    size_t sources = ordinal == other ? 1 : 2;
    uint32_t live = segment_live(from[0]) + (sources == 2 ? segment_live(from[1]) : 0);
    bool same_mean = sources == 1 && live < 2 * from[0]->mean_rows;
    struct segment *to;
    if (same_mean) {
        to = segment_new(m->dimensions, capacity, from[0]->mean, from[0]->mean_rows);
    } else {
        float *mean = xcalloc(m->dimensions, sizeof *mean);
        segment_mean(from, sources, &m->rows, mean);
        to = segment_new(m->dimensions, capacity, mean, live);
        free(mean);
    }
    for (size_t i = 0; i < sources; i++)
        rows_move(m, to, from[i], same_mean);
    struct segment_list *list = list_copy(old, old->count);
    list->segment[other] = NULL;
    list->segment[ordinal] = to;
    list_publish(m, p, list);
    /* The rows that keep their ordinal first: the others move to numbers that these may still have had */
    uint32_t at = index_move(p, from[0], ordinal, ordinal << SEGMENT_SHIFT);
    epoch_retire(&m->epoch, drop_segment, NULL, from[0]);
    if (sources == 2) {
        index_move(p, from[1], other, at);
        epoch_retire(&m->epoch, drop_segment, NULL, from[1]);
    }
}

static uint32_t ordinal_unused(const struct segment_list *list)
{
    uint32_t i = 0;
    while (list && i < list->count && list->segment[i])
        i++;
    return i;
}

static void segment_place(struct matrix *m, struct partition *p, struct segment *s, uint32_t ordinal)
{
    struct segment_list *old = list_of(p);
    uint32_t count = old ? old->count : 0;
    struct segment_list *list = list_copy(old, ordinal < count ? count : ordinal + 1);
    list->segment[ordinal] = s;
    list->tail = ordinal;
    list_publish(m, p, list);
}

static struct segment *tail_of(struct partition *p)
{
    struct segment_list *list = list_of(p);
    return list ? list->segment[list->tail] : NULL;
}

/* The tail has room for one more row afterwards. */
static void tail_room(struct matrix *m, struct partition *p)
{
    struct segment *tail = tail_of(p);
    if (tail && segment_count(tail) < tail->capacity)
        return;
    if (!tail) {
        segment_place(m, p, segment_new(m->dimensions, SEGMENT_ROWS_MIN, NULL, 0), ordinal_unused(list_of(p)));
        return;
    }
    uint32_t live = segment_live(tail);
    if (tail->capacity < SEGMENT_ROWS_MAX || live < SEGMENT_ROWS_MAX - SEGMENT_ROWS_MAX / TIDY_DEAD_SHARE) {
        rewrite(m, p, list_of(p)->tail, list_of(p)->tail, capacity_for(2 * live));
        return;
    }
    struct segment *next = segment_new(m->dimensions, SEGMENT_ROWS_MAX, tail->mean, tail->mean_rows);
    segment_place(m, p, next, ordinal_unused(list_of(p)));
}

uint32_t partition_append(struct matrix *m, struct partition *p, const struct segment_row *r, const float *unit)
{
    tail_room(m, p);
    return list_of(p)->tail << SEGMENT_SHIFT | segment_append(tail_of(p), r, unit);
}

void partition_kill(struct matrix *m, struct partition *p, uint32_t position, bool slot_too)
{
    struct segment *s = list_of(p)->segment[position >> SEGMENT_SHIFT];
    uint32_t row = position & (SEGMENT_ROWS_MAX - 1);
    segment_kill(s, row);
    if (slot_too)
        epoch_retire(&m->epoch, drop_slot, &m->rows, (void *)(uintptr_t)s->slot[row]);
}

void partition_tidy(struct matrix *m, struct partition *p, uint32_t ordinal, bool forced)
{
    struct segment *s = list_of(p)->segment[ordinal], *tail = tail_of(p);
    if (!s || s->dead_count == 0)
        return;
    if (!forced && (s->dead_count <= TIDY_DEAD_MIN || s->dead_count <= segment_count(s) / TIDY_DEAD_SHARE))
        return;
    uint32_t live = segment_live(s);
    if (!live) {
        struct segment_list *list = list_copy(list_of(p), list_of(p)->count);
        list->segment[ordinal] = NULL;
        list_publish(m, p, list);
        epoch_retire(&m->epoch, drop_segment, NULL, s);
    } else if (s == tail) {
        rewrite(m, p, ordinal, ordinal, capacity_for(live + live / 4));
    } else if (tail && live + segment_live(tail) <= SEGMENT_ROWS_MAX / 2) {
        rewrite(m, p, list_of(p)->tail, ordinal, SEGMENT_ROWS_MAX);
    } else {
        rewrite(m, p, ordinal, ordinal, capacity_for(live));
    }
}

void partition_adopt(struct matrix *m, struct partition *p, struct segment *s)
{
    segment_place(m, p, s, ordinal_unused(list_of(p)));
    const struct segment_list *list = list_of(p);
    for (uint32_t row = 0, n = segment_count(s); row < n; row++)
        key_index_add(&p->index, list, item_type(s->packed[row]), s->id[row], list->tail << SEGMENT_SHIFT | row);
}

void partition_free(struct partition *p)
{
    struct segment_list *list = list_of(p);
    for (uint32_t i = 0; list && i < list->count; i++)
        segment_free(list->segment[i]);
    free(list);
    key_index_release(&p->index);
    free(p);
}

size_t matrix_remove_user(struct matrix *m, int64_t user)
{
    pthread_mutex_lock(&m->writer);
    struct partition *p = matrix_partition(m, user);
    size_t removed = p ? p->index.count : 0;
    struct segment_list *old = p ? list_of(p) : NULL;
    if (old) {
        atomic_store(&p->list, NULL);
        for (uint32_t i = 0; i < old->count; i++) {
            struct segment *s = old->segment[i];
            if (!s)
                continue;
            for (uint32_t row = 0, n = segment_count(s); row < n; row++)
                if (!segment_dead(s, row))
                    epoch_retire(&m->epoch, drop_slot, &m->rows, (void *)(uintptr_t)s->slot[row]);
            epoch_retire(&m->epoch, drop_segment, NULL, s);
        }
        epoch_retire(&m->epoch, drop_memory, NULL, old);
        key_index_release(&p->index);
    }
    epoch_reclaim(&m->epoch);
    pthread_mutex_unlock(&m->writer);
    return removed;
}
