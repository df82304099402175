/* SPDX-License-Identifier: MIT
 * matrix_view: what the matrix is made of, for its own files (matrix*.c, snapshot.c) alone.
 *
 *   matrix ── users (hash table) ── partition of one user ── segment list (immutable, replaced whole) ── segments
 *
 * Readers go down from the left within an epoch (matrix_epoch.h); the writer, under `writer`, replaces a
 * pointer and retires what it pointed to. */
#ifndef EMBEDDINGS_MATRIX_VIEW_H
#define EMBEDDINGS_MATRIX_VIEW_H

#include "embeddings/kernel.h"
#include "embeddings/matrix.h"
#include "embeddings/matrix_epoch.h"
#include "embeddings/matrix_index.h"
#include "embeddings/matrix_rows.h"
#include "embeddings/matrix_segment.h"
#include "embeddings/matrix_threads.h"
#include <pthread.h>

struct segment_list {
    uint32_t count;
    uint32_t tail;             /* the ordinal that takes rows */
    struct segment *segment[]; /* NULL = an ordinal without rows, to be used again */
};

struct partition {
    int64_t user;
    _Atomic(struct segment_list *) list;
    _Atomic uint32_t replacing; /* odd while a row and its replacement are both alive */
    struct key_index index;     /* writer only */
};

struct user_table {
    uint32_t capacity, count; /* capacity is a power of two; count is the writer's */
    _Atomic(struct partition *) at[];
};

struct matrix {
    char model[MATRIX_MODEL_BYTES_MAX];
    uint32_t dimensions, stride;
    const struct kernel *kernel;
    struct epoch epoch;
    struct rows rows;
    struct threads *threads; /* NULL = searches use the caller alone */
    pthread_mutex_t writer;
    _Atomic(struct user_table *) users;
    float *unit; /* writer only: the vector at hand, normalised */
};

/* Any thread within an epoch, or the writer; NULL = no such user. */
struct partition *matrix_partition(struct matrix *, int64_t user);
/* The writer. */
struct partition *matrix_partition_add(struct matrix *, int64_t user);

/* Unit vector of v in double; ST_INVALID when not finite or zero. */
enum status MUST_CHECK matrix_normalise(const float *v, uint32_t dimensions, float *unit, struct error *);

/* --- matrix_partition.c: the writer's side of one user --- */

/* Append a row for which the pool has the vector in r->slot; returns its position.  It is not in the index yet. */
uint32_t partition_append(struct matrix *, struct partition *, const struct segment_row *, const float *unit);
/* Let the row at position die; its slot goes back to the pool when drop_slot. */
void partition_kill(struct matrix *, struct partition *, uint32_t position, bool drop_slot);
/* Compact the segment when enough of it is dead (always, when forced and anything is dead). */
void partition_tidy(struct matrix *, struct partition *, uint32_t ordinal, bool forced);
/* Put a finished segment behind the others (a snapshot being loaded); positions are entered in the index. */
void partition_adopt(struct matrix *, struct partition *, struct segment *);
void partition_free(struct partition *);

/* --- a search's view of one user: the rows that were there when it began --- */

struct view_part {
    const struct segment *segment;
    uint32_t ordinal, rows;
    uint64_t *dead; /* a copy: one bit a row */
};

struct view {
    struct epoch_reader *reader;
    struct view_part *part;
    uint64_t *dead_memory;
    size_t count, capacity, dead_capacity;
    uint32_t tail; /* ordinal of the part that took rows */
    uint64_t rows;
    bool suspect; /* a replacement ran meanwhile: an item may be seen twice */
};

void view_open(struct view *, struct matrix *, int64_t user);
/* The same for a known partition, within an epoch of the caller's. */
void view_open_within(struct view *, struct partition *);
void view_close(struct view *);
struct view_part *view_part_at(struct view *, uint32_t position); /* the part of a position */

/* A filter in the kernels' form. */
struct view_filter {
    bool all;    /* every row alive matches */
    bool packed; /* `match` excludes something */
    struct kernel_match match;
    uint32_t categories[MATRIX_CATEGORIES_MAX];
    size_t categories_count;
};
enum status MUST_CHECK view_filter_init(struct view_filter *, const struct matrix_filter *, struct error *);

/* Up to 64 rows of one part: index[i] (NULL: first + i); only those in mask count. */
struct view_block {
    const struct view_part *part;
    const uint32_t *index;
    uint32_t first, n;
    uint64_t mask;
};
enum { VIEW_CHUNK_ROWS = 4096 }; /* what a thread takes at once: 1.6 MB of codes at 384 dimensions */

/* Call fn for the matching rows from … to-1 of a part: whole blocks where most match, gathered rows elsewhere, no call
 * for none.  from is a multiple of KERNEL_BLOCK_ROWS.  Returns how many rows match. */
uint64_t view_walk(const struct matrix *, const struct view_part *, uint32_t from, uint32_t to,
                   const struct view_filter *, void (*fn)(void *ctx, const struct view_block *), void *ctx);

#endif
