/* SPDX-License-Identifier: MIT
 * matrix_rows: the fp32 unit vectors, in numbered slots that never move.
 * They lie in a nameless file (or a snapshot) that is mapped for reading: a search touches a few dozen, so the
 * system may evict the rest.  Written with pwrite(), so that a full disk is an error and not a SIGBUS.
 * One writer; readers of slots whose number was published to them. */
#ifndef EMBEDDINGS_MATRIX_ROWS_H
#define EMBEDDINGS_MATRIX_ROWS_H

#include "base/status.h"
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ROWS_CHUNK_SHIFT = 12,
    ROWS_CHUNK = 1 << ROWS_CHUNK_SHIFT, /* rows mapped at once: 6 MB at 384 dimensions */
    ROWS_CHUNKS_MAX = 4096,             /* 16 million rows: 32 KB of pointers */
};

struct rows {
    uint32_t dimensions;
    int fd;             /* -1 = anonymous memory */
    uint32_t next;      /* first slot never used */
    uint32_t read_only; /* slots below belong to a snapshot and are not used again */
    uint32_t *unused;   /* a stack of slots given back */
    uint32_t unused_count, unused_capacity;
    _Atomic(float *) chunk[ROWS_CHUNKS_MAX];
};

/* dir NULL = in memory.  ST_INTERNAL: no file can be made there. */
enum status MUST_CHECK rows_init(struct rows *, uint32_t dimensions, const char *dir, struct error *);
void rows_release(struct rows *);
/* The first `count` slots are those at `offset` (page-aligned) of fd; only on a fresh pool. */
enum status MUST_CHECK rows_map(struct rows *, int fd, uint64_t offset, uint32_t count, struct error *);

/* A slot holding a copy of vector.  ST_LIMIT: full.  ST_INTERNAL: the file cannot grow. */
enum status MUST_CHECK rows_put(struct rows *, const float *vector, uint32_t *slot, struct error *);
void rows_drop(struct rows *, uint32_t slot); /* no reader can see it any more */

static inline const float *rows_at(struct rows *r, uint32_t slot)
{
    const float *chunk = atomic_load_explicit(&r->chunk[slot >> ROWS_CHUNK_SHIFT], memory_order_acquire);
    return chunk + (size_t)(slot & (ROWS_CHUNK - 1)) * r->dimensions;
}

#endif
