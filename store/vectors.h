/* SPDX-License-Identifier: MIT
 * vectors: the embeddings of rows, kept in the database (fp32, little-endian, length one) with the model, its
 * dimensions and a hash of the text they were made from: another hash means stale.  The database is the truth;
 * every index in memory is a view of it.  Functions run inside a transaction of the caller. */
#ifndef STORE_VECTORS_H
#define STORE_VECTORS_H

#include "store/recall_rows.h"

enum {
    VECTOR_HASH_BYTES = 33,       /* 128 bits of SHA-256 in hex, and the NUL */
    VECTOR_DIMENSIONS_MAX = 4096, /* the largest public embeddings */
};

/* What is embedded: the content, and the category that is not the default one.  Arena-owned. */
const char *vector_text(struct arena *, const struct recall_row *);
void vector_hash(const char *text, char out[VECTOR_HASH_BYTES]);

struct vector {
    const char *type; /* recall_type_name() */
    int64_t id, user_id;
    const char *hash;
    const float *values;
    size_t dimensions;
};
/* Insert or replace under (type, id, model). */
enum status MUST_CHECK vector_put(struct db *, const char *model, const struct vector *, int64_t now_ms,
                                  struct error *);
/* *values is arena-owned; *found false: none of this model and dimensions. */
enum status MUST_CHECK vector_get(struct db *, struct arena *, const char *type, int64_t id, const char *model,
                                  size_t dimensions, const char **hash, float **values, bool *found, struct error *);
/* Every vector of a user, model and dimensions, in pages, by (type, id); *vector lives until the callback returns false
 * to stop.  without_values: only names and hashes are read. */
enum status MUST_CHECK vector_each(struct db *, int64_t user_id, const char *model, size_t dimensions,
                                   bool without_values, bool (*fn)(const struct vector *, void *arg), void *arg,
                                   struct error *);
/* The model with the most vectors of a user and its dimensions; a server's goes before the built-in one ("builtin…")
 * with as many.  *model NULL = none. */
enum status MUST_CHECK vector_model(struct db *, struct arena *, int64_t user_id, const char **model,
                                    size_t *dimensions, struct error *);
/* Vectors of rows that were deleted before the instant, and of other models that have not been written since and whose
 * item has one of this model. */
enum status MUST_CHECK vectors_prune(struct db *, const char *model, int64_t before_ms, struct error *);

/* One living row of any type, as recall_rows() gives it; arena-owned. */
enum status MUST_CHECK recall_row_get(struct db *, struct arena *, int64_t user_id, int type, int64_t id,
                                      struct recall_row *, bool *found, struct error *);
int recall_type_find(const char *name); /* -1 = no such type */

#endif
