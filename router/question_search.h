/* SPDX-License-Identifier: MIT
 * question_search: one search over one person's rows, by words and by meaning, as questions, /search and `steward
 * search` make it.  Any worker's or command's thread. */
#ifndef ROUTER_QUESTION_SEARCH_H
#define ROUTER_QUESTION_SEARCH_H

#include "embeddings/query_vector.h"
#include "embeddings/recall.h"
#include <json-c/json.h>

/* The live index of this process and the vectors of queries (borrowed; vectors NULL = words alone).  Set once, before
 * the first search, and with NULLs when no search runs any more.  Without it every search reads all of the person's
 * rows. */
void search_use(struct recall *, struct query_vectors *);

struct search_query {
    int64_t user_id;
    const char *zone;    /* the person's; NULL = UTC */
    const char *text;    /* the words to look for */
    const char *meaning; /* the sentence a server embeds; NULL = text */
    struct recall_filter filter;
    double floor; /* see recall_query.floor */
    size_t limit;
    bool writing;   /* the connection is inside a write transaction: no network, no feed */
    int64_t now_ms; /* for "latest" */
};
struct search_hit {
    const struct recall_row *row;
    double score, coverage;
    const char *excerpt; /* the content, or the part of a long one that matters */
};
enum { SEARCH_EXCERPT_BYTES = 1200 }; /* about 300 tokens: ten of them fit the evidence budget */
/* Before any connection is taken: have a server compute the vector of the sentence that search_find() will embed (its
 * `meaning`, or `text`).  It is remembered for a while; does nothing with the built-in embedder.  Blocks a few seconds
 * at most; when no answer comes, the search goes by words alone. */
void search_prepare(struct arena *, const char *sentence);
/* Best first; arena-owned.  No network. */
enum status MUST_CHECK search_find(struct db *, struct arena *, const struct search_query *, struct search_hit **hits,
                                   size_t *count, struct error *);

/* {"id":"note_21","type":"note","score":…,"content":…,"category"?,"date"?,"due_date"?,"created_date","completed"?};
 * the caller owns it. */
struct json_object *search_hit_json(struct arena *, const struct search_hit *, bool whole_content);

#endif
