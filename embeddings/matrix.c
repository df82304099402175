/* SPDX-License-Identifier: MIT
 * matrix: making one, its writers and its accounts.  The rows of a user are matrix_partition.c's, searches
 * matrix_search.c's and matrix_batch.c's.  Writers take `writer`; nothing here waits for a reader. */
#include "embeddings/matrix.h"
#include "base/arena.h"
#include "embeddings/matrix_view.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { USERS_CAPACITY_MIN = 16 };

static struct user_table *users_new(uint32_t capacity)
{
    struct user_table *t = xcalloc(1, sizeof *t + capacity * sizeof t->at[0]);
    t->capacity = capacity;
    return t;
}

static enum status options_check(const struct matrix_options *o, struct error *e)
{
    if (o->dimensions < 1 || o->dimensions > MATRIX_DIMENSIONS_MAX)
        return fail(e, ST_INVALID, "an embedding has 1 to %d dimensions, not %u", MATRIX_DIMENSIONS_MAX, o->dimensions);
    if (!o->model || !*o->model || strlen(o->model) >= MATRIX_MODEL_BYTES_MAX)
        return fail(e, ST_INVALID, "the name of an embedding model has 1 to %d bytes", MATRIX_MODEL_BYTES_MAX - 1);
    if (o->threads > MATRIX_THREADS_MAX)
        return fail(e, ST_INVALID, "a search uses at most %d threads, not %u", MATRIX_THREADS_MAX, o->threads);
    if (!kernel_find(o->kernel))
        return fail(e, ST_INVALID, "kernel \"%s\" is unknown or not for this processor", o->kernel);
    return OK;
}

enum status matrix_new(const struct matrix_options *o, struct matrix **out, struct error *e)
{
    *out = NULL;
    enum status s = options_check(o, e);
    if (s != OK)
        return s;
    struct matrix *m = xcalloc(1, sizeof *m);
    if ((s = rows_init(&m->rows, o->dimensions, o->rows_dir, e)) != OK) {
        free(m);
        return s;
    }
    memcpy(m->model, o->model, strlen(o->model) + 1); /* its length is checked above */
    m->dimensions = o->dimensions;
    m->stride = kernel_stride(o->dimensions);
    m->kernel = kernel_find(o->kernel);
    m->unit = xcalloc(m->dimensions, sizeof *m->unit);
    epoch_init(&m->epoch);
    pthread_mutex_init(&m->writer, NULL);
    atomic_init(&m->users, users_new(USERS_CAPACITY_MIN));
    m->threads = threads_new(o->threads > 1 ? o->threads - 1 : 0);
    *out = m;
    return OK;
}

void matrix_free(struct matrix *m)
{
    if (!m)
        return;
    threads_free(m->threads);
    epoch_release(&m->epoch);
    struct user_table *t = atomic_load(&m->users);
    for (uint32_t i = 0; i < t->capacity; i++) {
        struct partition *p = atomic_load(&t->at[i]);
        if (p)
            partition_free(p);
    }
    free(t);
    rows_release(&m->rows);
    pthread_mutex_destroy(&m->writer);
    free(m->unit);
    free(m);
}

const char *matrix_model(const struct matrix *m)
{
    return m->model;
}
uint32_t matrix_dimensions(const struct matrix *m)
{
    return m->dimensions;
}
const char *matrix_kernel(const struct matrix *m)
{
    return m->kernel->name;
}

/* --- users --- */

static uint32_t user_home(const struct user_table *t, int64_t user)
{
    return (uint32_t)((uint64_t)user * 0x9e3779b97f4a7c15u >> 32) & (t->capacity - 1);
}

struct partition *matrix_partition(struct matrix *m, int64_t user)
{
    struct user_table *t = atomic_load(&m->users);
    struct partition *p;
    for (uint32_t i = user_home(t, user); (p = atomic_load(&t->at[i])); i = (i + 1) & (t->capacity - 1))
        if (p->user == user)
            return p;
    return NULL;
}

static void user_place(struct user_table *t, struct partition *p)
{
    uint32_t i = user_home(t, p->user);
    while (atomic_load_explicit(&t->at[i], memory_order_relaxed))
        i = (i + 1) & (t->capacity - 1);
    atomic_store(&t->at[i], p);
    t->count++;
}

static void drop_table(void *ctx, void *table)
{
    (void)ctx;
    free(table);
}

struct partition *matrix_partition_add(struct matrix *m, int64_t user)
{
    struct user_table *t = atomic_load(&m->users);
    if (2 * (t->count + 1) > t->capacity) {
        struct user_table *wider = users_new(2 * t->capacity);
        for (uint32_t i = 0; i < t->capacity; i++) {
            struct partition *p = atomic_load(&t->at[i]);
            if (p)
                user_place(wider, p);
        }
        atomic_store(&m->users, wider);
        epoch_retire(&m->epoch, drop_table, NULL, t);
        t = wider;
    }
    struct partition *p = xcalloc(1, sizeof *p);
    p->user = user;
    user_place(t, p);
    return p;
}

/* --- writing --- */

enum status matrix_normalise(const float *v, uint32_t dimensions, float *unit, struct error *e)
{
    double square = 0;
    for (uint32_t i = 0; i < dimensions; i++)
        square += (double)v[i] * (double)v[i];
    if (!isfinite(square))
        return fail(e, ST_INVALID, "the vector holds a number that is not finite");
    if (square == 0)
        return fail(e, ST_INVALID, "the vector is all zero");
    double length = sqrt(square);
    for (uint32_t i = 0; i < dimensions; i++)
        unit[i] = (float)(v[i] / length);
    return OK;
}

static enum status item_check(const struct matrix_item *item, struct error *e)
{
    if (item->type >= MATRIX_TYPES_MAX)
        return fail(e, ST_INVALID, "item type %u is not below %d", item->type, MATRIX_TYPES_MAX);
    if (item->category < 0 || item->category > UINT32_MAX)
        return fail(e, ST_INVALID, "category %lld is out of range", (long long)item->category);
    if (item->day != MATRIX_DAY_NONE && (item->day < MATRIX_DAY_MIN || item->day > MATRIX_DAY_MAX))
        return fail(e, ST_INVALID, "day %d is not within the years 1 to 9999", item->day);
    return OK;
}

static struct segment_list *list_of(struct partition *p)
{
    return atomic_load_explicit(&p->list, memory_order_relaxed);
}

static bool find(struct partition *p, uint32_t type, int64_t id, uint32_t *position)
{
    return p && key_index_find(&p->index, list_of(p), type, id, position);
}

/* The row under its key, in place of the one that was there.  Appended before the old one dies: a search that runs
 * beside it must not miss the item (view_open() sorts out that it may see both). */
static void place(struct matrix *m, struct partition *p, const struct matrix_item *item, uint32_t slot,
                  const float *unit, bool drop_slot)
{
    struct segment_row row = { item->id, item_pack(item), (uint32_t)item->category, slot };
    uint32_t old = 0;
    bool replaces = find(p, item->type, item->id, &old);
    if (!replaces) {
        uint32_t position = partition_append(m, p, &row, unit);
        key_index_add(&p->index, list_of(p), item->type, item->id, position);
        return;
    }
    atomic_fetch_add(&p->replacing, 1);
    uint32_t position = partition_append(m, p, &row, unit);
    find(p, item->type, item->id, &old); /* appending may have moved it */
    partition_kill(m, p, old, drop_slot);
    atomic_fetch_add(&p->replacing, 1);
    key_index_move(&p->index, item->type, item->id, old, position);
    partition_tidy(m, p, old >> SEGMENT_SHIFT, false);
}

enum status matrix_put(struct matrix *m, const struct matrix_item *item, const float *vector, struct error *e)
{
    enum status s = item_check(item, e);
    if (s != OK)
        return s;
    uint32_t slot;
    pthread_mutex_lock(&m->writer);
    epoch_reclaim(&m->epoch);
    s = matrix_normalise(vector, m->dimensions, m->unit, e);
    if (s == OK)
        s = rows_put(&m->rows, m->unit, &slot, e);
    if (s == OK) {
        struct partition *p = matrix_partition(m, item->user);
        place(m, p ? p : matrix_partition_add(m, item->user), item, slot, m->unit, true);
    }
    pthread_mutex_unlock(&m->writer);
    return s;
}

static enum status not_there(struct error *e, uint32_t type, int64_t id)
{
    return fail(e, ST_NOT_FOUND, "no vector for item %lld of type %u", (long long)id, type);
}

enum status matrix_set(struct matrix *m, const struct matrix_item *item, struct error *e)
{
    enum status s = item_check(item, e);
    if (s != OK)
        return s;
    pthread_mutex_lock(&m->writer);
    epoch_reclaim(&m->epoch);
    struct partition *p = matrix_partition(m, item->user);
    uint32_t position;
    if (find(p, item->type, item->id, &position)) {
        const struct segment *at = list_of(p)->segment[position >> SEGMENT_SHIFT];
        uint32_t slot = at->slot[position & (SEGMENT_ROWS_MAX - 1)];
        place(m, p, item, slot, rows_at(&m->rows, slot), false);
    } else {
        s = not_there(e, item->type, item->id);
    }
    pthread_mutex_unlock(&m->writer);
    return s;
}

enum status matrix_remove(struct matrix *m, int64_t user, uint32_t type, int64_t id, struct error *e)
{
    enum status s = OK;
    pthread_mutex_lock(&m->writer);
    epoch_reclaim(&m->epoch);
    struct partition *p = matrix_partition(m, user);
    uint32_t position;
    if (find(p, type, id, &position)) {
        key_index_remove(&p->index, list_of(p), type, id, position);
        partition_kill(m, p, position, true);
        partition_tidy(m, p, position >> SEGMENT_SHIFT, false);
    } else {
        s = not_there(e, type, id);
    }
    pthread_mutex_unlock(&m->writer);
    return s;
}

/* --- all of them --- */

static void each_partition(struct matrix *m, void (*fn)(void *ctx, struct matrix *, struct partition *), void *ctx)
{
    struct user_table *t = atomic_load(&m->users);
    for (uint32_t i = 0; i < t->capacity; i++) {
        struct partition *p = atomic_load(&t->at[i]);
        if (p && list_of(p))
            fn(ctx, m, p);
    }
}

static void compact_one(void *ctx, struct matrix *m, struct partition *p)
{
    (void)ctx;
    for (uint32_t i = 0; i < list_of(p)->count; i++)
        partition_tidy(m, p, i, true);
}

void matrix_compact(struct matrix *m)
{
    pthread_mutex_lock(&m->writer);
    each_partition(m, compact_one, NULL);
    epoch_reclaim(&m->epoch);
    pthread_mutex_unlock(&m->writer);
}

static struct matrix_item item_at(const struct partition *p, const struct segment *s, uint32_t row)
{
    struct matrix_item item = { .user = p->user, .id = s->id[row], .category = s->category[row] };
    item_unpack(s->packed[row], &item);
    return item;
}

enum status matrix_get(struct matrix *m, int64_t user, uint32_t type, int64_t id, struct matrix_item *item,
                       float *vector, struct error *e)
{
    enum status s = OK;
    pthread_mutex_lock(&m->writer);
    struct partition *p = matrix_partition(m, user);
    uint32_t position;
    if (find(p, type, id, &position)) {
        const struct segment *at = list_of(p)->segment[position >> SEGMENT_SHIFT];
        uint32_t row = position & (SEGMENT_ROWS_MAX - 1);
        if (item)
            *item = item_at(p, at, row);
        if (vector)
            memcpy(vector, rows_at(&m->rows, at->slot[row]), m->dimensions * sizeof *vector);
    } else {
        s = not_there(e, type, id);
    }
    pthread_mutex_unlock(&m->writer);
    return s;
}

struct walk {
    void (*fn)(void *ctx, const struct matrix_item *);
    void *ctx;
};

static void walk_one(void *ctx, struct matrix *m, struct partition *p)
{
    (void)m;
    const struct walk *w = ctx;
    const struct segment_list *list = list_of(p);
    for (uint32_t i = 0; i < list->count; i++)
        for (uint32_t row = 0, n = list->segment[i] ? segment_count(list->segment[i]) : 0; row < n; row++)
            if (!segment_dead(list->segment[i], row)) {
                struct matrix_item item = item_at(p, list->segment[i], row);
                w->fn(w->ctx, &item);
            }
}

void matrix_walk(struct matrix *m, void (*fn)(void *ctx, const struct matrix_item *), void *ctx)
{
    struct walk w = { fn, ctx };
    pthread_mutex_lock(&m->writer);
    each_partition(m, walk_one, &w);
    pthread_mutex_unlock(&m->writer);
}

static void usage_one(void *ctx, struct matrix *m, struct partition *p)
{
    struct matrix_usage *u = ctx;
    const struct segment_list *list = list_of(p);
    u->users++;
    u->items += p->index.count;
    u->hot_bytes += sizeof *p + sizeof *list + list->count * sizeof(struct segment *);
    u->hot_bytes += p->index.capacity * sizeof *p->index.at;
    for (uint32_t i = 0; i < list->count; i++) {
        const struct segment *s = list->segment[i];
        if (!s)
            continue;
        uint64_t row_bytes =
            s->stride + sizeof *s->row + sizeof *s->id + sizeof *s->packed + sizeof *s->category + sizeof *s->slot;
        u->segments++;
        u->dead += s->dead_count;
        u->hot_bytes += sizeof *s + segment_count(s) * row_bytes + s->capacity / 8 + m->dimensions * sizeof *s->mean;
    }
}

void matrix_usage(struct matrix *m, struct matrix_usage *out)
{
    memset(out, 0, sizeof *out);
    pthread_mutex_lock(&m->writer);
    each_partition(m, usage_one, out);
    out->hot_bytes += m->rows.unused_capacity * sizeof *m->rows.unused;
    out->mapped_bytes = (uint64_t)(m->rows.next - m->rows.unused_count) * m->dimensions * sizeof(float);
    pthread_mutex_unlock(&m->writer);
}
