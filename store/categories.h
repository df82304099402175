/* SPDX-License-Identifier: MIT
 * categories: where tasks and notes are filed, per user, made on demand.  A path has up to CATEGORY_DEPTH_MAX names
 * ("Work/Projects", "Work > Projects"); letter case does not matter, the first spelling stays.  The row's
 * `name` is the last name, `name_key` the folded whole path.  All functions run inside a transaction. */
#ifndef STORE_CATEGORIES_H
#define STORE_CATEGORIES_H

#include "base/arena.h"
#include "store/db.h"

enum {
    CATEGORIES_MAX = 200,  /* per user: the list goes to the model with every message */
    CATEGORY_DEPTH_MAX = 3 /* deeper paths are not folders people keep in mind */
};
#define CATEGORY_DEFAULT "General"

struct category {
    int64_t id;
    int64_t parent_id; /* 0 = top */
    const char *path;  /* "Work/Projects"; arena-owned */
};

/* The category a person means by name: the whole path, or the last name alone when only one category has it. */
enum status MUST_CHECK category_find(struct db *, struct arena *, int64_t user_id, const char *name, struct category *,
                                     bool *found, struct error *);
/* As category_find, made (with its parents) when missing; name NULL or "" = General.  ST_INVALID: no name in it, too
 * long, too deep; ST_LIMIT: the user has CATEGORIES_MAX. */
enum status MUST_CHECK category_ensure(struct db *, struct arena *, int64_t user_id, const char *name, int64_t now_ms,
                                       struct category *, struct error *);
enum status MUST_CHECK category_by_id(struct db *, struct arena *, int64_t user_id, int64_t id, struct category *,
                                      bool *found, struct error *);
/* All of a user's, by path; *list is arena-owned. */
enum status MUST_CHECK category_list(struct db *, struct arena *, int64_t user_id, struct category **list, int *count,
                                     struct error *);

/* SQL: the path of `table`.category_id ("Work/Projects"), null without one; for SELECT and RETURNING lists. */
#define CATEGORY_PATH_SQL(table)                                                                                       \
    "(SELECT COALESCE((SELECT COALESCE((SELECT g.name || '/' FROM categories g WHERE g.id = p.parent_id), '')"         \
    " || p.name || '/' FROM categories p WHERE p.id = c.parent_id), '') || c.name FROM categories c"                   \
    " WHERE c.id = " table ".category_id)"
/* SQL: `table`.category_id is category `param` or below it. */
#define CATEGORY_UNDER_SQL(table, param)                                                                               \
    table ".category_id IN (SELECT c.id FROM categories c LEFT JOIN categories p ON p.id = c.parent_id"                \
          " WHERE " param " IN (c.id, p.id, p.parent_id))"

#endif
