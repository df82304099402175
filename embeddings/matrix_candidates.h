/* SPDX-License-Identifier: MIT
 * matrix_candidates: the rows that may still be among the k best, and the exact k best of them.
 * One owner each; a scan on several threads has one per thread and merges them. */
#ifndef EMBEDDINGS_MATRIX_CANDIDATES_H
#define EMBEDDINGS_MATRIX_CANDIDATES_H

#include "embeddings/matrix_view.h"

struct candidate {
    float upper, lower; /* what its score is at most, at least */
    uint32_t position;
};

struct candidates {
    uint32_t k, heap_count;
    float *heap;     /* the k highest lower bounds, the lowest of them first */
    float threshold; /* the k-th highest lower bound known: nothing whose upper bound is below is wanted */
    struct candidate *list;
    size_t count, capacity;
    uint64_t matched;
};

void candidates_init(struct candidates *, uint32_t k);
void candidates_release(struct candidates *);
void candidates_clear(struct candidates *);
void candidates_add(struct candidates *, float upper, float lower, uint32_t position);
/* All of `from` as well. */
void candidates_merge(struct candidates *, const struct candidates *from);
/* Drop what the threshold excludes. */
void candidates_prune(struct candidates *);

/* Add the rows of a block whose upper bound reaches the threshold; sums are what the kernel computed. */
void candidates_add_block(struct candidates *, const struct matrix *, const struct view_block *, const int32_t *sums,
                          struct kernel_bounds);

struct rescored {
    size_t count;  /* hits */
    uint64_t read; /* fp32 rows */
    bool exact;
    bool twice; /* an item is among the hits in two versions; the older row's bit is set in the view now */
};

/* The best of the candidates by their fp32 vectors, exactly.  rows: NULL or room for k unit vectors. */
void candidates_rescore(struct candidates *, struct matrix *, struct view *, const float *unit, uint32_t rescore_max,
                        struct matrix_hit *hits, float *rows, struct rescored *);

#endif
