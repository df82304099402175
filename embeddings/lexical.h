/* SPDX-License-Identifier: MIT
 * lexical: an in-memory BM25 index over the documents given to it.  Case and accents are folded, words stemmed;
 * stop words are dropped from queries only and repeated query words count again.  Exact matches weigh more: a
 * document's own name ("task 83"), the written form of a word, numbers and dates as they stand.  A pure object of
 * one thread: no database, no clock.  The same documents and query give the same order. */
#ifndef EMBEDDINGS_LEXICAL_H
#define EMBEDDINGS_LEXICAL_H

#include "base/arena.h"
#include <stdint.h>

struct lexical;

struct lexical_options {
    double k1, b; /* 0, 0: chosen by the documents' mean length: 0.9, 0.4 for chat-like ones, else 1.2, 0.75 */
};

struct lexical *lexical_new(const struct lexical_options *); /* NULL = defaults */
void lexical_free(struct lexical *);                         /* NULL is fine */

/* Add a document, or replace the one with this key.  label: what names it exactly ("task 83", "note 21"); may be
 * NULL. */
void lexical_add(struct lexical *, int64_t key, const char *label, const char *text);
bool lexical_remove(struct lexical *, int64_t key); /* false: it was not there */
size_t lexical_count(const struct lexical *);
/* Terms held: those of the documents, and for a while those of a few that have gone. */
size_t lexical_terms(const struct lexical *);

struct lexical_hit {
    int64_t key;
    double score;    /* BM25 with boosts: comparable within one query only */
    double coverage; /* 0–1: the part of the query's information (IDF, with a few rows imagined beside those there
                      are) found in the document; a floor for answers */
    bool named;      /* the query names the document ("task 83") */
};
/* The best `limit` documents, best first, ties by key; arena-owned.  allow NULL = all. */
size_t lexical_search(struct lexical *, struct arena *, const char *query, size_t limit,
                      bool (*allow)(int64_t key, void *arg), void *arg, struct lexical_hit **hits);

/* The part of a text where the query's words stand; see analyzer_excerpt. */
const char *lexical_excerpt(struct lexical *, struct arena *, const char *text, const char *query, size_t bytes_max);

#endif
