/* SPDX-License-Identifier: MIT
 * recall: finding a person's rows by words and by meaning.  For each user a live index (BM25 over words, what filters
 * need, the state of each vector) and one matrix of vectors for all.  Both are views of the database: before each
 * search the change feed is read in the same snapshot, so what was committed is found at once and what was deleted is
 * not. Nothing of the rows' text is kept but the word index; hits are read from the rows. Any thread; one search of a
 * user at a time, users side by side.  No network. */
#ifndef EMBEDDINGS_RECALL_H
#define EMBEDDINGS_RECALL_H

#include "base/clock.h"
#include "embeddings/embedder.h"
#include "store/vectors_feed.h"

struct recall;

struct recall_options {
    const char *model; /* of the vectors; NULL = words alone.  Copied */
    uint32_t dimensions;
    const char *cache;    /* folder for the mapped fp32 rows; NULL = in memory */
    const char *snapshot; /* file; NULL = none */
};
enum {
    RECALL_DOCUMENTS_MAX = 1000000 /* in memory, of all users; above it the user not asked for longest is dropped */
};

struct recall *recall_new(const struct recall_options *);
void recall_free(struct recall *); /* NULL is fine; no search may be running */

struct recall_filter {
    unsigned mask;        /* RECALL_…; 0 = all */
    const char *category; /* a path or its last name, compared folded, with what lies below it; NULL = any */
    const struct civil *from,
        *to; /* days, inclusive; NULL = open.  Rows without a date count by the day they were made */
};
struct recall_query {
    int64_t user_id;
    const char *zone; /* the person's: which day a row was made on.  NULL = UTC */
    const char *text;
    const float *vector; /* of the text, unit length; NULL = words alone */
    struct recall_filter filter;
    size_t limit;
    double floor;   /* > 0: only hits that are evidence: at least this part of the query's information, or near
                       in meaning (see recall_rank.c).  Near-duplicates are collapsed then */
    bool as_it_is;  /* inside a write transaction: do not read the feed, whose rows may yet roll back */
    int64_t now_ms; /* given: the newer counts more ("latest"); 0 = age does not matter */
};
struct recall_hit {
    struct recall_row row; /* arena-owned, read in this transaction */
    double score;          /* 0–1 when vectors took part, BM25 otherwise: comparable within one query only */
    double coverage;       /* 0–1: the part of the query's words' information in the row */
    double cosine;         /* 0 without a vector */
    bool named;            /* the query names the row ("task 83") */
};
/* Best first; min(limit, matches) of them unless floor > 0. */
enum status MUST_CHECK recall_find(struct recall *, struct db *, struct arena *, const struct recall_query *,
                                   struct recall_hit **hits, size_t *count, struct error *);
/* The part of a content where the query's words stand. */
const char *recall_excerpt(struct arena *, const char *text, const char *query, size_t bytes_max);

/* --- for the background lane and the commands --- */

/* Bring one user's index up to this transaction's snapshot (the first time: read all rows). */
enum status MUST_CHECK recall_sync(struct recall *, struct db *, int64_t user_id, struct error *);
struct recall_wanted {
    int64_t user_id;
    int type;
    int64_t id;
};
/* Items whose vector is missing or stale, of the users read so far; at most max. */
size_t recall_wanted(struct recall *, struct recall_wanted *out, size_t max);
size_t recall_wanted_count(struct recall *);
/* This item cannot be embedded (the server refused its text): not wanted until it changes or the program restarts. */
void recall_give_up(struct recall *, const struct recall_wanted *);
/* Compute what is wanted with the built-in embedder, in memory alone: for a command that searches once.  At most max
 * items. */
enum status MUST_CHECK recall_fill(struct recall *, struct db *, int64_t user_id, size_t max, struct error *);
/* Every item is wanted again (reindex --force). */
void recall_want_all(struct recall *);

/* Is the snapshot of this database and model, and was nothing missing in it?  Then *position is where the feed goes on
 * from it: while nothing has changed since, no row need be read.  It is loaded when the first user's rows are. */
bool recall_rests(struct recall *, struct db *, int64_t *position);
struct recall_saving {
    int64_t position;          /* of the feed: every user's changes before it have been read, by recall_sync() or as
                                  recall_rests() */
    void (*settle)(void *arg); /* see snapshot.h */
    void *arg;
};
/* Write the snapshot; nothing to do without a file, without vectors, or while none was loaded. */
enum status MUST_CHECK recall_save(struct recall *, const struct recall_saving *, struct error *);

struct recall_usage {
    uint64_t users, documents, vectors, wanted, given_up, loads;
};
void recall_usage(struct recall *, struct recall_usage *);

#endif
