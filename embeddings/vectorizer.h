/* SPDX-License-Identifier: MIT
 * vectorizer: one step of embedding what is missing: take a batch, embed it, write the vectors with the ledger row,
 * bring the index up.  The background lane and `steward reindex` call it; one thread.  No transaction spans the call to
 * a server; one process at a time works (a lease), so that two instances do not pay twice. */
#ifndef EMBEDDINGS_VECTORIZER_H
#define EMBEDDINGS_VECTORIZER_H

#include "embeddings/embedder.h"
#include "embeddings/recall.h"
#include "store/store.h"

struct vectorizer {
    struct store *store;
    struct recall *recall;
    struct embedder *embedder;
    struct http *http;
    const volatile bool *cancel;
    const char *zone;          /* whose midnight ends a day of daily_token_limit */
    int64_t daily_token_limit; /* 0 = none */

    /* --- its own; start with zeros --- */
    size_t batch;     /* texts of one request; shrinks when a request is refused */
    int64_t pause_ms; /* of the last failure; doubles */
    bool leased;
    int64_t tokens, embedded;
};

struct vectorizer_step {
    size_t embedded;
    bool idle;       /* nothing is wanted */
    bool elsewhere;  /* another process is at it */
    bool limited;    /* the day's token limit is reached */
    int64_t wait_ms; /* before the next step */
};
/* An error leaves everything as it was and says in wait_ms when to try again. */
enum status MUST_CHECK vectorizer_run(struct vectorizer *, struct vectorizer_step *, struct error *);
/* Are the day's tokens used up?  Never for the built-in embedder.  Inside a read. */
enum status MUST_CHECK vectorizer_limit(const struct vectorizer *, struct db *, bool *reached, struct error *);
void vectorizer_rest(struct vectorizer *); /* gives the lease back */

#endif
