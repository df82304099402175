/* SPDX-License-Identifier: MIT
 * journal_row: the rows the journal knows, as JSON objects of their columns.  For store/journal*.c only. */
#ifndef STORE_JOURNAL_ROW_H
#define STORE_JOURNAL_ROW_H

#include "base/arena.h"
#include "store/db.h"
#include <json-c/json.h>

enum column_type { COLUMN_TEXT, COLUMN_INT, COLUMN_REAL };
enum { JOURNAL_COLUMNS_MAX = 12 };

struct journal_column {
    const char *name; /* NULL ends the list */
    enum column_type type;
    bool background; /* the program sets it by itself: restored, but no obstacle to an undo */
};
struct journal_table {
    const char *name;
    const char *owner; /* the column that holds the user's id */
    struct journal_column columns[JOURNAL_COLUMNS_MAX];
};

/* NULL: not journaled. */
const struct journal_table *journal_table(const char *name);

/* The row as {column: value}, locked until the transaction ends; arena-owned. */
enum status MUST_CHECK journal_row_read(struct db *, struct arena *, const struct journal_table *, int64_t row_id,
                                        int64_t user_id, struct json_object **row, bool *found, struct error *);
/* {column: [before, after]} of the columns that differ; arena-owned. */
struct json_object *journal_row_diff(struct arena *, const struct journal_table *, struct json_object *before,
                                     struct json_object *after);
/* The first column of a difference whose value in the row is not `after` any more; NULL = none. */
const char *journal_row_changed(const struct journal_table *, struct json_object *diff, struct json_object *row);
/* Do two differences name a common column that a person changes? */
bool journal_row_overlap(const struct journal_table *, struct json_object *diff, struct json_object *other);
/* Give the row the `before` values of a difference. */
enum status MUST_CHECK journal_row_restore(struct db *, const struct journal_table *, int64_t row_id, int64_t user_id,
                                           struct json_object *diff, struct error *);

#endif
