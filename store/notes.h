/* SPDX-License-Identifier: MIT
 * notes: the rows of the table `notes`.  As tasks.h: every statement names the user, soft-deleted rows are not
 * seen, journaling is the caller's, all inside a transaction. */
#ifndef STORE_NOTES_H
#define STORE_NOTES_H

#include "base/arena.h"
#include "store/db.h"

enum { NOTES_LIST_MAX = 20000 }; /* rows of one list in memory; some 300 bytes each in life */

struct note {
    int64_t id;
    const char *content;
    int64_t category_id;      /* 0 = none */
    const char *category;     /* its path; read only */
    const char *created_date; /* "YYYY-MM-DDTHH:MM:SSZ" */
};

enum status MUST_CHECK note_insert(struct db *, struct arena *, int64_t user_id, const struct note *in,
                                   struct note *out, struct error *);
enum status MUST_CHECK note_get(struct db *, struct arena *, int64_t user_id, int64_t id, struct note *, bool *found,
                                struct error *);
/* Content and category of in->id; ST_NOT_FOUND when the user has no such note. */
enum status MUST_CHECK note_save(struct db *, struct arena *, int64_t user_id, const struct note *in, struct note *out,
                                 struct error *);
enum status MUST_CHECK note_delete(struct db *, int64_t user_id, int64_t id, int64_t now_ms, struct error *);

struct note_filter {
    int64_t category_id; /* and what lies below it; 0 = any */
    int limit;           /* 0 = NOTES_LIST_MAX */
};
/* Newest first; *list is arena-owned. */
enum status MUST_CHECK note_list(struct db *, struct arena *, int64_t user_id, const struct note_filter *,
                                 struct note **list, int *count, struct error *);
enum status MUST_CHECK note_count(struct db *, int64_t user_id, const struct note_filter *, int64_t *count,
                                  struct error *);

#endif
