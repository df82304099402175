/* SPDX-License-Identifier: MIT
 * query_vector: the vector of what somebody is looking for.  The built-in embedder computes it; a server is asked, with
 * a short patience, and after a failure left alone for a moment, so that searches go on by words.  The last queries are
 * remembered.  Any thread. */
#ifndef EMBEDDINGS_QUERY_VECTOR_H
#define EMBEDDINGS_QUERY_VECTOR_H

#include "embeddings/embedder.h"

struct query_vectors;

enum {
    QUERY_PATIENCE_MS = 2500, /* somebody waits for the answer */
    QUERY_PAUSE_MS = 10000,   /* a server that failed is not asked before */
    QUERY_KEPT_MAX = 32,
    QUERY_CALLS_MAX = 64,   /* not in the ledger yet: a second of searches; beyond it calls share a row */
    QUERY_TOKENS_MAX = 512, /* a longer question is cut: its beginning says what it is about */
};

struct query_vectors *query_vectors_new(struct embedder *); /* borrowed */
void query_vectors_free(struct query_vectors *);            /* NULL is fine */

bool query_vectors_local(const struct query_vectors *); /* computed here, no server */
/* True: query_vector() would call a server: do not be inside a transaction. */
bool query_vector_calls(struct query_vectors *, const char *text);
/* Arena-owned; NULL = go by words alone.  may_call false: only what needs no server. */
const float *query_vector(struct query_vectors *, struct arena *, const char *text, bool may_call);
/* No calls while true: the day's token limit is reached. */
void query_vectors_stop(struct query_vectors *, bool stop);
/* Calls to the server that are not in the ledger yet, oldest first; those written are to be forgotten. */
struct query_call {
    int64_t tokens, elapsed_ms;
    bool answered;
};
size_t query_vectors_calls(struct query_vectors *, struct query_call out[QUERY_CALLS_MAX]);
void query_vectors_forget(struct query_vectors *, const struct query_call *written, size_t count);

#endif
