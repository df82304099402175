/* SPDX-License-Identifier: MIT
 * matrix_epoch: when may memory that readers could still see be given back?
 * Readers announce the epoch in which they began (no lock, no wait); the writer retires what it unlinked and
 * frees it once every reader of that epoch has left.  Fraser, "Practical lock-freedom" (2004), 5.2.3, with one
 * announcement per reader in place of three lists. */
#ifndef EMBEDDINGS_MATRIX_EPOCH_H
#define EMBEDDINGS_MATRIX_EPOCH_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct epoch_reader; /* one announcement */

struct retired {
    uint64_t epoch;
    void (*drop)(void *ctx, void *object);
    void *ctx, *object;
};

struct epoch {
    _Atomic uint64_t now;
    _Atomic(struct epoch_reader *) readers; /* grows with the number of simultaneous readers, never shrinks */
    struct retired *list;                   /* writer only: entries head … count, oldest first */
    size_t head, count, capacity;
};

void epoch_init(struct epoch *);
void epoch_release(struct epoch *); /* no readers left: drops everything retired */

/* Any thread.  What is reachable after epoch_enter() stays valid until epoch_leave(). */
struct epoch_reader *epoch_enter(struct epoch *);
void epoch_leave(struct epoch_reader *);

/* The writer, after unlinking object: drop(ctx, object) is called by a later epoch_reclaim(). */
void epoch_retire(struct epoch *, void (*drop)(void *ctx, void *object), void *ctx, void *object);
void epoch_reclaim(struct epoch *);

#endif
