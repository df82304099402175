/* SPDX-License-Identifier: MIT
 * matrix_epoch: see the header.  Why it is safe: a reader stores its epoch before it loads any pointer; the writer
 * swaps the pointer before it raises the epoch (all sequentially consistent).  A reader that saw the
 * old pointer therefore shows an epoch no higher than the one the object was retired in. */
#include "embeddings/matrix_epoch.h"
#include "base/arena.h"
#include <stdlib.h>
#include <string.h>

struct epoch_reader {
    _Alignas(64) _Atomic uint64_t entered; /* 0 = free */
    struct epoch_reader *next;             /* written once, before the node is linked */
};

void epoch_init(struct epoch *e)
{
    memset(e, 0, sizeof *e);
    atomic_init(&e->now, 1);
    atomic_init(&e->readers, NULL);
}

void epoch_release(struct epoch *e)
{
    for (; e->head < e->count; e->head++)
        e->list[e->head].drop(e->list[e->head].ctx, e->list[e->head].object);
    free(e->list);
    for (struct epoch_reader *r = atomic_load(&e->readers), *next; r; r = next) {
        next = r->next;
        free(r);
    }
}

struct epoch_reader *epoch_enter(struct epoch *e)
{
    for (struct epoch_reader *r = atomic_load(&e->readers); r; r = r->next) {
        uint64_t free_mark = 0;
        if (atomic_load_explicit(&r->entered, memory_order_relaxed) == 0 &&
            atomic_compare_exchange_strong(&r->entered, &free_mark, atomic_load(&e->now)))
            return r;
    }
    struct epoch_reader *r = aligned_alloc(_Alignof(struct epoch_reader), sizeof *r);
    if (!r)
        abort();
    atomic_init(&r->entered, atomic_load(&e->now));
    r->next = atomic_load(&e->readers);
    while (!atomic_compare_exchange_weak(&e->readers, &r->next, r))
        ;
    return r;
}

void epoch_leave(struct epoch_reader *r)
{
    atomic_store(&r->entered, 0);
}

void epoch_retire(struct epoch *e, void (*drop)(void *ctx, void *object), void *ctx, void *object)
{
    if (e->count == e->capacity && e->head > e->capacity / 2) {
        memmove(e->list, e->list + e->head, (e->count - e->head) * sizeof *e->list);
        e->count -= e->head;
        e->head = 0;
    }
    if (e->count == e->capacity) {
        e->capacity = e->capacity ? 2 * e->capacity : 16;
        e->list = xrealloc(e->list, e->capacity * sizeof *e->list);
    }
    uint64_t epoch = atomic_fetch_add(&e->now, 1);
    e->list[e->count++] = (struct retired){ epoch, drop, ctx, object };
}

void epoch_reclaim(struct epoch *e)
{
    if (e->head == e->count)
        return;
    uint64_t oldest = UINT64_MAX;
    for (struct epoch_reader *r = atomic_load(&e->readers); r; r = r->next) {
        uint64_t entered = atomic_load(&r->entered);
        if (entered && entered < oldest)
            oldest = entered;
    }
    for (; e->head < e->count && e->list[e->head].epoch < oldest; e->head++)
        e->list[e->head].drop(e->list[e->head].ctx, e->list[e->head].object);
    if (e->head == e->count)
        e->head = e->count = 0;
}
