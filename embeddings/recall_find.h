/* SPDX-License-Identifier: MIT
 * recall_find: one search at work, shared by recall_rank.c (candidates and scores) and recall_shape.c (neighbours, age,
 * doubles) only.  Under the user's lock. */
#ifndef EMBEDDINGS_RECALL_FIND_H
#define EMBEDDINGS_RECALL_FIND_H

#include "embeddings/recall_internal.h"
#include "embeddings/recall_spell.h"

enum { RECALL_SOURCES_MAX = 50 /* best hits whose neighbours gain */ };

struct candidate {
    int64_t key;
    double words, cosine, coverage, score;
    bool named, near;
};

struct find {
    struct recall *recall;
    struct recall_user *user;
    const struct recall_query *query;
    struct arena *arena;
    const struct trust *trust; /* how far meaning is trusted, see recall_rank.c */
    unsigned mask;
    int32_t day_from, day_to;
    int64_t ms_from, ms_to; /* of rows without a date: [from, to) */
    bool *category;         /* by interned index; NULL = any */
    int64_t *category_list;
    size_t category_count;
    struct candidate *list;
    size_t count, lexical_count;
    double mean, deviation; /* of cosines with rows taken at random */
    size_t sampled;
    struct spell spell; /* for an embedder that knows letters alone */
};

bool recall_admits(const struct find *, const struct item *);
int recall_compare_scores(const void *, const void *); /* best first, ties by key */

/* Notes before and after the best ones of a session gain; the list has room for 2 × RECALL_SOURCES_MAX more.  Sorts. */
void recall_spread(struct find *);
void recall_weigh_by_age(struct find *);
/* Drop notes that say the same as a better one, by text and (matrix not NULL) by vector.  The list is sorted. */
void recall_collapse(struct find *, struct matrix *);

#endif
