/* SPDX-License-Identifier: MIT
 * matrix: the vectors of every user in memory, and the exact nearest of them.
 * A view of the database, which stays the truth: it is rebuilt from there or loaded from a snapshot
 * (snapshot.h).  One matrix is bound to one model and one number of dimensions; vectors of another model
 * go to another matrix.  Rows are kept as int8 codes with a certificate (matrix_segment.h), so that a
 * search reads a quarter of the bytes and still returns the exact answer of the fp32 vectors.
 *
 * Threads: any number may search at the same time; they take no lock and never wait for a writer.
 * Writers (put, set, remove, compact) serialise among themselves.  A search that starts after a writer
 * call returned sees what it did; one that runs beside it sees the item as before or as after, never
 * both, never neither. */
#ifndef EMBEDDINGS_MATRIX_H
#define EMBEDDINGS_MATRIX_H

#include "base/status.h"
#include <stddef.h>
#include <stdint.h>

struct matrix;

enum {
    MATRIX_DIMENSIONS_MAX = 4096, /* the largest public embeddings have 3,072 to 4,096 */
    MATRIX_TYPES_MAX = 16,        /* item types, four bits in the packed column */
    MATRIX_HITS_MAX = 1024,       /* k of one search */
    MATRIX_BATCH_MAX = 4096,      /* queries of one matrix_search_batch() */
    MATRIX_CATEGORIES_MAX = 256,  /* categories of one filter */
    MATRIX_MODEL_BYTES_MAX = 128, /* name of the model, with the NUL */
    MATRIX_THREADS_MAX = 64,      /* scanning threads */
    MATRIX_GRAM_ROWS_MAX = 1024,  /* rows of one Gram matrix: 4 MB of floats */
    MATRIX_DAY_NONE = INT32_MIN,  /* an item without a date: no date range contains it */
    MATRIX_DAY_MIN = -719162,     /* 0001-01-01 */
    MATRIX_DAY_MAX = 2932896,     /* 9999-12-31 */
};

struct matrix_options {
    const char *model;    /* copied */
    uint32_t dimensions;  /* 1 … MATRIX_DIMENSIONS_MAX */
    const char *rows_dir; /* where the fp32 rows lie, in a nameless file that is mapped, so that the system may
                             evict them; NULL = in memory (4 × dimensions bytes an item more) */
    unsigned threads;     /* threads of one search, the caller included; 0 and 1 = the caller alone.  Only
                             searches over more than about 4 MB of codes are shared out */
    const char *kernel;   /* a name of kernel.h to force that one (tests, benchmarks); NULL = the best here */
};

/* ST_INVALID: dimensions or names out of range, kernel unknown or not for this CPU.
 * ST_INTERNAL: rows_dir cannot be used. */
enum status MUST_CHECK matrix_new(const struct matrix_options *, struct matrix **out, struct error *);
void matrix_free(struct matrix *); /* no other call may be running; NULL is fine */

const char *matrix_model(const struct matrix *);
uint32_t matrix_dimensions(const struct matrix *);
const char *matrix_kernel(const struct matrix *); /* "avx512vnni", … */

/* What is known of an item beside its vector.  (user, type, id) is the key. */
struct matrix_item {
    int64_t user;
    int64_t id;
    uint32_t type;    /* below MATRIX_TYPES_MAX; the caller's numbering */
    int32_t day;      /* days since 1970-01-01, what date ranges compare with; MATRIX_DAY_NONE = no date */
    int64_t category; /* database id, 0 = none; 0 … UINT32_MAX */
    bool done;
};

/* Insert, or replace vector and description.  The vector is normalised here (norm in double) and need not be of
 * length one.  ST_INVALID: NaN, infinite, all zero, or a field out of range.  ST_LIMIT: the matrix is full (16
 * million rows).  ST_INTERNAL: the rows' file cannot grow (disk full).  On an error nothing has changed. */
enum status MUST_CHECK matrix_put(struct matrix *, const struct matrix_item *, const float *vector, struct error *);
/* Replace the description alone; ST_NOT_FOUND when the key is not there. */
enum status MUST_CHECK matrix_set(struct matrix *, const struct matrix_item *, struct error *);
/* ST_NOT_FOUND when the key is not there.  Takes the same short time however many rows there are (amortised:
 * one removal in many compacts a segment). */
enum status MUST_CHECK matrix_remove(struct matrix *, int64_t user, uint32_t type, int64_t id, struct error *);
/* Every row of the user; returns how many. */
size_t matrix_remove_user(struct matrix *, int64_t user);
/* Rewrite every segment with dead rows and take new means.  Happens by itself at thresholds; searches go on. */
void matrix_compact(struct matrix *);

enum matrix_state { MATRIX_ANY, MATRIX_OPEN, MATRIX_DONE };

/* All zero = everything.  Conditions are joined by "and". */
struct matrix_filter {
    uint32_t types; /* bit 1 << type; 0 = all types */
    enum matrix_state state;
    bool dated; /* day_from <= day <= day_to holds; items without a date do not match */
    int32_t day_from, day_to;
    const int64_t *categories; /* one of these (0 = items without a category); sub-categories are the caller's */
    size_t categories_count;   /* 0 = all; at most MATRIX_CATEGORIES_MAX */
};

struct matrix_query {
    int64_t user;                       /* only this user's rows are touched */
    uint32_t k;                         /* 1 … MATRIX_HITS_MAX */
    const struct matrix_filter *filter; /* NULL = everything */
    uint32_t rescore_max;               /* rows one query may re-score; 0 = as many as the proof needs.  When it is
                                           reached, `exact` is false and the best of those scored come back */
    float *rows; /* NULL, or room for k × dimensions: the hits' unit vectors (matrix_search() only) */
};

/* Score: cosine, summed in double in the order of kernel.h and rounded to fp32 once, therefore the same bits on
 * every CPU and with any number of threads.  Hits are ordered by score descending, then type, then id ascending. */
struct matrix_hit {
    int64_t id;
    uint32_t type;
    float score;
};

struct matrix_trace {
    bool exact;        /* the hits are proved to be the exact answer */
    uint64_t matched;  /* rows alive that the filter let through: hits = min(k, matched) */
    uint64_t scanned;  /* rows whose codes were read (a batch: rows × queries) */
    uint64_t rescored; /* rows whose fp32 vector was read */
};

/* The k items nearest to `vector` (dimensions floats, any length; normalised as rows are).  hits has room for k,
 * *count gets how many.  An unknown user has no rows.  trace may be NULL.  ST_INVALID as for matrix_put(). */
enum status MUST_CHECK matrix_search(struct matrix *, const struct matrix_query *, const float *vector,
                                     struct matrix_hit *hits, size_t *count, struct matrix_trace *trace,
                                     struct error *);

/* `queries` vectors side by side against the same user and filter; hits[i × k …] and counts[i] belong to query i,
 * and are the very same hits as matrix_search() finds.  Codes are read once for many queries; from
 * about eight queries on and where the CPU has no VNNI, BLAS does the products.  The trace is the sum. */
enum status MUST_CHECK matrix_search_batch(struct matrix *, const struct matrix_query *, const float *vectors,
                                           size_t queries, struct matrix_hit *hits, size_t *counts,
                                           struct matrix_trace *trace, struct error *);

/* out[i × count + j] = inner product of rows i and j (count × dimensions floats, as matrix_query.rows gives them), by
 * one BLAS call: what maximal marginal relevance needs.  ST_LIMIT over MATRIX_GRAM_ROWS_MAX.  Pure. */
enum status MUST_CHECK matrix_gram(const float *rows, size_t count, uint32_t dimensions, float *out, struct error *);

/* The unit vector of one item; takes the writers' lock.  ST_NOT_FOUND. */
enum status MUST_CHECK matrix_get(struct matrix *, int64_t user, uint32_t type, int64_t id, struct matrix_item *item,
                                  float *vector, struct error *); /* item and vector may be NULL */

/* Every item, in no order, for comparing with the database.  Holds the writers' lock: fn must not call the matrix
 * and must not block. */
void matrix_walk(struct matrix *, void (*fn)(void *ctx, const struct matrix_item *), void *ctx);

struct matrix_usage {
    uint64_t items, dead, users, segments;
    uint64_t hot_bytes; /* what a scan and the key index use for these items; capacity never touched is not counted */
    uint64_t mapped_bytes; /* fp32 rows, mapped from files (or in memory without rows_dir) */
};
void matrix_usage(struct matrix *, struct matrix_usage *out);

#endif
