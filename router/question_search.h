/* SPDX-License-Identifier: MIT
 * question_search: lexical search over one person's rows.  The index is built from the rows when opened and
 * serves any number of queries; a worker's or a command's thread, one at a time. */
#ifndef ROUTER_QUESTION_SEARCH_H
#define ROUTER_QUESTION_SEARCH_H

#include "base/clock.h"
#include "store/recall_rows.h"
#include <json-c/json.h>

struct search;

/* Read the rows and index them; released with the arena. */
enum status MUST_CHECK search_open(struct arena *, struct db *, int64_t user_id, unsigned recall_mask, struct search **,
                                   struct error *);

struct search_filter {
    unsigned mask;                 /* RECALL_… ; 0 = all that were opened */
    const char *category;          /* compared folded; NULL = any */
    const struct civil *from, *to; /* days by the person's zone, inclusive; NULL = open */
    const char *zone;              /* for the days of rows that only have an instant; needed with from or to */
    double floor;                  /* least coverage of the query, 0–1; named rows always pass */
};
struct search_hit {
    const struct recall_row *row;
    double score, coverage;
    const char *excerpt; /* the content, or the part of a long one that matters */
};
enum { SEARCH_EXCERPT_BYTES = 1200 }; /* about 300 tokens: ten of them fit the evidence budget */
/* Best first; arena-owned. */
size_t search_find(struct search *, struct arena *, const char *query, const struct search_filter *, size_t limit,
                   struct search_hit **hits);

/* {"id":"note_21","type":"note","score":…,"content":…,"category"?,"date"?,"due_date"?,"created_date","completed"?};
 * the caller owns it. */
struct json_object *search_hit_json(struct arena *, const struct search_hit *, bool whole_content);

#endif
